/** Follows what the mesh tells the responder directly: addresses fall silent and are answered for again. */
import { Yielding, type YieldChange } from '#core/l2/yielding.ts';
import { nameId } from '#core/members/heartbeat.ts';
import type { LogRecord } from '#speaker/l2/messages.ts';
import type { MeshNews } from '#speaker/members/messages.ts';

export interface GivingWayEvents {
  silence(key: string): void;
  resume(key: string): void;
  log(record: LogRecord): void;
}

export class GivingWay {
  readonly #yielding = new Yielding();
  readonly #events: GivingWayEvents;
  #timer: NodeJS.Timeout | undefined;

  constructor(events: GivingWayEvents) {
    this.#events = events;
  }

  set(key: string, ip: string, yieldTo: readonly string[] | undefined): void {
    this.#yielding.set(key, nameId(ip), yieldTo, performance.now());
    this.#wait();
  }

  drop(key: string): void {
    this.#yielding.drop(key);
  }

  isSilent(key: string): boolean {
    return this.#yielding.isSilent(key);
  }

  take(news: MeshNews): void {
    const now = performance.now();
    if (news.kind === 'report') {
      this.#apply(this.#yielding.setHolds(news.node, news.report?.holds, now));
      return;
    }
    const { alive, links, phase } = news.view;
    // One that leaves answers until it ends, so that nobody asks in vain before others have taken over.
    if (phase === 'left') return;
    const known = new Map(links);
    const able = alive.filter((node) => known.get(node)?.length !== 0);
    this.#apply(this.#yielding.setAble(alive.length === 0 ? undefined : new Set(able), now));
  }

  #apply({ silenced, resumed }: YieldChange): void {
    for (const { key } of silenced) this.#events.silence(key);
    for (const { key } of resumed) this.#events.resume(key);
    this.#tell({ silenced, resumed });
    this.#wait();
  }

  /** One line for each cause: thousands of addresses may move at once. */
  #tell({ silenced, resumed }: YieldChange): void {
    const byNode = new Map<string | undefined, number>();
    for (const { to } of silenced) byNode.set(to, (byNode.get(to) ?? 0) + 1);
    for (const [to, addresses] of byNode) {
      const message =
        to === undefined
          ? 'this speaker takes no part, nothing is answered for until it does'
          : 'a speaker that comes first holds addresses too, they are left to it';
      this.#events.log({
        level: 'info',
        message,
        fields: { addresses, ...(to === undefined ? {} : { node: to }) },
      });
    }
    const tired = resumed.filter((each) => each.tired).length;
    if (tired === 0) return;
    const message =
      'another speaker holds addresses that this one is still to announce: both answer for them';
    this.#events.log({ level: 'warn', message, fields: { addresses: tired } });
  }

  #wait(): void {
    clearTimeout(this.#timer);
    const next = this.#yielding.next();
    if (next === undefined) return;
    const wait = Math.max(0, next - performance.now());
    this.#timer = setTimeout(() => this.#apply(this.#yielding.expire(performance.now())), wait);
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
