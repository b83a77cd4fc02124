/** All peers that one member knows, and whom they suspect. */
import type { Heartbeat } from '#core/members/heartbeat.ts';
import { Peer } from '#core/members/peer.ts';
import { Suspicions } from '#core/members/quorum.ts';

export class PeerTable {
  readonly #byName = new Map<string, Peer>();
  readonly #namesById = new Map<number, string>();
  readonly #suspicions = new Suspicions();

  get size(): number {
    return this.#byName.size;
  }

  get(name: string): Peer | undefined {
    return this.#byName.get(name);
  }

  /** The peer of that name, known from now on. */
  meet(name: string): Peer {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const peer = new Peer(name);
    this.#byName.set(name, peer);
    this.#namesById.set(peer.id, name);
    return peer;
  }

  forget(peer: Peer): void {
    this.#byName.delete(peer.name);
    this.#namesById.delete(peer.id);
    this.#suspicions.replace(peer.suspects, []);
  }

  /** `Peer.accept`, with the books kept of who is suspected. */
  accept(peer: Peer, beat: Heartbeat, now: number, interval: number): ReturnType<Peer['accept']> {
    const before = peer.suspects;
    const result = peer.accept(beat, now, interval);
    if (peer.suspects !== before) this.#suspicions.replace(before, peer.suspects);
    return result;
  }

  /** How many peers, whether they count or not, do not hear the one with this identifier. */
  suspectedBy(id: number): number {
    return this.#suspicions.of(id);
  }

  nameOf(id: number): string | undefined {
    return this.#namesById.get(id);
  }

  [Symbol.iterator](): MapIterator<Peer> {
    return this.#byName.values();
  }
}
