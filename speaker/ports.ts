/** The speaker's edges. Each port has a fake in tests/support and one contract suite run against both. */
import type { FrrModel } from '#core/frr/model.ts';

/** State of the FRR beside us, as last seen. A failure is state, not an exception (architecture §10). */
export interface FrrState {
  /** Counts calls of `setDesired` that changed the model. */
  readonly desired: number;
  /** Generation that FRR is proved to run; 0 before the first. */
  readonly applied: number;
  readonly lastError: string | undefined;
  /** Neighbours FRR refused, with its words. They are left out of what is applied. */
  readonly refused: readonly { readonly peer: string; readonly message: string }[];
  readonly lastDurationMs: number;
}

export interface FrrPort {
  /** Declares what FRR should do. Returns at once; applied on the leading edge, single flight, coalesced under churn. */
  setDesired(model: FrrModel): void;
  readonly state: FrrState;
  onState(listener: (state: FrrState) => void): void;
  /** Runs `show … json` through vtysh and returns the parsed answer. */
  show(command: string, signal?: AbortSignal): Promise<unknown>;
  close(): Promise<void>;
}

/** Where an address is answered for. `interfaces` undefined: all usable ones. */
export interface L2Entry {
  readonly ip: string;
  readonly interfaces: readonly string[] | undefined;
}

export interface L2Interface {
  readonly name: string;
  readonly mac: string;
  readonly up: boolean;
}

export interface L2Port {
  /** The complete set of addresses to answer for; the worker works out what is new (gratuitous burst) or gone. */
  setPlan(entries: readonly L2Entry[]): void;
  readonly interfaces: readonly L2Interface[];
  onInterfaces(listener: (interfaces: readonly L2Interface[]) => void): void;
  close(): Promise<void>;
}

export interface MembersPort {
  /** Names of the nodes whose speakers are alive, this one included. */
  readonly alive: ReadonlySet<string>;
  /** Called when `alive` changed. */
  onChange(listener: (alive: ReadonlySet<string>) => void): void;
  /** Tells the others that we go, so that they take over at once. */
  leave(): Promise<void>;
  close(): Promise<void>;
}
