/** What main thread and worker tell each other. */
import type { MessagePort } from 'node:worker_threads';
import type { DuplicatePolicy } from '#core/l2/claim.ts';
import type { GratuitousTiming } from '#core/l2/gratuitous.ts';
import type { L2Conflict, L2Counts, L2Entry, L2Interface } from '#speaker/ports.ts';

/** Given to the worker when it starts. */
export interface WorkerSettings {
  /** Regular expressions; interfaces whose name matches one are ignored (`announcedInterfacesToExclude`). */
  readonly exclude: readonly string[];
  readonly timing: GratuitousTiming;
  readonly duplicates: DuplicatePolicy;
  /** Ask for real-time priority. */
  readonly realTime: boolean;
  /** Where the mesh tells its MeshNews; undefined: nobody does. */
  readonly mesh: MessagePort | undefined;
}

export type ToWorker =
  | { readonly kind: 'plan'; readonly set: readonly L2Entry[]; readonly remove: readonly string[] }
  /** MAC addresses of the cluster's own cards. */
  | { readonly kind: 'cards'; readonly macs: readonly string[] }
  /** Announce again: these addresses, or all when undefined. */
  | { readonly kind: 'announce'; readonly ips: readonly string[] | undefined }
  | { readonly kind: 'close' };

export type FromWorker =
  | { readonly kind: 'ready'; readonly realTime: string | undefined }
  | { readonly kind: 'interfaces'; readonly interfaces: readonly L2Interface[] }
  /** Sent every second, with what changed; also the sign of life. */
  | {
      readonly kind: 'stats';
      readonly addresses: readonly (readonly [string, L2Counts])[];
      readonly drops: readonly (readonly [string, number])[];
    }
  /** Another machine uses a held address. */
  | { readonly kind: 'conflict'; readonly conflict: L2Conflict }
  | { readonly kind: 'log'; readonly record: LogRecord };

/** A line for the main thread's logger. */
export interface LogRecord {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, string | number>>;
}
