/**
 * Which speakers are alive: the state of one member of a full mesh of heartbeats, stepped by events. No I/O and
 * no clock; `now` is milliseconds of any steady clock.
 *
 * A peer is dead when a majority of the witnesses (members that take part and are heard right now, ourselves
 * included) do not hear it; so everyone comes to the same result, whoever lost a packet. Members are counted
 * against a base: those that were alive before. A side that cannot see more than half of the base is cut off
 * and takes part no more; of two equal halves the one with the first name goes on. Each death shrinks the base,
 * so a cluster can lose one node after the other. With two members there is no third to ask: both go on, and a
 * cut between them leaves two owners, as in the original. What one node can hear without being heard settles
 * it: a member that the witnesses do not hear takes part no more.
 */
import { nameId, type Heartbeat, type Report } from '#core/members/heartbeat.ts';
import { PeerTable } from '#core/members/peer-table.ts';
import type { Peer } from '#core/members/peer.ts';
import { isMajority, Testimony } from '#core/members/quorum.ts';
import {
  beatInterval,
  PAIR_PATIENCE,
  REPORT_BEATS,
  SETTLE_BEATS,
  STALL_BEATS,
  START_PATIENCE,
  STRANGER_MEMORY,
  TICKS_PER_BEAT,
} from '#core/members/timing.ts';
import { Voice } from '#core/members/voice.ts';

export type MeshEvent =
  | { readonly kind: 'tick'; readonly now: number }
  /** An authentic heartbeat. */
  | { readonly kind: 'receive'; readonly now: number; readonly beat: Heartbeat }
  /** Names of all nodes that should run a speaker; ourselves may be among them. */
  | { readonly kind: 'peers'; readonly now: number; readonly names: readonly string[] }
  /** Interfaces on which this node can answer. */
  | { readonly kind: 'links'; readonly now: number; readonly names: readonly string[] }
  /** What we tell the others beside our being alive. */
  | { readonly kind: 'report'; readonly now: number; readonly report: Report }
  | { readonly kind: 'leave'; readonly now: number };

export interface Send {
  readonly to: string;
  readonly beat: Heartbeat;
}

/** `joining`: starting, or stood still; `member`: takes part; `isolated`: cut off from the majority; `left`: for good. */
export type Phase = 'joining' | 'member' | 'isolated' | 'left';

export class Mesh {
  readonly #me: string;
  readonly #id: number;
  readonly #token: string;
  readonly #voice: Voice;
  readonly #peers = new PeerTable();
  /** Witnesses when the members were last judged. */
  #lastWitnesses = 0;
  #listed: ReadonlySet<string> | undefined;
  #base = new Set<string>();
  #phase: Phase = 'joining';
  #phaseSince: number;
  #wasMember = false;
  #reason = 'starting';
  /** Since when a member that takes part is heard and does not object to us. */
  #welcomeSince: number | undefined;
  #interval = beatInterval(1);
  /** Members that died: silent, and not because they said goodbye. */
  readonly #dead = new Set<string>();
  #lastTick: number;
  #version = 0;
  #sends: Send[] = [];

