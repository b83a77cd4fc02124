import { describe, expect, it } from 'vitest';
import { L2_NODE } from '#core/api/annotations.ts';
import { DRAIN } from '#core/api/labels.ts';
import { decideL2, spreadItem, type L2Context, type L2Request } from '#core/election/decide-l2.ts';
import { planSpread } from '#core/election/spread.ts';
import type { FailoverMode } from '#core/model/config.ts';
import { advertisement, context, label, node, request, service } from '#tests/support/l2-objects.ts';

const two = [node('iris1'), node('iris2')];

function leader(base: L2Context, asked: L2Request = request()): string | undefined {
  const announcing = [...base.nodes.keys()].filter((me) => decideL2({ ...base, me }, asked).announce);
  expect(announcing.length).toBeLessThan(2);
  return announcing[0];
}

function mode(failover: FailoverMode, holders: readonly string[], fields: Partial<L2Context> = {}) {
  return context(two, { advertisements: [advertisement({ failover })], holders: () => holders, ...fields });
}

describe('failover modes', () => {
  it('Default: the hash winner takes the address back', () => {
    expect(leader(mode('Default', ['iris1']))).toBe('iris2');
  });

  it('Sticky: stays with a healthy holder, moves when it is not, and starts with the hash winner', () => {
    expect(leader(mode('Sticky', ['iris1']))).toBe('iris1');
    expect(leader(mode('Sticky', []))).toBe('iris2');
    expect(leader(mode('Sticky', ['iris1'], { alive: new Set(['iris2']) }))).toBe('iris2');
    expect(leader(mode('Sticky', ['long-gone']))).toBe('iris2');
    expect(decideL2(mode('Sticky', ['iris1']), request()).detail).toBe(
      'node iris1 of 2: node iris1 holds it and keeps it (failover Sticky)',
    );
  });

  it('Sticky: of two that hold it after a cut was mended, all choose the same one', () => {
    expect(leader(mode('Sticky', ['iris1', 'iris2']))).toBe('iris2');
  });

  it('Sticky: not on a node that cannot answer on a wanted interface', () => {
    const usableInterfaces = (name: string) => new Set(name === 'iris2' ? ['eth0'] : []);
    expect(leader(mode('Sticky', ['iris1'], { usableInterfaces }))).toBe('iris2');
  });

  it('without liveness nobody tells who holds what: every mode is Default', () => {
    const advertisements = [advertisement({ failover: 'Sticky' })];
    expect(leader(context(two, { advertisements, alive: undefined }))).toBe('iris2');
  });

  it('Spread: follows the plan; Spread wins over Sticky where advertisements differ', () => {
    const base = mode('Spread', []);
    const item = spreadItem(base, request());
    expect(item).toEqual({ key: '10.20.30.1', order: ['iris2', 'iris1'], holders: [] });
    expect(leader({ ...base, spread: planSpread([item!]) })).toBe('iris2');
    expect(leader({ ...base, spread: new Map([['10.20.30.1', 'iris1']]) })).toBe('iris1');
    const both = [advertisement({ failover: 'Sticky' }), advertisement({ failover: 'Spread' })];
    expect(leader({ ...base, advertisements: both, spread: new Map([['10.20.30.1', 'iris1']]) })).toBe(
      'iris1',
    );
    expect(spreadItem(mode('Sticky', []), request())).toBeUndefined();
  });
});

