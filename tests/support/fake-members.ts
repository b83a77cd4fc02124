/** A mesh without a network: tests say who is alive. */
import type { MembersPeer, MembersPhase, MembersPort } from '#speaker/ports.ts';

export class FakeMembers implements MembersPort {
  alive: ReadonlySet<string>;
  phase: MembersPhase = 'member';
  reason = 'fake';
  peers: readonly MembersPeer[] = [];
  readonly links = new Map<string, ReadonlySet<string>>();
  left = false;
  readonly #me: string;
  readonly #onChange: ((alive: ReadonlySet<string>) => void)[] = [];
  readonly #onFailure: ((error: Error) => void)[] = [];

  constructor(me: string, alive: readonly string[] = [me]) {
    this.#me = me;
    this.alive = new Set(alive);
  }

  /** These speakers are alive from now on. */
  setAlive(...names: readonly string[]): void {
    this.alive = new Set(names);
    for (const listener of this.#onChange) listener(this.alive);
  }

  /** This speaker is cut off from the majority. */
  isolate(): void {
    this.phase = 'isolated';
    this.setAlive();
  }

  /** The mesh dies. */
  fail(error: Error): void {
    for (const listener of this.#onFailure) listener(error);
  }

  onChange(listener: (alive: ReadonlySet<string>) => void): void {
    this.#onChange.push(listener);
  }

  onFailure(listener: (error: Error) => void): void {
    this.#onFailure.push(listener);
  }

  setPeers(peers: readonly MembersPeer[]): void {
    this.peers = peers;
  }

  setUsableInterfaces(names: readonly string[]): void {
    this.links.set(this.#me, new Set(names));
  }

  usableInterfaces(node: string): ReadonlySet<string> | undefined {
    return this.links.get(node);
  }

  leave(): Promise<void> {
    this.left = true;
    this.phase = 'left';
    this.setAlive();
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