  /** `token`: 16 random hex digits, new for each process. */
  constructor(me: string, token: string, now: number) {
    this.#me = me;
    this.#id = nameId(me);
    this.#token = token;
    this.#base.add(me);
    this.#phaseSince = now;
    this.#lastTick = now;
    this.#voice = new Voice(me, token, now);
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Why it is in this phase, in words. */
  get reason(): string {
    return this.#reason;
  }

  /** Grows whenever `alive` or `links` may have changed. */
  get version(): number {
    return this.#version;
  }

  /** Milliseconds between two ticks. */
  get tickEvery(): number {
    return this.#interval / TICKS_PER_BEAT;
  }

  /** Nodes whose speakers take part, this one included; empty while this one does not. */
  alive(): Set<string> {
    return this.#phase === 'member' ? new Set(this.#baseNames(({ ready }) => ready)) : new Set();
  }

  /** Interfaces on which a node says it can answer; undefined when it is not heard. */
  links(node: string): ReadonlySet<string> | undefined {
    if (node === this.#me) return new Set(this.#voice.links);
    const peer = this.#peers.get(node);
    return peer?.heardAt === undefined ? undefined : peer.links;
  }

  /** Members that fell silent and were not heard since; none while this one takes no part itself. */
  dead(): Set<string> {
    return new Set(this.#phase === 'member' ? this.#dead : []);
  }

  /** The last reports of all peers that are known, dead ones included. */
  *reports(): Generator<{ readonly node: string; readonly report: Report }> {
    for (const { name, report } of this.#peers) yield { node: name, report };
  }

  /** Takes one event in and returns what to send. */
  step(event: MeshEvent): readonly Send[] {
    this.#sends = [];
    switch (event.kind) {
      case 'tick':
        this.#tick(event.now);
        break;
      case 'receive':
        this.#receive(event.beat, event.now);
        break;
      case 'peers':
        this.#setPeers(event.names, event.now);
        break;
      case 'links':
        this.#voice.setLinks(event.names);
        this.#version += 1;
        break;
      case 'report':
        this.#voice.setReport(event.report);
        break;
      case 'leave':
        this.#enter('left', 'leaving', event.now);
        this.#beat(event.now);
    }
    return this.#sends;
  }

  #setPeers(names: readonly string[], now: number): void {
    // Patience with peers begins when they are known.
    if (this.#listed === undefined) this.#phaseSince = now;
    this.#listed = new Set([...names, this.#me]);
    for (const peer of this.#peers) peer.listed = this.#listed.has(peer.name);
    for (const name of names) if (name !== this.#me) this.#peers.meet(name).listed = true;
    for (const peer of this.#peers) if (!peer.listed && peer.heardAt === undefined) this.#forget(peer);
  }

  #forget(peer: Peer): void {
    this.#peers.forget(peer);
    this.#dead.delete(peer.name);
    this.#expel(peer.name);
  }

  #expel(name: string): void {
    if (this.#base.delete(name)) this.#version += 1;
  }

  #receive(beat: Heartbeat, now: number): void {
    if (beat.from === this.#me || this.#phase === 'left') return;
    const peer = this.#peers.meet(beat.from);
    if (beat.echo !== this.#token) {
      peer.greet(beat, peer.isFresh(now, this.#interval));
      this.#answerGreeting(peer, now);
      return;
    }
    const before = peer.suspects;
    const result = this.#peers.accept(peer, beat, now, this.#interval);
    if (result === 'ignored') return;
    if (this.#dead.delete(peer.name)) this.#version += 1;
    if (beat.leaving) this.#expel(peer.name);
    if (result === 'same') return;
    this.#version += 1;
    // Votes that decide take effect at once; everything else can wait for the next tick.
    if (this.#phase === 'member' && this.#mayDecide(peer, before)) this.#judge(now);
  }

  /**
   * Whether what the peer says newly may condemn a member: with us, so many do not hear it as would be most of the
   * witnesses of the last judgement. A majority that comes by silence is seen at the next tick.
   */
  #mayDecide(peer: Peer, before: ReadonlySet<number>): boolean {
    return [...peer.suspects].some(
      (id) =>
        !before.has(id) && 2 * (this.#peers.suspectedBy(id) + 1) > this.#lastWitnesses && this.#isMember(id),
    );
  }

  #isMember(id: number): boolean {
    return id === this.#id || this.#base.has(this.#peers.nameOf(id) ?? '');
  }

  /** The peer does not know our token yet: tell it at once, but not more than twice a beat. */
  #answerGreeting(peer: Peer, now: number): void {
    if (now - peer.greetedAt < this.#interval / 2) return;
    peer.greetedAt = now;
    this.#sends.push({ to: peer.name, beat: this.#message(peer) });
  }

  #tick(now: number): void {
    if (this.#phase === 'left') return;
    const gap = now - this.#lastTick;
    this.#lastTick = now;
    if (gap > STALL_BEATS * this.#interval) this.#stalled(gap, now);
    for (const peer of this.#peers) if (isForgotten(peer, now)) this.#forget(peer);
    this.#interval = beatInterval(this.#peers.size + 1);
    this.#judge(now);
    if (this.#voice.isDue(now, this.tickEvery)) this.#beat(now);
  }

  /** We stood still: nobody's silence counts, and ours may have been noticed. */
  #stalled(gap: number, now: number): void {
    for (const peer of this.#peers) if (peer.heardAt !== undefined) peer.heardAt += gap;
    if (this.#phase === 'member') this.#enter('joining', `stood still for ${Math.round(gap)} ms`, now);
  }

  #beat(now: number): void {
    this.#voice.beat(now, this.#interval);
    for (const peer of this.#peers) this.#sends.push({ to: peer.name, beat: this.#message(peer) });
  }

  #message(peer: Peer): Heartbeat {
    const [ready, leaving] = [this.#phase === 'member', this.#phase === 'left'];
    return this.#voice.message(peer, { interval: this.#interval, ready, leaving });
  }

  #enter(phase: Phase, reason: string, now: number): void {
    this.#reason = reason;
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.#phaseSince = now;
    this.#welcomeSince = undefined;
    this.#voice.hurry();
    this.#version += 1;
  }

  #judge(now: number): void {
    this.#voice.setSuspects(this.#phase === 'member' ? this.#notHeard(now) : []);
    if (this.#phase === 'member') this.#judgeMembers(now);
    else if (this.#phase !== 'left') this.#tryToJoin(now);
  }

  /**
   * Identifiers of the peers that are silent, or were until just now and are not taken back yet: those must learn
   * that they were missed. Only members testify.
   */
  #notHeard(now: number): number[] {
    const ids: number[] = [];
    for (const peer of this.#peers) {
      const known = this.#base.has(peer.name) || peer.isSettled(now, this.#interval);
      if (!known || peer.isSilent(now, this.#interval)) ids.push(peer.id);
    }
    return ids;
  }

  #judgeMembers(now: number): void {
    const heard = this.#baseNames((peer) => !peer.isSilent(now, this.#interval));
    if (!isMajority(heard, this.#base)) {
      this.#enter('isolated', `hears ${heard.length - 1} of ${this.#base.size - 1} other members`, now);
      return;
    }
    const testimony = this.#testimony(now);
    if (testimony.objectsTo(this.#id)) {
      this.#enter('isolated', 'most members do not hear this one', now);
      return;
    }
    for (const name of this.#base) {
      const peer = this.#peers.get(name);
      if (peer === undefined || !testimony.condemns(peer, peer.isSilent(now, this.#interval))) continue;
      this.#dead.add(name);
      this.#expel(name);
    }
    this.#admitSettled(testimony, now);
  }

  /** Peers that take part and are heard for a while, by us and by the witnesses, belong to the base. */
  #admitSettled(testimony: Testimony, now: number): void {
    for (const peer of this.#peers) {
      if (this.#base.has(peer.name) || !peer.ready || !peer.isFresh(now, this.#interval)) continue;
      if (!peer.isSettled(now, this.#interval) || testimony.condemns(peer, false)) continue;
      this.#base.add(peer.name);
      this.#version += 1;
    }
  }

  /** Names of the members of the base, ourselves included, for whom the condition holds. */
  #baseNames(holds: (peer: Peer) => boolean): string[] {
    return [...this.#base].filter((name) => {
      const peer = this.#peers.get(name);
      return name === this.#me || (peer !== undefined && holds(peer));
    });
  }

  /** What the members say that take part and are heard right now. */
  #testimony(now: number): Testimony {
    const witnesses: Peer[] = [];
    for (const name of this.#base) {
      const peer = this.#peers.get(name);
      if (peer?.ready === true && peer.isFresh(now, this.#interval)) witnesses.push(peer);
    }
    this.#lastWitnesses = witnesses.length;
    return new Testimony(witnesses, this.#me, this.#base);
  }

  #tryToJoin(now: number): void {
    if (this.#listed === undefined) return;
    const fresh = [...this.#peers].filter((peer) => peer.isFresh(now, this.#interval));
    const members = fresh.filter(({ ready }) => ready);
    if (new Testimony(members, this.#me, this.#base).objectsTo(this.#id)) {
      this.#welcomeSince = undefined;
      this.#reason = 'most members do not hear this one';
      return;
    }
    if (!this.#isWelcome(fresh, members.length > 0, now)) {
      this.#welcomeSince = undefined;
      return;
    }
    this.#welcomeSince ??= now;
    const alone = this.#expected().size === 1;
    const waited = now - this.#welcomeSince;
    if (!alone && waited < SETTLE_BEATS * this.#interval) return;
    // Who holds what must be known before anything is claimed.
    if (!members.every(({ isRead }) => isRead) && waited < REPORT_BEATS * this.#interval) return;
    const base = members.length > 0 ? members : fresh;
    this.#base = new Set([this.#me, ...base.map(({ name }) => name)]);
    this.#wasMember = true;
    this.#enter('member', `hears ${fresh.length} other speakers`, now);
  }

  /** There is a cluster to join, or enough of one to form it, or we have waited long enough. */
  #isWelcome(fresh: readonly Peer[], cluster: boolean, now: number): boolean {
    const expected = this.#expected();
    const names = [this.#me, ...fresh.map(({ name }) => name)].filter((name) => expected.has(name));
    if (cluster || 2 * names.length > expected.size) return true;
    if (this.#phase === 'isolated') return isMajority(names, expected);
    return now - this.#phaseSince > (expected.size <= 2 ? PAIR_PATIENCE : START_PATIENCE);
  }

  /** Against whom a majority is counted: those we knew alive, or, at the start, everybody listed. */
  #expected(): ReadonlySet<string> {
    return this.#wasMember ? this.#base : (this.#listed ?? this.#base);
  }
}

function isForgotten(peer: Peer, now: number): boolean {
  return !peer.listed && now - (peer.heardAt ?? Number.NEGATIVE_INFINITY) > STRANGER_MEMORY;
}
