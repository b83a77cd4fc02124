import { describe, expect, it } from 'vitest';
import type { ConfigKind } from '#core/api/ingest.ts';
import { admit, admitAtOnce, type AdmissionRequest } from '#core/config/admission.ts';
import { bfd, bgpAdv, community, compiled, l2Adv, NAMESPACE, object, peer, pool, resources, type TestObject } from '#tests/support/config-factories.ts';

const request = (entry: TestObject, more: Partial<AdmissionRequest> = {}): AdmissionRequest => ({
  operation: 'CREATE',
  kind: entry.kind,
  namespace: entry.metadata.namespace,
  name: entry.metadata.name,
  object: { ...entry },
  oldObject: undefined,
  ...more,
});
/** The answer as the webhook gives it: at once, or with what is stored. */
const answer = (asked: AdmissionRequest, ...stored: TestObject[]) =>
  admitAtOnce(asked, NAMESPACE) ?? admit(asked, resources(stored));

describe('admission: phrases of denials (api.md 6.15)', () => {
  const elsewhere = (entry: TestObject): TestObject => ({
    ...entry,
    metadata: { ...entry.metadata, namespace: 'default' },
  });

  it.each<[string, TestObject, TestObject[], string]>([
    ['POOL-11', pool('b', ['10.0.0.0/24']), [pool('a', ['10.0.0.0/16'])], 'overlaps with already defined CIDR'],
    [
      'ADB-16',
      bgpAdv('a', { aggregationLength: 26 }),
      [pool('p', ['1.1.1.0/28'])],
      'invalid aggregation length 26: prefix 28 in this pool is more specific than the aggregation length for addresses 1.1.1.0/28',
    ],
    [
      'ADB-7',
      bgpAdv('a', { serviceSelectors: [{}], aggregationLength: 24 }),
      [],
      'serviceSelectors and aggregationLength are mutually exclusive',
    ],
    ['PEER-10', peer('a', { peerAddress: '1.2.3' }), [], 'invalid BGPPeer address'],
    ['FRR-2', peer('b'), [peer('a')], 'already exists'],
    ['COM-1', community('a', [{ name: 'x', value: '1:99999' }]), [], 'invalid community value: invalid section'],
    ['COM-1', community('a', [{ name: 'x', value: '1:2:3:4' }]), [], 'expected community to be of format large'],
    [
      'COM-2',
      community('b', [{ name: 'x', value: '1:1' }]),
      [community('a', [{ name: 'x', value: '1:2' }])],
      'duplicate definition of community',
    ],
    ['PEER-22', elsewhere(peer('a', { peerAddress: 'bad' })), [], 'resource must be created in metallb-system namespace'],
    ['BFD-9', elsewhere(bfd('a')), [], 'resource must be created in metallb-system namespace'],
    ['POOL-12', elsewhere(pool('a', [])), [], 'resource must be created in metallb-system namespace'],
    ['COM-3', elsewhere(community('a', [])), [], 'resource must be created in metallb-system namespace'],
    ['ADL-9', elsewhere(l2Adv('a')), [], 'resource must be created in metallb-system namespace'],
    ['ADB-19', elsewhere(bgpAdv('a')), [], 'resource must be created in metallb-system namespace'],
  ])('#138 %s', (_rule, entry, stored, phrase) => {
    const { allowed, message } = answer(request(entry), ...stored);
    expect(allowed).toBe(false);
    expect(message).toContain(phrase);
  });

  it('#89 #138 BFD-8: a profile in use cannot be deleted', () => {
    const asked = request(bfd('fast'), { operation: 'DELETE', object: undefined });
    const denied = answer(asked, bfd('fast'), peer('p', { bfdProfile: 'fast' }));
    expect(denied.message).toContain('failed to delete BFDProfile');
    expect(denied.message).toContain('BGPPeer p');
    expect(answer(asked, bfd('fast'), peer('p')).allowed).toBe(true);
  });

  it('tells all problems of the object', () => {
    const { message } = answer(request(peer('a', { myASN: 0, routerID: 'x' })));
    expect(message).toContain('spec.myASN: missing local ASN');
    expect(message).toContain('spec.routerID: invalid router ID "x"');
  });
});

