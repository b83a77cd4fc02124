/** What is kept of configuration objects: a change of anything else is no change, for nobody who watches them. */
import { expect, it } from 'vitest';
import type { ConfigKind } from '#core/api/ingest.ts';
import { parseResource } from '#core/config/parse.ts';

const specs: Readonly<Record<ConfigKind, object>> = {
  IPAddressPool: { addresses: ['192.0.2.0/24'] },
  L2Advertisement: { interfaces: ['eth0'] },
  BGPAdvertisement: { localPref: 7 },
  BGPPeer: { myASN: 64512, peerASN: 64513, peerAddress: '192.0.2.1' },
  BFDProfile: { receiveInterval: 300 },
  Community: { communities: [{ name: 'home', value: '64512:1' }] },
};

it.each(Object.entries(specs) as [ConfigKind, object][])(
  '%s: a status that is written makes nobody compile',
  (kind, spec) => {
    const metadata = { name: 'x', namespace: 'metallb-system', uid: 'u', resourceVersion: '1' };
    const conditions = [{ type: 'Accepted', status: 'True', observedGeneration: 1 }];
    const before = parseResource(kind, { metadata, spec });
    const written = { ...metadata, resourceVersion: '2', managedFields: [{ manager: 'controller' }] };
    expect(before.ok).toBe(true);
    expect(parseResource(kind, { metadata: written, spec, status: { conditions } })).toEqual(before);
    const edited = parseResource(kind, { metadata, spec: {} });
    expect(edited).not.toEqual(before);
  },
);
