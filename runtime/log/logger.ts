/**
 * The logger interface every module takes. Messages are constant; what varies goes into fields.
 * Levels are MetalLB's: all|debug|info|warn|error|none.
 */
export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds these fields to each record. Call once per component, not per record. */
  child(fields: LogFields): Logger;
}

/** A logger that drops everything, for tests and tools. */
export const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};
