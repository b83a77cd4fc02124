/**
 * The routes of a node, kept Service by Service, so that a change costs what it changes and not what there is:
 * one route per prefix, however many Services and advertisements lead to it (speaker-bgp.md §1.8).
 */
import { comparePrefixes, mergeGrants, type BgpVerdict } from '#core/bgp/advertise.ts';
import type { Grant, Route } from '#core/bgp/route.ts';
import { formatCidr, type Cidr } from '#core/model/ip.ts';

interface Entry {
  readonly prefix: Cidr;
  /** Service → the grants it gives the prefix. */
  readonly claims: Map<string, readonly Grant[]>;
  /** Undefined: to be worked out. */
  route: Route | undefined;
}

export class RouteTable {
  /** By the prefix as text. */
  readonly #entries = new Map<string, Entry>();
  /** Service → the prefixes it claims. */
  readonly #claimed = new Map<string, readonly string[]>();
  #sorted: readonly Entry[] = [];
  #added: Entry[] = [];
  #routes: readonly Route[] | undefined = [];

  /** Replaces what a Service contributes; undefined: it is gone. */
  set(service: string, verdict: BgpVerdict | undefined): void {
    const claims = claimsOf(verdict);
    const before = this.#claimed.get(service) ?? [];
    if (claims.size === 0 && before.length === 0) return;
    this.#routes = undefined;
    for (const text of before) if (!claims.has(text)) this.#drop(text, service);
    for (const [text, { prefix, grants }] of claims) this.#claim(text, prefix).claims.set(service, grants);
    if (claims.size === 0) this.#claimed.delete(service);
    else this.#claimed.set(service, [...claims.keys()]);
  }

  #claim(text: string, prefix: Cidr): Entry {
    const known = this.#entries.get(text);
    if (known !== undefined) {
      known.route = undefined;
      return known;
    }
    const entry: Entry = { prefix, claims: new Map(), route: undefined };
    this.#entries.set(text, entry);
    this.#added.push(entry);
    return entry;
  }

  #drop(text: string, service: string): void {
    const entry = this.#entries.get(text);
    if (entry === undefined) return;
    entry.claims.delete(service);
    entry.route = undefined;
    if (entry.claims.size === 0) this.#entries.delete(text);
  }

  /** Sorted by `comparePrefixes`. Routes that did not change are the same objects as before. */
  get routes(): readonly Route[] {
    if (this.#routes !== undefined) return this.#routes;
    const left = this.#sorted.filter(({ claims }) => claims.size > 0);
    const added = this.#added.filter(({ claims }) => claims.size > 0);
    // One long sorted run and a short one: the engine's sort hardly compares.
    this.#sorted =
      added.length === 0 ? left : [...left, ...added].sort((a, b) => comparePrefixes(a.prefix, b.prefix));
    this.#added = [];
    this.#routes = this.#sorted.map((entry) => (entry.route ??= routeOf(entry)));
    return this.#routes;
  }
}

/** Prefixes of a verdict with their grants; a prefix that no peer gets is left out. */
function claimsOf(verdict: BgpVerdict | undefined): Map<string, { prefix: Cidr; grants: Grant[] }> {
  const claims = new Map<string, { prefix: Cidr; grants: Grant[] }>();
  if (verdict?.kind !== 'announce') return claims;
  for (const { prefix, grant } of verdict.announcements) {
    if (grant.peers.length === 0) continue;
    const text = formatCidr(prefix);
    const known = claims.get(text);
    if (known === undefined) claims.set(text, { prefix, grants: [grant] });
    else known.grants.push(grant);
  }
  return claims;
}

function routeOf({ prefix, claims }: Entry): Route {
  return { prefix, grants: mergeGrants([...new Set([...claims.values()].flat())]) };
}
