/** controller.md §7.3, Q9: whom a release wakes. */
import { describe, expect, it } from 'vitest';
import { Waiting, type Wait } from '#core/ipam/waiting.ts';
import type { Opening } from '#core/ipam/allocations.ts';
import { parseAddress, type IpAddress } from '#core/model/ip.ts';
import { pool, service, World } from '#tests/support/ipam.ts';

const ip = (text: string): IpAddress => {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(text);
  return address;
};
const wait = (group: string, change: Partial<Wait> = {}): Wait => ({
  code: 'exhausted',
  group,
  pools: ['p'],
  addresses: [],
  sharingKey: '',
  ...change,
});
const opening = (change: Partial<Opening> = {}): Opening => ({
  pool: 'p',
  address: ip('192.0.2.1'),
  free: true,
  sharingKey: '',
  ...change,
});

describe('waiting', () => {
  it('a release wakes the oldest of each class that it can help, and nobody else', () => {
    const waiting = new Waiting();
    waiting.settle('n/young', '2026-02', wait('p'));
    waiting.settle('n/old', '2026-01', wait('p'));
    waiting.settle('n/elsewhere', '2026-01', wait('q', { pools: ['q'] }));
    waiting.settle('n/this', '2026-03', wait('1', { pools: [], addresses: [ip('192.0.2.1')] }));
    waiting.settle('n/that', '2026-03', wait('2', { pools: [], addresses: [ip('192.0.2.2')] }));
    waiting.settle('n/hopeless', '2026-01', wait('x', { group: undefined }));
    expect(waiting.wokenBy([opening()])).toEqual(['n/old', 'n/this']);
    expect(waiting.wokenBy([])).toEqual([]);
  });

  it('ports given up on a shared address wake only those with its key', () => {
    const waiting = new Waiting();
    waiting.settle('n/plain', '2026', wait('p'));
    waiting.settle('n/k', '2026', wait('k', { sharingKey: 'k' }));
    waiting.settle('n/l', '2026', wait('l', { sharingKey: 'l' }));
    expect(waiting.wokenBy([opening({ free: false, sharingKey: 'k' })])).toEqual(['n/k']);
  });

  it('one that waits no more hands the wake on to the next of its class', () => {
    const waiting = new Waiting();
    waiting.settle('n/a', '2026-01', wait('p'));
    waiting.settle('n/b', '2026-02', wait('p'));
    expect(waiting.settle('n/a', '2026-01', wait('p'))).toBeUndefined();
    expect(waiting.settle('n/a', '2026-01', undefined)).toBe('n/b');
    expect(waiting.settle('n/b', '2026-02', wait('q'))).toBeUndefined();
    expect(waiting.wokenBy([opening()])).toEqual(['n/b']);
    expect(waiting.size).toBe(1);
  });

  it('the oldest of all classes comes first, whichever class was there first', () => {
    const world = new World([pool('p', ['192.0.2.0/32'])]);
    world.apply(service('n/holder'));
    world.apply(service('n/young', { creationTimestamp: '2026-03-01T00:00:00Z' }));
    const other = { ipFamilyPolicy: 'PreferDualStack', creationTimestamp: '2026-02-01T00:00:00Z' } as const;
    world.apply(service('n/old', other));
    expect(world.ipam.forget('n/holder').wake).toEqual(['n/old', 'n/young']);
  });

  it('counts by reason', () => {
    const waiting = new Waiting();
    waiting.settle('n/a', '2026', wait('p'));
    waiting.settle('n/b', '2026', wait('p'));
    waiting.settle('n/c', '2026', wait('x', { code: 'unknownPool', group: undefined }));
    expect([...waiting.counts()]).toEqual([
      ['exhausted', 2],
      ['unknownPool', 1],
    ]);
  });

  it('a deletion among many waiters costs two looks: the one it helps and the next, in vain', () => {
    const world = new World([pool('p', ['192.0.2.0/32'])]);
    world.apply(service('n/holder'));
    for (let index = 10; index < 60; index += 1) world.apply(service(`n/w${index}`));
    const first = world.ipam.forget('n/holder');
    expect(first.wake).toEqual(['n/w10']);
    const second = world.ipam.decide(world.view('n/w10'));
    expect(second.decision.kind).toBe('assign');
    expect(second.wake).toEqual(['n/w11']);
    const third = world.ipam.decide(world.view('n/w11'));
    expect(third.decision.kind).toBe('wait');
    expect(third.wake).toEqual([]);
  });
});
