import { describe, expect, it } from 'vitest';
import { decideL2, type L2Context, type L2Request } from '#core/election/decide-l2.ts';
import { EXCLUDE_FROM_LOAD_BALANCERS } from '#core/api/labels.ts';
import { parseAddress } from '#core/model/ip.ts';
import {
  advertisement,
  context,
  endpoint,
  label,
  node,
  request,
  service,
  slice,
} from '#tests/support/l2-objects.ts';

const two = [node('iris1'), node('iris2')];

/** The node that announces, decided by each node for itself; fails when two nodes disagree. */
function leader(base: L2Context, asked: L2Request): string | undefined {
  const announcing = [...base.nodes.keys()].filter((me) => decideL2({ ...base, me }, asked).announce);
  expect(announcing.length).toBeLessThan(2);
  return announcing[0];
}

const local = service({ externalTrafficPolicy: 'Local' });

describe('decideL2: endpoints (speaker-l2.md §9)', () => {
  it.each([
    ['1 Local, both endpoints on iris1', local, [slice(endpoint('iris1'), endpoint('iris1'))], 'iris1'],
    ['2 Local, none ready', local, [slice(endpoint('iris1', false), endpoint('iris2', false))], undefined],
    ['3 Local on both: hash winner', local, [slice(endpoint('iris1'), endpoint('iris2'))], 'iris2'],
    ['4 terminating but serving', local, [slice(endpoint('iris1'), endpoint('iris2', false, true))], 'iris2'],
    ['5 ready, not serving', local, [slice(endpoint('iris1'), endpoint('iris2', true, false))], 'iris2'],
    ['7 not ready, serving unset', local, [slice(endpoint('iris1'), endpoint('iris2', false))], 'iris1'],
    ['8 one ready, one not', local, [slice(endpoint('iris2', false), endpoint('iris2'))], 'iris2'],
    ['11 several slices', local, [slice(endpoint('iris1')), slice(endpoint('iris2'))], 'iris2'],
    ['12 Cluster, endpoint elsewhere', service(), [slice(endpoint('iris1'))], 'iris2'],
    ['13 Cluster, nothing can serve', service(), [slice(endpoint('iris1', false))], undefined],
    ['14 Local, endpoints without node', local, [slice(endpoint(''))], undefined],
    ['A22 Cluster, endpoints without node', service(), [slice(endpoint(''))], 'iris2'],
  ])('%s', (_, asked, slices, expected) => {
    expect(leader(context(two), request({ service: asked, slices }))).toBe(expected);
  });

  it('says why nobody announces (A22 E4, A26 E2, B30)', () => {
    const none = decideL2(context(two), request({ slices: [] }));
    expect(none).toMatchObject({ reason: 'notOwner', detail: 'no endpoint of the Service can serve' });
    const elsewhere = decideL2(
      context(two, { advertisements: [advertisement({ nodeSelectors: [label('host', 'iris1')] })] }),
      request({ service: local, slices: [slice(endpoint('iris2'))] }),
    );
    expect(elsewhere.detail).toBe(
      'no node may announce: no local endpoint that can serve (externalTrafficPolicy Local) (1), not selected by an L2Advertisement (1)',
    );
  });
});

describe('decideL2: endpoints of a dead node (W27, faster than Kubernetes)', () => {
  const gone = new Set(['iris2']);
  const survivors = { alive: new Set(['iris1']), gone };

  it('do not count: with none elsewhere the Service has no endpoint', () => {
    const asked = request({ slices: [slice(endpoint('iris2'))] });
    expect(decideL2(context(two, survivors), asked).detail).toBe('no endpoint of the Service can serve');
    expect(leader(context(two, { alive: new Set(['iris1']) }), asked)).toBe('iris1');
  });

  it.each([service(), local])('leave the others in force', (asked) => {
    const slices = [slice(endpoint('iris1'), endpoint('iris2'))];
    expect(leader(context(two, survivors), request({ service: asked, slices }))).toBe('iris1');
  });
});

