import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Drain, successors, type DrainCause, type DrainSituation } from '#core/announce/drain.ts';
import { mergeRoutes, type BgpVerdict } from '#core/bgp/advertise.ts';
import type { Grant } from '#core/bgp/route.ts';
import { cidrOf } from '#core/model/ip.ts';
import type { EndpointSliceView } from '#core/model/views.ts';
import { address, endpoint, service, slice } from '#tests/support/bgp-factories.ts';

const grant: Grant = { peers: ['tor'], localPref: 0, communities: [] };

type Announcing = Extract<BgpVerdict, { kind: 'announce' }>;

function announcing(text: string, length = 32): Announcing {
  const ip = address(text);
  const announcements = [{ advertisement: 'ad', prefix: cidrOf(ip, length), grant }];
  return { kind: 'announce', addresses: [ip], unserved: [], announcements, peers: ['tor'] };
}

const web = announcing('192.0.2.1');
const situation = (
  others: readonly string[],
  now: number,
  cause: DrainCause | 'none' = 'label',
): DrainSituation => ({
  node: 'n1',
  cause: cause === 'none' ? undefined : cause,
  waitMs: 5_000,
  others: () => others,
  now,
});

/** What is announced: nothing, as ever, or marked. */
function shown(verdict: BgpVerdict): 'nothing' | 'marked' | 'as ever' {
  if (verdict.kind === 'withhold') return 'nothing';
  return verdict.announcements.every((each) => each.grant.shutdown === true) ? 'marked' : 'as ever';
}

