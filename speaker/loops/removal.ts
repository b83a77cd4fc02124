/**
 * Tells the end of an installation from the replacement of a pod, when this speaker is told to end. Routers with graceful
 * restart go on with our routes for a while after our sessions ended: right when the next pod follows, wrong when none does.
 */
import type { Store } from '#runtime/kube/types.ts';
import type { Clock } from '#runtime/queue/types.ts';

/** The DaemonSet whose pod we are. */
export interface DaemonSetView {
  /** It is being deleted, its pods first. */
  readonly isLeaving: boolean;
}

export interface RemovalOptions {
  /** Our own DaemonSet alone; undefined: nobody told us its name. */
  readonly daemonSet: Store<DaemonSetView> | undefined;
  readonly clock: Clock;
}

export class Removal {
  readonly #options: RemovalOptions;
  /** A DaemonSet that we never saw tells nothing: perhaps we may not see it. */
  #wasThere = false;

  constructor(options: RemovalOptions) {
    this.#options = options;
    options.daemonSet?.onChange(({ now }) => {
      if (now !== undefined) this.#wasThere = true;
    });
  }

  /** No pod will follow this one: our DaemonSet was there, and is gone or on its way out. */
  get isFinal(): boolean {
    const { daemonSet } = this.#options;
    if (daemonSet === undefined || !this.#wasThere) return false;
    return [...daemonSet.values()].every(({ isLeaving }) => isLeaving);
  }

  /** `isFinal`, as soon as it is true, or after that many milliseconds: pods may be told to end before their DaemonSet goes. */
  async known(withinMs: number): Promise<boolean> {
    const { daemonSet, clock } = this.#options;
    if (this.isFinal || daemonSet === undefined || !this.#wasThere || withinMs === 0) return this.isFinal;
    await new Promise<void>((resolve) => {
      const cancel = clock.schedule(withinMs, () => finish());
      const unsubscribe = daemonSet.onChange(() => {
        if (this.isFinal) finish();
      });
      const finish = (): void => {
        cancel();
        unsubscribe();
        resolve();
      };
    });
    return this.isFinal;
  }
}
