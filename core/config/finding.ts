/** A problem without its object. */
export interface Finding {
  readonly code: string;
  readonly field: string;
  readonly message: string;
  readonly remedy: string;
}
