import { describe, expect, it } from 'vitest';
import { droppedNotes, losses } from '#core/frrk8s/losses.ts';
import {
  configurationLabels,
  configurationName,
  lostFields,
  meaningOf,
  projectConfiguration,
  projectOther,
} from '#core/frrk8s/object.ts';
import { advertisement, config } from '#tests/support/bgp-factories.ts';

const sent = {
  bgp: {
    routers: [
      { asn: 1, neighbors: [{ address: '10.0.0.1', localASN: 7, toAdvertise: { withCommunity: [] } }] },
    ],
    bfdProfiles: [],
  },
};

describe('comparing specs', () => {
  it('defaults of the kind, empty parts and the order of keys mean nothing', () => {
    const stored = {
      bgp: {
        routers: [
          {
            neighbors: [
              {
                disableMP: false,
                localASN: 7,
                address: '10.0.0.1',
                toAdvertise: { allowed: { mode: 'filtered' } },
              },
            ],
            asn: 1,
          },
        ],
      },
      raw: {},
    };
    expect(meaningOf(stored)).toBe(meaningOf(sent));
  });

  it('everything else does', () => {
    const { routers } = sent.bgp;
    expect(meaningOf({ ...sent, raw: { rawConfig: 'x' } })).not.toBe(meaningOf(sent));
    expect(meaningOf({ bgp: { routers: [...routers, { asn: 2 }] } })).not.toBe(meaningOf(sent));
    expect(meaningOf({ bgp: { routers: [{ ...routers[0], asn: 2 }] } })).not.toBe(meaningOf(sent));
    expect(meaningOf({ a: { mode: 'all' } })).not.toBe(meaningOf({ a: {} }));
    expect(meaningOf({ a: 0 })).not.toBe(meaningOf({}));
    expect(meaningOf([1, 2])).not.toBe(meaningOf([2, 1]));
  });

  it('a field that the stored object lacks is named, and told of the peer it belongs to', () => {
    expect(lostFields(sent, sent)).toEqual([]);
    const stored = { bgp: { routers: [{ asn: 1, neighbors: [{ address: '10.0.0.1' }] }] } };
    const paths = lostFields({ ...sent, nodeSelector: { matchLabels: { a: 'b' } } }, stored);
    expect(paths).toEqual(['spec.bgp.routers[0].neighbors[0].localASN', 'spec.nodeSelector']);
    const notes = droppedNotes(paths, [['tor']]);
    expect(notes.peers).toEqual([{ peer: 'tor', message: expect.stringContaining('no localASN;') }]);
    expect(notes.rest).toEqual(['spec.nodeSelector']);
    const router = { bgp: { routers: [{ asn: 1, id: '1.1.1.1', vrf: 'red', neighbors: [] }] } };
    const lost = lostFields(router, { bgp: { routers: [{ asn: 1, neighbors: [] }] } });
    expect(droppedNotes(lost, [['tor']])).toEqual({
      peers: [],
      rest: ['spec.bgp.routers[].id', 'spec.bgp.routers[].vrf'],
    });
  });
});

describe('stored objects', () => {
  it('our own is kept whole, those of others as far as they can contradict it', () => {
    const labels = configurationLabels('n1', 'here');
    expect(labels).toEqual({ 'metallb.io/node': 'n1', 'metallb.io/installation': 'here' });
    expect(configurationLabels('n'.repeat(200), 'here')['metallb.io/node']).toHaveLength(63);
    const own = { metadata: { name: configurationName('n1'), labels }, spec: sent };
    expect(projectConfiguration(own)).toEqual({ isLabelled: true, spec: sent });
    expect(projectConfiguration({ ...own, metadata: { name: 'metallb-n1' } }).isLabelled).toBe(false);
    expect(projectOther('n1')(own)).toBeUndefined();
    expect(projectOther('n2')(own)).toEqual({ nodeSelector: { requirements: [] }, identified: [] });
  });
});

describe('what a FRRConfiguration has no field for', () => {
  it('is told of each advertisement, once', () => {
    const ads = [
      advertisement('plain', { localPref: 7 }),
      advertisement('dear', { med: 50, pools: ['a'] }),
      advertisement('dear', { med: 50, pools: ['b'] }),
      advertisement('long', { asPathPrepend: 2 }),
      advertisement('weighted', { weightByEndpoints: true }),
      advertisement('high', { localPref: 2_147_483_648 }),
      advertisement('highest', { localPref: 2_147_483_647 }),
    ];
    const found = losses(config({ bgpAdvertisements: ads }), 'metallb-system');
    expect(found.map(({ object, field, code }) => [object.name, field, code])).toEqual([
      ['dear', 'spec.med', 'FRRK8S-1'],
      ['long', 'spec.asPathPrepend', 'FRRK8S-1'],
      ['weighted', 'spec.weightByEndpoints', 'FRRK8S-1'],
      ['high', 'spec.localPref', 'FRRK8S-1'],
    ]);
    expect(losses(config(), 'metallb-system')).toEqual([]);
  });

  it('#137 bgpextras are a problem of the ConfigMap (ours); nothing else is taken away for it', () => {
    const [problem] = losses(config({ frrExtras: 'route-map x permit 1' }), 'metallb-system');
    expect(problem).toMatchObject({
      code: 'X-4',
      object: { kind: 'ConfigMap', name: 'bgpextras' },
      summary: 'extra info not supported in frr-k8s mode',
    });
    expect(losses(config({ frrExtras: '\n' }), 'metallb-system')).toEqual([]);
  });
});
