import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeRoutes, type BgpVerdict } from '#core/bgp/advertise.ts';
import { RouteTable } from '#core/bgp/route-table.ts';
import { granted, type Route } from '#core/bgp/route.ts';
import { cidrOf } from '#core/model/ip.ts';
import { address, community } from '#tests/support/bgp-factories.ts';

const grants = fc
  .record({
    peers: fc.subarray(['p1', 'p2', 'p3']),
    localPref: fc.constantFrom(0, 100, 200),
    med: fc.constantFrom(0, 5),
    asPathPrepend: fc.constantFrom(0, 2),
    communities: fc.subarray(['1:1', '1:2', 'large:1:2:3']).map((texts) => texts.map(community)),
  })
  .map(({ peers, communities, ...preference }) => ({ peers, ...granted(preference), communities }));

const announcement = fc
  .record({
    host: fc.integer({ min: 0, max: 7 }),
    family: fc.constantFrom('198.51.100.', '2001:db8::'),
    aggregate: fc.boolean(),
    grant: grants,
  })
  .map(({ host, family, aggregate, grant }) => {
    const ip = address(`${family}${host}`);
    const bits = ip.family === 'ipv4' ? 32 : 128;
    return { advertisement: 'x', prefix: cidrOf(ip, aggregate ? bits - 2 : bits), grant };
  });

const verdict: fc.Arbitrary<BgpVerdict> = fc.oneof(
  fc
    .array(announcement, { maxLength: 4 })
    .map((announcements): BgpVerdict => ({
      kind: 'announce',
      addresses: [],
      unserved: [],
      announcements,
      peers: [],
    })),
  fc.constant<BgpVerdict>({ kind: 'withhold', reason: 'noEndpoints', message: '' }),
);

/** A Service gets a verdict, or is gone; the routes are read afterwards or not. */
const step = fc.record({
  service: fc.constantFrom('a', 'b', 'c', 'd'),
  verdict: fc.option(verdict, { nil: undefined }),
  reads: fc.boolean(),
});

describe('the table of routes', () => {
  it('after any history it has what all verdicts merged at once give, in the same order (§1.8)', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const table = new RouteTable();
        const verdicts = new Map<string, BgpVerdict>();
        for (const { service, verdict: now, reads } of steps) {
          table.set(service, now);
          if (now === undefined) verdicts.delete(service);
          else verdicts.set(service, now);
          if (reads) expect(table.routes).toEqual(mergeRoutes(verdicts.values()));
        }
        expect(table.routes).toEqual(mergeRoutes(verdicts.values()));
      }),
      { numRuns: 500 },
    );
  });

  it('a change leaves the routes of others the objects they were', () => {
    const table = new RouteTable();
    const one = (ip: string): BgpVerdict => ({
      kind: 'announce',
      addresses: [],
      unserved: [],
      announcements: [
        {
          advertisement: 'x',
          prefix: cidrOf(address(ip), 32),
          grant: { peers: ['p'], localPref: 0, communities: [] },
        },
      ],
      peers: ['p'],
    });
    for (const n of [1, 2, 4]) table.set(`s${n}`, one(`192.0.2.${n}`));
    const before = table.routes;
    table.set('s3', one('192.0.2.3'));
    const after = table.routes;
    expect(after).toHaveLength(4);
    const same = (route: Route | undefined): boolean => route !== undefined && before.includes(route);
    expect(after.map(same)).toEqual([true, true, false, true]);
    table.set('s5', undefined);
    expect(table.routes).toBe(after);
  });
});
