/** Who a program is towards the API server, as one source of credentials knows it. */

/** Files and plugins behind it are read again with each `read`: tokens, CA and certificates change. */
export interface Identity {
  readonly server: URL;
  readonly namespace: string | undefined;
  /** HTTP proxy on the way to the API server. */
  readonly proxy: string | undefined;
  /** TLS options as Node's `tls.connect` takes them, and headers with names in lower case. */
  read(): Promise<{
    readonly tls: Readonly<Record<string, unknown>>;
    readonly headers: Readonly<Record<string, string>>;
  }>;
}