describe('decideL2: nodes', () => {
  it('17: NetworkUnavailable moves the address away', () => {
    expect(leader(context([node('iris1'), node('iris2', {}, true)]), request())).toBe('iris1');
  });

  it('18, 19, 20: the exclude label, unless ignored', () => {
    const excluded = node('iris2', { [EXCLUDE_FROM_LOAD_BALANCERS]: '' });
    expect(leader(context([node('iris1'), excluded]), request())).toBe('iris1');
    const both = [node('iris1', { [EXCLUDE_FROM_LOAD_BALANCERS]: '' }), excluded];
    expect(leader(context(both), request())).toBeUndefined();
    expect(decideL2(context(both), request()).detail).toContain('exclude-from-external-load-balancers (2)');
    expect(leader(context(both, { ignoreExcludeLabel: true }), request())).toBe('iris2');
  });

  it('27, 28: with liveness only live speakers, without it all known nodes', () => {
    expect(leader(context(two, { alive: new Set(['iris1']) }), request())).toBe('iris1');
    expect(leader(context(two, { alive: undefined }), request())).toBe('iris2');
  });

  it('a node cut off from the majority (not in its own live set) announces nothing', () => {
    expect(decideL2(context(two, { alive: new Set() }), request())).toMatchObject({
      announce: false,
      reason: 'notOwner',
    });
  });
});

describe('decideL2: advertisements', () => {
  it('29, 32: no advertisement, or none for this node', () => {
    expect(decideL2(context(two, { advertisements: [] }), request()).reason).toBe('noMatchingAdvertisement');
    const only = advertisement({ nodeSelectors: [label('host', 'iris1')] });
    expect(decideL2(context(two, { advertisements: [only], me: 'iris2' }), request()).reason).toBe(
      'noMatchingAdvertisement',
    );
    expect(leader(context(two, { advertisements: [only] }), request())).toBe('iris1');
  });

  it('33, 34, 35: advertisements and local endpoints meet', () => {
    const [one, other] = ['iris1', 'iris2'].map((host) =>
      advertisement({ nodeSelectors: [label('host', host)] }),
    );
    const asked = request({ service: local });
    expect(leader(context(two, { advertisements: [one!, other!] }), asked)).toBe('iris1');
    expect(leader(context(two, { advertisements: [other!] }), asked)).toBeUndefined();
    expect(leader(context(two, { advertisements: [other!, advertisement()] }), asked)).toBe('iris1');
  });

  it('40, 41, 43, 45: service selectors', () => {
    const foo = advertisement({
      serviceSelectors: [label('app', 'foo')],
      nodeSelectors: [label('host', 'iris1')],
    });
    const bar = advertisement({
      serviceSelectors: [label('app', 'bar')],
      nodeSelectors: [label('host', 'iris2')],
    });
    const labelled = request({ service: service({ labels: { app: 'foo' } }) });
    expect(leader(context(two, { advertisements: [foo, bar] }), labelled)).toBe('iris1');
    expect(leader(context(two, { advertisements: [bar] }), labelled)).toBeUndefined();
    const either = advertisement({ serviceSelectors: [label('app', 'x'), label('app', 'foo')] });
    expect(leader(context(two, { advertisements: [either] }), labelled)).toBe('iris2');
  });

  it.each(['metallb.io/allow-shared-ip', 'metallb.universe.tf/allow-shared-ip'])('46, 47: %s', (name) => {
    const asked = request({ service: service({ annotations: { [name]: '' }, labels: { app: 'foo' } }) });
    const narrow = advertisement({ serviceSelectors: [label('app', 'foo')] });
    const advertisements = [advertisement(), narrow];
    expect(decideL2(context(two, { advertisements }), asked).reason).toBe('sharedIPWithServiceSelector');
    const foreign = advertisement({ serviceSelectors: [label('app', 'bar')] });
    expect(leader(context(two, { advertisements: [advertisement(), foreign] }), asked)).toBe('iris2');
  });
});