describe('moving by hand', () => {
  const pinned = request({ service: service({ annotations: { [L2_NODE.name]: 'iris1' } }) });

  it('the annotation wins over hash, holder and plan, while the node can announce', () => {
    expect(leader(context(two), pinned)).toBe('iris1');
    expect(leader(mode('Sticky', ['iris2']), pinned)).toBe('iris1');
    expect(leader(mode('Spread', [], { spread: new Map([['10.20.30.1', 'iris2']]) }), pinned)).toBe('iris1');
    expect(spreadItem(mode('Spread', []), pinned)?.order).toEqual(['iris1']);
    expect(leader(context(two, { alive: new Set(['iris2']) }), pinned)).toBe('iris2');
    const unknown = request({ service: service({ annotations: { [L2_NODE.name]: 'nobody' } }) });
    expect(leader(context(two), unknown)).toBe('iris2');
  });

  it('a node that is being emptied announces only what nobody else can', () => {
    const drained = [node('iris1'), node('iris2', { [DRAIN]: '' })];
    expect(leader(context(drained))).toBe('iris1');
    expect(decideL2(context(drained), request()).detail).toContain('being emptied (label metallb.io/drain)');
    expect(leader(context(drained, { alive: new Set(['iris2']) }))).toBe('iris2');
    const stuck = request({ service: service({ annotations: { [L2_NODE.name]: 'iris2' } }) });
    expect(leader(context(drained), stuck)).toBe('iris1');
    const sticky = { advertisements: [advertisement({ failover: 'Sticky' })], holders: () => ['iris2'] };
    expect(leader(context(drained, sticky))).toBe('iris1');
  });
});

describe('to whom an address is let go', () => {
  const three = [node('iris1'), node('iris2'), node('iris3')];
  const order = decideL2(context(three), request()).candidates.map(({ node: name }) => name);
  const [first = '', second = '', third = ''] = order;
  /** Decision of the one that leads while only these are alive. */
  const yields = (alive: readonly string[], fields: Partial<L2Context> = {}, asked = request()) => {
    const base = context(three, { alive: new Set(alive), ...fields });
    return decideL2({ ...base, me: leader(base, asked) ?? '' }, asked).yieldTo;
  };

  it('the nodes before it in the election, which are dead now', () => {
    expect(yields(order)).toEqual([]);
    expect(yields([second, third])).toEqual([first]);
    expect(yields([third])).toEqual([first, second]);
    const sticky = { advertisements: [advertisement({ failover: 'Sticky' })], holders: () => [second] };
    expect(yields(order, sticky)).toEqual([first]);
  });

  it('not those that may not announce for another reason, or lack only what this advertisement wants', () => {
    const narrow = [advertisement({ nodeSelectors: [label('host', second, third)] })];
    expect(yields([third], { advertisements: narrow })).toEqual([second]);
    const wanted = [advertisement({ interfaces: ['vlan'] })];
    const usableInterfaces = (name: string) =>
      new Set(name === first ? ['eth0'] : name === second ? [] : ['vlan']);
    expect(yields(order, { advertisements: wanted, usableInterfaces })).toEqual([second]);
  });

  it('by the annotation before all, and to no node that is being emptied', () => {
    const pinned = request({ service: service({ annotations: { [L2_NODE.name]: third } }) });
    expect(yields(order, {}, pinned)).toEqual([]);
    expect(yields([second], {}, pinned)).toEqual([first, third]);
    const drained = new Map(three.map((view) => [view.name, view]));
    drained.set(first, node(first, { [DRAIN]: '' }));
    expect(yields(order, { nodes: drained })).toEqual([]);
    expect(yields([first], { nodes: drained })).toEqual([second, third]);
  });

  it('to nobody in mode Spread; without liveness nothing is let go', () => {
    const spread = { advertisements: [advertisement({ failover: 'Spread' })] };
    expect(yields([third], { ...spread, spread: new Map([['10.20.30.1', third]]) })).toEqual([]);
    expect(decideL2({ ...context(three), me: first, alive: undefined }, request()).yieldTo).toBeUndefined();
  });
});

describe('an address of a node itself (B20 E5)', () => {
  it('is announced by no other node', () => {
    const nodeAddresses = new Map([['10.20.30.1', 'iris1']]);
    expect(leader(context(two, { nodeAddresses }))).toBe('iris1');
    const gone = context(two, { nodeAddresses, alive: new Set(['iris2']) });
    expect(leader(gone)).toBeUndefined();
    expect(decideL2({ ...gone, me: 'iris2' }, request()).detail).toContain(
      'belongs to another node itself (1)',
    );
  });
});
