/** The BGP sessions of other nodes, by the BGPSessionState objects that their speakers write; read only while it matters. */
import { metallbResources } from '#core/api/resources.ts';
import type { BGPSessionState } from '#core/api/bgp-session-state.ts';
import type { KubeClient, KubeObject } from '#runtime/kube/types.ts';
import { unless } from '#runtime/kube/unless.ts';
import type { Logger } from '#runtime/log/logger.ts';
import type { Clock } from '#runtime/queue/types.ts';
import type { OtherSessions } from '#speaker/loops/draining.ts';

const LOOK_EVERY_MS = 2_000;

export interface SessionLooksOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What is known changed. */
  readonly onChange: () => void;
}

/** By node: the BGPPeers with which it has an established session. */
type Known = ReadonlyMap<string, ReadonlySet<string>>;

export class SessionLooks implements OtherSessions {
  readonly #options: SessionLooksOptions;
  /** `none`: nobody tells of sessions here. */
  #known: Known | 'none' | undefined;
  #text = '';
  #abort: AbortController | undefined;

  constructor(options: SessionLooksOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#abort !== undefined) return;
    this.#abort = new AbortController();
    void this.#look(this.#abort.signal);
  }

  stop(): void {
    this.#abort?.abort();
    this.#abort = undefined;
    this.#known = undefined;
    this.#text = '';
  }

  get isKnown(): boolean {
    return this.#known !== undefined;
  }

  hasSession(node: string, peers: readonly string[]): boolean {
    if (this.#known === undefined) return false;
    if (this.#known === 'none') return true;
    const established = this.#known.get(node);
    return peers.some((peer) => established?.has(peer) === true);
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { client, namespace, clock, logger, onChange } = this.#options;
    try {
      const type = metallbResources.BGPSessionState;
      const found = await unless(404, client.list(type, { namespace, signal }));
      if (signal.aborted) return;
      const known = found === undefined ? 'none' : established(found);
      const text =
        known === 'none' ? known : JSON.stringify([...known].map(([node, peers]) => [node, ...peers]));
      this.#known = known;
      if (text !== this.#text) onChange();
      this.#text = text;
    } catch (error) {
      if (signal.aborted) return;
      logger.warn('the BGP sessions of other nodes are not known; what this node announces stays', { error });
    }
    clock.schedule(LOOK_EVERY_MS, () => {
      if (!signal.aborted) void this.#look(signal);
    });
  }
}

function established(objects: readonly KubeObject[]): Known {
  const known = new Map<string, Set<string>>();
  for (const object of objects) {
    const { node = '', peer = '', bgpStatus } = (object as Partial<BGPSessionState>).status ?? {};
    if (bgpStatus !== 'Established') continue;
    known.set(node, (known.get(node) ?? new Set()).add(peer));
  }
  return new Map(
    [...known]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([node, peers]) => [node, new Set([...peers].sort())]),
  );
}