describe('decideL2: preferred nodes (§3.4)', () => {
  const preferring = (weight: number, host: string) =>
    advertisement({ preferredNodes: [{ weight, preference: label('host', host) }] });

  it('48, 49, 53, 55: scores order, sums over advertisements, ties by hash', () => {
    expect(leader(context(two, { advertisements: [preferring(100, 'iris1')] }), request())).toBe('iris1');
    expect(leader(context(two, { advertisements: [preferring(100, 'nobody')] }), request())).toBe('iris2');
    const advertisements = [preferring(60, 'iris2'), preferring(60, 'iris1'), preferring(50, 'iris1')];
    expect(leader(context(two, { advertisements }), request())).toBe('iris1');
    expect(leader(context(two, { advertisements: advertisements.slice(0, 2) }), request())).toBe('iris2');
  });

  it('52, 56, 58: scores add no candidates, foreign advertisements add no scores', () => {
    const narrow = { ...preferring(100, 'iris1'), nodeSelectors: [label('host', 'iris2')] };
    expect(leader(context(two, { advertisements: [narrow] }), request())).toBe('iris2');
    const asked = request({ service: local, slices: [slice(endpoint('iris2'))] });
    expect(leader(context(two, { advertisements: [preferring(100, 'iris1')] }), asked)).toBe('iris2');
    const foreign = { ...preferring(1000, 'iris1'), serviceSelectors: [label('app', 'other')] };
    expect(leader(context(two, { advertisements: [foreign, advertisement()] }), request())).toBe('iris2');
  });
});

describe('decideL2: interfaces', () => {
  it('83, 86: the union, or all when one advertisement names none', () => {
    const on = (...interfaces: string[]) => advertisement({ interfaces });
    const me = { me: 'iris2' };
    const decide = (...advertisements: ReturnType<typeof on>[]) =>
      decideL2(context(two, { ...me, advertisements }), request()).interfaces;
    expect(decide(on('eth1'), on('eth0', 'eth1'))).toEqual(['eth0', 'eth1']);
    expect(decide(on('eth1'), on())).toBeUndefined();
  });

  it('44: only those of the advertisements that select the node', () => {
    const advertisements = [
      advertisement({ interfaces: ['eth0'], nodeSelectors: [label('host', 'iris1')] }),
      advertisement({ interfaces: ['eth1'], nodeSelectors: [label('host', 'iris2')] }),
    ];
    expect(decideL2(context(two, { me: 'iris2', advertisements }), request()).interfaces).toEqual(['eth1']);
  });

  it('A10 E5, B18 E4: a node without a usable wanted interface is passed over', () => {
    const usable = new Map([
      ['iris1', new Set(['eth0', 'vlan'])],
      ['iris2', new Set(['eth0'])],
    ]);
    const base = context(two, {
      advertisements: [advertisement({ interfaces: ['vlan'] })],
      usableInterfaces: (name) => usable.get(name),
    });
    expect(leader(base, request())).toBe('iris1');
    expect(decideL2(base, request()).passedOver).toEqual(['iris2']);
  });

  it('84: when no node has the interface, the hash winner leads (and reports announceFailed)', () => {
    const base = context(two, {
      advertisements: [advertisement({ interfaces: ['nowhere'] })],
      usableInterfaces: () => new Set(['eth0']),
    });
    expect(leader(base, request())).toBe('iris2');
  });
});

describe('decideL2: sharing and dual stack', () => {
  it('60: Services with one address and different endpoints have one leader', () => {
    const one = request({ slices: [slice(endpoint('iris1'))] });
    const other = request({ slices: [slice(endpoint('iris2'))] });
    expect(leader(context(two), one)).toBe(leader(context(two), other));
  });

  it('64: the first address decides for all (§2.10)', () => {
    const [v4, v6] = ['10.20.30.2', 'fc00::7'].map((text) => parseAddress(text)!);
    expect(leader(context(two), request({ addresses: [v4!, v6!] }))).toBe('iris1');
  });
});
