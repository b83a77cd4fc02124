/** BGPPeer between its versions (api.md §5), and the ConversionReview around it. */
import { describe, expect, it } from 'vitest';
import { convertPeer } from '#core/api/bgp-peer-conversion.ts';
import { bgpPeerV1beta1 } from '#core/api/bgp-peer.ts';
import { answerConversion } from '#controller/webhooks/conversion.ts';

const V1 = 'metallb.io/v1beta1';
const V2 = 'metallb.io/v1beta2';
const metadata = { name: 'tor', namespace: 'metallb-system', labels: { a: 'b' } };
const of = (apiVersion: string, spec: object) => ({ apiVersion, kind: 'BGPPeer', metadata, spec });
const specIn = (wanted: string, apiVersion: string, spec: object): unknown => {
  const converted = convertPeer(of(apiVersion, spec), wanted);
  if (typeof converted === 'string') throw new Error(converted);
  return converted.spec;
};
const least = { myASN: 64512, peerASN: 64513, peerAddress: '192.0.2.1' };

describe('conversion of a BGPPeer', () => {
  it('Adoption: timers that are not set stay so, where the original writes zeros (consequences 1 to 3)', () => {
    expect(specIn(V2, V1, least)).toEqual(least);
    expect(specIn(V2, V1, { ...least, holdTime: '90s' })).toEqual({ ...least, holdTime: '90s' });
    expect(specIn(V2, V1, { ...least, keepaliveTime: '10s' })).toEqual({ ...least, keepaliveTime: '10s' });
    expect(specIn(V1, V2, least)).toEqual(least);
  });

  it('every field of v1beta1 comes back unchanged', () => {
    const full = {
      ...least,
      sourceAddress: '192.0.2.9',
      peerPort: 1790,
      holdTime: '90s',
      keepaliveTime: '30s',
      routerID: '192.0.2.9',
      password: 'p',
      bfdProfile: 'fast',
      ebgpMultiHop: true,
      nodeSelectors: [
        { matchLabels: { a: 'b' }, matchExpressions: [{ key: 'k', operator: 'In', values: ['v'] }] },
      ],
    };
    const fields = Object.keys(bgpPeerV1beta1.shape.spec.unwrap().shape).sort();
    expect(Object.keys(full).sort()).toEqual(fields);
    expect(specIn(V1, V2, specIn(V2, V1, full) as object)).toEqual(full);
  });

  it('port 0 and an empty address mean "not set" (consequence 6)', () => {
    expect(specIn(V2, V1, { ...least, peerPort: 0 })).toEqual(least);
    const unnumbered = { myASN: 64512, dynamicASN: 'external', interface: 'eth0' };
    expect(specIn(V1, V2, unnumbered)).toEqual({ myASN: 64512, peerASN: 0, peerAddress: '' });
  });

  it('what only v1beta2 has is left out; expressions get the values that v1beta1 requires (consequences 4, 5)', () => {
    const nodeSelectors = [{ matchExpressions: [{ key: 'k', operator: 'Exists' }] }, {}];
    expect(specIn(V1, V2, { ...least, vrf: 'red', connectTime: '5s', localASN: 1, nodeSelectors })).toEqual({
      ...least,
      nodeSelectors: [{ matchExpressions: [{ key: 'k', operator: 'Exists', values: [] }] }, {}],
    });
  });

  it('metadata and status are not touched', () => {
    const object = { ...of(V1, least), status: { a: 1 } };
    expect(convertPeer(object, V2)).toEqual({ ...object, apiVersion: V2 });
  });

  it('other kinds and versions are refused by name', () => {
    expect(convertPeer({ ...of(V1, least), kind: 'AddressPool' }, V2)).toContain('AddressPool');
    expect(convertPeer(of('metallb.io/v1alpha1', least), V2)).toContain('metallb.io/v1alpha1');
    expect(convertPeer(of(V1, least), 'metallb.io/v1')).toContain('metallb.io/v1,');
  });
});

describe('ConversionReview', () => {
  const review = (apiVersion: string, ...objects: object[]) => ({
    apiVersion,
    kind: 'ConversionReview',
    request: { uid: 'u', desiredAPIVersion: V2, objects },
  });

  it.each(['apiextensions.k8s.io/v1', 'apiextensions.k8s.io/v1beta1'])(
    '%s is answered in its own version',
    (version) => {
      expect(answerConversion(review(version, of(V1, least)))).toEqual({
        apiVersion: version,
        kind: 'ConversionReview',
        response: { uid: 'u', result: { status: 'Success' }, convertedObjects: [of(V2, least)] },
      });
    },
  );

  it('one object that cannot be converted fails the review, by name', () => {
    const answer = answerConversion(
      review('apiextensions.k8s.io/v1', of(V1, least), { ...of(V1, least), kind: 'Pod' }),
    );
    expect(answer).toMatchObject({
      response: {
        convertedObjects: [],
        result: { status: 'Failed', message: expect.stringMatching(/^tor: a Pod/) },
      },
    });
  });

  it.each([
    null,
    {},
    [],
    review('admission.k8s.io/v1', of(V1, least)),
    { apiVersion: 'apiextensions.k8s.io/v1' },
  ])('anything else is none: %j', (body) => {
    expect(answerConversion(body)).toBeUndefined();
  });
});
