/** A mesh without a network: tests say who is alive. */
import { Reports, reportOf } from '#core/members/reports.ts';
import type { MembersPeer, MembersPhase, MembersPort } from '#speaker/ports.ts';

export class FakeMembers implements MembersPort {
  alive: ReadonlySet<string>;
  phase: MembersPhase = 'member';
  reason = 'fake';
  gone: ReadonlySet<string> = new Set();
  peers: readonly MembersPeer[] = [];
  readonly links = new Map<string, ReadonlySet<string>>();
  left = false;
  /** Milliseconds; stands still unless a test moves it. */
  now = 0;
  readonly #me: string;
  readonly #onChange: ((alive: ReadonlySet<string>) => void)[] = [];
  readonly #onReports: (() => void)[] = [];
  readonly #onFailure: ((error: Error) => void)[] = [];
  readonly #reports = new Reports();
  readonly #said = new Map<string, { cards: readonly string[]; held: readonly string[] }>();

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

  /** These nodes died together with their speakers. */
  setGone(...names: readonly string[]): void {
    this.gone = new Set(names);
    this.setAlive(...[...this.alive].filter((name) => !this.gone.has(name)));
  }

  /** A node reports its cards and what it answers for. */
  report(
    node: string,
    more: { readonly cards?: readonly string[]; readonly held?: readonly string[] },
  ): void {
    const said = { cards: [], held: [], ...this.#said.get(node), ...more };
    this.#said.set(node, said);
    this.#reports.set(node, reportOf(said.cards, said.held), this.now);
    for (const listener of this.#onReports) listener();
  }

  setCards(macs: readonly string[]): void {
    this.report(this.#me, { cards: macs });
  }

  setHeld(ips: readonly string[]): void {
    this.report(this.#me, { held: ips });
  }

  heldBy(ip: string): readonly string[] {
    return this.#reports.heldBy(ip);
  }

  wasHeld(ip: string): boolean {
    return this.#reports.wasHeld(ip, this.now);
  }

  get clusterCards(): readonly string[] {
    return this.#reports.cards();
  }

  onReports(listener: () => void): void {
    this.#onReports.push(listener);
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
