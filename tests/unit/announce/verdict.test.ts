import { describe, expect, it } from 'vitest';
import { compareVerdicts, type ServiceVerdict } from '#core/announce/verdict.ts';
import type { BgpVerdict } from '#core/bgp/advertise.ts';
import type { Grant } from '#core/bgp/route.ts';
import type { L2Decision } from '#core/election/decide-l2.ts';
import { cidrOf } from '#core/model/ip.ts';
import { address, community } from '#tests/support/bgp-factories.ts';

interface Part {
  readonly uid?: string;
  readonly ip?: string;
  readonly length?: number;
  readonly grant?: Partial<Grant>;
  readonly l2?: Partial<L2Decision>;
}

const decision: L2Decision = {
  announce: true,
  reason: 'announced',
  detail: '',
  node: 'n1',
  nobody: undefined,
  interfaces: undefined,
  ping: false,
  candidates: [],
  ineligible: [],
  passedOver: [],
  yieldTo: [],
};

/** All of it is new each time, as after a change of the configuration. */
function verdict({
  uid = 'u',
  ip = '192.0.2.1',
  length = 32,
  grant = {},
  l2 = {},
}: Part = {}): ServiceVerdict {
  const at = address(ip);
  const whole: Grant = { peers: ['a', 'b'], localPref: 0, communities: [], ...grant };
  const announcements = [{ advertisement: 'ad', prefix: cidrOf(at, length), grant: whole }];
  const bgp: BgpVerdict = {
    kind: 'announce',
    addresses: [at],
    unserved: [],
    announcements,
    peers: whole.peers,
  };
  return {
    key: 'default/web',
    uid,
    addresses: [ip],
    bgp,
    l2: { kind: 'decided', decision: { ...decision, ...l2 } },
  };
}

const withheld: ServiceVerdict = {
  ...verdict(),
  bgp: { kind: 'withhold', reason: 'noEndpoints', message: '' },
  l2: { kind: 'decided', decision: { ...decision, announce: false } },
};
const unchanged = { started: [], stopped: [], adjusted: false };

describe('what is new in a verdict', () => {
  it('nothing, when all of it was worked out again and is the same', () => {
    expect(compareVerdicts(verdict(), verdict())).toEqual(unchanged);
    expect(compareVerdicts(withheld, withheld)).toEqual(unchanged);
    expect(compareVerdicts(undefined, undefined)).toEqual(unchanged);
    const ports = { l2: { interfaces: ['eth0', 'eth1'] } };
    expect(compareVerdicts(verdict(ports), verdict(ports))).toEqual(unchanged);
  });

  it('a protocol that begins, or ends', () => {
    const both = ['bgp', 'layer2'];
    expect(compareVerdicts(undefined, verdict())).toMatchObject({ started: both, stopped: [] });
    expect(compareVerdicts(withheld, verdict())).toMatchObject({ started: both, stopped: [] });
    expect(compareVerdicts(verdict(), withheld)).toMatchObject({ started: [], stopped: both });
    expect(compareVerdicts(verdict(), undefined)).toMatchObject({ started: [], stopped: both });
  });

  it.each<[string, Part, readonly string[]]>([
    ['a Service made again', { uid: 'v' }, ['bgp', 'layer2']],
    ['an address', { ip: '192.0.2.2' }, ['bgp', 'layer2']],
    ['the length of the prefix', { length: 30 }, ['bgp']],
    ['the peers', { grant: { peers: ['a'] } }, ['bgp']],
    ['the preference', { grant: { localPref: 1 } }, ['bgp']],
    ['the MED', { grant: { med: 1 } }, ['bgp']],
    ['the path', { grant: { asPathPrepend: 1 } }, ['bgp']],
    ['the communities', { grant: { communities: [community('64512:1')] } }, ['bgp']],
    ['the interfaces', { l2: { interfaces: ['eth0'] } }, ['layer2']],
    ['answers to ping', { l2: { ping: true } }, ['layer2']],
  ])('%s', (_, part, started) => {
    expect(compareVerdicts(verdict(), verdict(part))).toEqual({ started, stopped: [], adjusted: false });
    expect(compareVerdicts(verdict(part), verdict())).toEqual({ started, stopped: [], adjusted: false });
  });

  it.each<[string, Partial<Grant>]>([
    ['the weight', { weight: 2 }],
    ['that it is about to go', { shutdown: true }],
  ])('%s is to be done otherwise, and nobody is told', (_, grant) => {
    expect(compareVerdicts(verdict(), verdict({ grant }))).toEqual({ ...unchanged, adjusted: true });
    expect(compareVerdicts(verdict({ grant }), verdict({ grant }))).toEqual(unchanged);
  });
});