describe('emptying a node (issue 6, item 8)', () => {
  it('a route is marked first, and withdrawn when the wait is over', () => {
    const drain = new Drain();
    expect(shown(drain.apply('a', web, situation(['n2'], 100, 'none')))).toBe('as ever');
    expect(shown(drain.apply('a', web, situation(['n2'], 1_000)))).toBe('marked');
    expect(drain.nextIn(5_000, 1_000)).toBe(5_000);
    expect(shown(drain.apply('a', web, situation(['n2'], 5_999)))).toBe('marked');
    expect(drain.nextIn(5_000, 5_999)).toBe(1);
    expect(shown(drain.apply('a', web, situation(['n2'], 6_000)))).toBe('nothing');
    expect(drain.nextIn(5_000, 6_000)).toBeUndefined();
    expect(shown(drain.apply('a', web, situation(['n2'], 7_000, 'none')))).toBe('as ever');
  });

  it('says why, and who announces it instead', () => {
    const drain = new Drain();
    expect(drain.apply('a', web, situation(['n2', 'n3'], 0))).toMatchObject({
      drain: {
        kind: 'leaving',
        message: 'node n1 gives it up, since it is being emptied; it is announced by n2, n3',
      },
    });
    expect(drain.apply('a', web, situation(['n2'], 9_000, 'stopping'))).toMatchObject({
      kind: 'withhold',
      reason: 'nodeDraining',
      message: 'node n1 gives it up, since its speaker ends; it is announced by n2',
    });
    expect(drain.apply('a', web, situation([], 9_001))).toMatchObject({
      drain: {
        kind: 'kept',
        message: expect.stringContaining('no other node announces all addresses of the Service'),
      },
    });
  });

  it('the last path is never taken away, neither marked; when another one comes its wait begins', () => {
    const drain = new Drain();
    expect(shown(drain.apply('a', web, situation([], 0)))).toBe('as ever');
    expect(shown(drain.apply('a', web, situation([], 60_000)))).toBe('as ever');
    expect(shown(drain.apply('a', web, situation(['n2'], 61_000)))).toBe('marked');
    expect(shown(drain.apply('a', web, situation(['n2'], 65_999)))).toBe('marked');
    expect(shown(drain.apply('a', web, situation(['n2'], 66_000)))).toBe('nothing');
    // The other one goes too: this one comes back at once.
    expect(shown(drain.apply('a', web, situation([], 70_000)))).toBe('as ever');
    expect(drain.counts).toEqual({ leaving: 0, withdrawn: 0, kept: 1 });
  });

  it('with policy Local a node counts for the families that it has endpoints of, and each address has to have a path', () => {
    const both = { ...web, addresses: [address('192.0.2.1'), address('2001:db8::1')] };
    const on = (family: 'ipv4' | 'ipv6', ...nodes: string[]) =>
      slice(...nodes.map((nodeName) => endpoint({ nodeName }))).map((each) => ({ ...each, family }));
    const local = service(['192.0.2.1', '2001:db8::1'], { externalTrafficPolicy: 'Local' });
    const take = (slices: readonly EndpointSliceView[], verdict: Announcing = both, of = local) =>
      successors(['n2', 'n3', 'n4'], verdict, { service: of, slices });
    expect(take([...on('ipv4', 'n1', 'n2'), ...on('ipv6', 'n1', 'n2')])).toEqual(['n2']);
    expect(take([...on('ipv4', 'n1', 'n2'), ...on('ipv6', 'n1', 'n3')])).toEqual(['n2', 'n3']);
    expect(take([...on('ipv4', 'n1', 'n2', 'n3'), ...on('ipv6', 'n1')])).toEqual([]);
    expect(take([...on('ipv4', 'n1', 'n2', 'n3'), ...on('ipv6', 'n1')], web)).toEqual(['n2', 'n3']);
    expect(take(on('ipv4', 'n1'), both, service(['192.0.2.1', '2001:db8::1']))).toEqual(['n2', 'n3', 'n4']);
  });

  it('a Service that comes while the node is emptied has a wait of its own; one that is gone is forgotten', () => {
    const drain = new Drain();
    drain.apply('a', web, situation(['n2'], 0));
    drain.apply('b', web, situation(['n2'], 3_000));
    expect(drain.nextIn(5_000, 4_000)).toBe(1_000);
    drain.forget('a');
    expect(drain.nextIn(5_000, 4_000)).toBe(4_000);
    expect(drain.counts.leaving).toBe(1);
  });

  it('is off unless it is asked for; what is not announced is left alone', () => {
    const drain = new Drain();
    expect(drain.apply('a', web, { ...situation(['n2'], 0), waitMs: 0 })).toBe(web);
    const withheld: BgpVerdict = { kind: 'withhold', reason: 'noEndpoints', message: '' };
    expect(drain.apply('a', withheld, situation(['n2'], 0))).toBe(withheld);
    expect(drain.counts).toEqual({ leaving: 0, withdrawn: 0, kept: 0 });
  });

  it('a prefix that covers several Services is marked when all of them go, and stays while one of them does', () => {
    const drain = new Drain();
    const [first, second] = [announcing('192.0.2.1', 24), announcing('192.0.2.2', 24)];
    const routes = (others: readonly string[], now: number) =>
      mergeRoutes([
        drain.apply('a', first, situation(['n2'], now)),
        drain.apply('b', second, situation(others, now)),
      ]);
    expect(routes(['n2'], 0)).toMatchObject([{ grants: [{ shutdown: true }] }]);
    expect(routes([], 10)[0]?.grants[0]).not.toHaveProperty('shutdown');
    expect(routes([], 9_000)).toHaveLength(1);
    expect(routes(['n2'], 20_000)).toMatchObject([{ grants: [{ shutdown: true }] }]);
    expect(routes(['n2'], 25_000)).toEqual([]);
  });

  it('whatever happens: never without a path that nobody else has, never withdrawn without having been marked so long', () => {
    const step = fc.record({
      others: fc.constantFrom<readonly string[]>([], ['n2'], ['n2', 'n3']),
      after: fc.nat(4_000),
      cause: fc.constantFrom<DrainCause | 'none'>('label', 'stopping', 'none'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const drain = new Drain();
        let [now, marked] = [0, -Infinity];
        for (const { others, after, cause } of steps) {
          now += after;
          const is = shown(drain.apply('a', web, situation(others, now, cause)));
          if (others.length === 0 || cause === 'none') expect(is).toBe('as ever');
          if (is === 'nothing') expect(now - marked).toBeGreaterThanOrEqual(5_000);
          if (is !== 'marked' && is !== 'nothing') marked = -Infinity;
          else if (marked === -Infinity) marked = now;
        }
      }),
    );
  });
});