describe('admission: what is let through', () => {
  it.each<[string, TestObject, RegExp | undefined]>([
    ['PEER-19: the profile may come later', peer('a', { bfdProfile: 'later' }), /non existing bfd profile later/],
    ['PEER-16: Secrets are not looked at', peer('a', { passwordSecret: { name: 'later' } }), undefined],
    ['ADB-12: the alias may come later', bgpAdv('a', { communities: ['later'] }), /later/],
    ['PEER-21: a warning', peer('a', { disableMP: true }), /disableMP is deprecated/],
    ['REF-1: an unknown pool', l2Adv('a', { ipAddressPools: ['later'] }), /does not exist/],
    ['POOL-13: host bits', pool('a', ['10.0.0.9/24']), /not the start of its block/],
  ])('%s', (_what, entry, warning) => {
    const { allowed, warnings } = answer(request(entry));
    expect(allowed).toBe(true);
    expect(warnings.join('\n')).toMatch(warning ?? /^$/);
  });

  it('#139 ADB-12: text with a colon is refused (ours: unless an alias has that name, which then works)', () => {
    const asked = request(bgpAdv('a', { communities: ['1:2:3'] }));
    expect(answer(asked).allowed).toBe(false);
    const alias = community('c', [{ name: '1:2:3', value: '1:2' }]);
    expect(answer(asked, alias).allowed).toBe(true);
    const { config } = compiled([bgpAdv('a', { communities: ['1:2:3'] }), alias]);
    expect(config.bgpAdvertisements[0]?.communities).toEqual([{ kind: 'standard', value: '1:2' }]);
  });

  it('PEER-15: password and Secret at once are refused', () => {
    const both = { password: 'x', passwordSecret: { name: 's' } };
    expect(answer(request(peer('a', both))).message).toContain('both password and passwordSecret');
  });

  it('a stored object that is faulty stands in nobody\'s way', () => {
    expect(answer(request(pool('b', ['10.0.0.0/24'])), pool('a', ['nonsense'])).allowed).toBe(true);
  });

  it('an update gives way to what is stored, also when the object is older', () => {
    const edited = pool('a', ['10.0.0.0/24', '10.1.0.0/24'], {}, { age: 0 });
    const stored = [pool('a', ['10.0.0.0/24'], {}, { age: 0 }), pool('b', ['10.1.0.0/24'], {}, { age: 1 })];
    const asked = request(edited, { operation: 'UPDATE', oldObject: { ...stored[0] } as AdmissionRequest['oldObject'] });
    expect(answer(asked, ...stored).message).toContain('10.1.0.0/24 of IPAddressPool b');
  });

  it.each<[string, object]>([
    ['annotations only', {}],
    ['an object that is being deleted', { deletionTimestamp: '2026-01-01T00:00:00Z' }],
  ])('an update of a faulty object: %s', (_what, meta) => {
    const faulty = pool('a', ['nonsense']);
    const changed = { ...faulty, metadata: { ...faulty.metadata, ...meta } };
    const asked = request(changed, { operation: 'UPDATE', oldObject: { ...faulty } });
    expect(admitAtOnce(asked, NAMESPACE)).toEqual({ allowed: true, message: '', warnings: [] });
  });

  it('an update outside our namespace is not looked at', () => {
    const there = { ...pool('a', ['x']), metadata: { ...pool('a', ['x']).metadata, namespace: 'default' } };
    const asked = request(there, { operation: 'UPDATE', oldObject: { ...pool('a', ['y']) } });
    expect(answer(asked).allowed).toBe(true);
  });

  it('what the change does to others is a warning', () => {
    const before = bgpAdv('a', { communities: ['n'] });
    const asked = request(pool('q', ['10.9.0.0/28']));
    const { allowed, warnings } = admit(asked, resources([before, bgpAdv('b', { aggregationLength: 24 })]));
    expect(allowed).toBe(true);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^BGPAdvertisement b: spec\.aggregationLength: .*10\.9\.0\.0\/28/);
  });

  it('every kind may be deleted, but for profiles in use', () => {
    const kinds: ConfigKind[] = ['IPAddressPool', 'L2Advertisement', 'BGPAdvertisement', 'BGPPeer', 'Community'];
    for (const kind of kinds)
      expect(answer(request(object(kind, 'a'), { operation: 'DELETE', object: undefined })).allowed).toBe(true);
  });
});
