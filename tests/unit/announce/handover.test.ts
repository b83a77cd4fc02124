import { describe, expect, it } from 'vitest';
import { firstClaims } from '#core/announce/first-claim.ts';
import { Handover, LINGER_MS, takersOf, type HandoverInput } from '#core/announce/handover.ts';
import type { ServiceVerdict } from '#core/announce/verdict.ts';
import { decideL2, type L2Context } from '#core/election/decide-l2.ts';
import { context, node, request, slice } from '#tests/support/l2-objects.ts';

const IP = '10.20.30.1';
const entry = { ip: IP, interfaces: undefined, probe: false, ping: false, yieldTo: [] as readonly string[] };
/** The same while iris2 takes it over. */
const leaving = { ...entry, yieldTo: ['iris2'] };
const two = [node('iris1'), node('iris2')];

function verdict(fields: Partial<L2Context> = {}, asked = request()): ServiceVerdict {
  const bgp = { kind: 'withhold', reason: 'notOwner', message: '' } as const;
  const decision = decideL2(context(two, fields), asked);
  return { key: 'default/web', uid: 'u', addresses: [IP], bgp, l2: { kind: 'decided', decision } };
}

describe('make before break', () => {
  const input = (fields: Partial<HandoverInput> = {}): HandoverInput => ({
    now: 0,
    wanted: [],
    taker: () => 'iris2',
    holds: () => false,
    ...fields,
  });

  function holding(): Handover {
    const handover = new Handover();
    expect(handover.plan(input({ wanted: [entry] }))).toEqual({ entries: [entry], again: undefined });
    return handover;
  }

  it('answers on until the other node holds the address', () => {
    const handover = holding();
    expect(handover.plan(input({ now: 10 }))).toEqual({ entries: [leaving], again: 10 + LINGER_MS });
    expect(handover.isPending).toBe(true);
    expect(
      handover.plan(input({ now: 20, holds: (name, ip) => name === 'iris2' && ip === IP })).entries,
    ).toEqual([]);
    expect(handover.isPending).toBe(false);
  });

  it('is let go to whoever was to take it meanwhile, and to all that come first', () => {
    const handover = new Handover();
    handover.plan(input({ wanted: [{ ...entry, yieldTo: ['iris0'] }] }));
    handover.plan(input({ now: 10 }));
    const { entries } = handover.plan(input({ now: 20, taker: () => 'iris3' }));
    expect(entries).toEqual([{ ...entry, yieldTo: ['iris0', 'iris2', 'iris3'] }]);
  });

  it('but not for ever', () => {
    const handover = holding();
    handover.plan(input({ now: 10 }));
    expect(handover.plan(input({ now: 10 + LINGER_MS - 1 })).entries).toEqual([leaving]);
    expect(handover.plan(input({ now: 10 + LINGER_MS }))).toEqual({ entries: [], again: undefined });
  });

  it('not when nobody takes it, or it is wanted again', () => {
    expect(holding().plan(input({ taker: () => undefined })).entries).toEqual([]);
    const handover = holding();
    handover.plan(input());
    expect(handover.plan(input({ now: 1, wanted: [entry] })).entries).toEqual([entry]);
    expect(handover.isPending).toBe(false);
  });

  it('knows who takes it: only another node, and only while this one could announce it itself', () => {
    expect(takersOf([verdict()], 'iris1')).toEqual(new Map([[IP, 'iris2']]));
    expect(takersOf([verdict({ me: 'iris2' })], 'iris2')).toEqual(new Map());
    expect(takersOf([verdict({ alive: new Set() })], 'iris1')).toEqual(new Map());
    expect(takersOf([verdict({ alive: new Set(['iris2']) })], 'iris1')).toEqual(new Map());
    expect(takersOf([verdict({}, request({ slices: [slice()] }))], 'iris1')).toEqual(new Map());
  });
});

describe('first claims', () => {
  const now = verdict({ me: 'iris2' });
  const nobody = () => false;

  it('are those that no speaker reported and no earlier verdict had a node for', () => {
    expect(firstClaims(undefined, now, nobody)).toEqual([IP]);
    expect(firstClaims(undefined, now, () => true)).toEqual([]);
    expect(firstClaims(verdict({ me: 'iris2', alive: new Set(['iris1']) }), now, nobody)).toEqual([]);
    expect(firstClaims(verdict({ alive: new Set() }), now, nobody)).toEqual([IP]);
    expect(firstClaims({ ...now, addresses: ['10.20.30.2'] }, now, nobody)).toEqual([IP]);
  });
});
