/**
 * The 128 rules of api.md §6, each kept and broken, and what we do instead of those that differ. Rules that look at
 * objects on their own are in the corpus, which also runs through API server and webhook; here are the others, and the
 * ledger over all of them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { judge } from '#cli/validate/command.ts';
import { parseManifests } from '#cli/validate/documents.ts';
import { lacksInterfaces } from '#core/announce/verdict.ts';
import { decideBgp } from '#core/bgp/advertise.ts';
import { bgpContext } from '#core/bgp/gates.ts';
import { admit, admitAtOnce, type AdmissionRequest } from '#core/config/admission.ts';
import { compile } from '#core/config/compile.ts';
import { validateMetalLB, wrongName, wrongNamespace } from '#core/config/metallb-rules.ts';
import type { MetalLBSpec } from '#core/config/metallb.ts';
import { decideL2 } from '#core/election/decide-l2.ts';
import type { Config } from '#core/model/config.ts';
import { advertisement, config, endpoint, matchLabel, node, service, slice } from '#tests/support/bgp-factories.ts';
import { ruleCorpus } from '#tests/support/config-corpus.ts';
import { bfd, bgpAdv, community, NAMESPACE, peer, pool as poolObject, resources, type Surroundings, type TestObject } from '#tests/support/config-factories.ts';
import { app, ask, pool as ipamPool, service as wanted, tcp, World, type ServiceOptions } from '#tests/support/ipam.ts';
import * as l2 from '#tests/support/l2-objects.ts';
import { differences } from '#tests/support/rule-differences.ts';
import { idsOf, ownRuleIds, ruleIds } from '#tests/support/rule-ids.ts';
import { audit, objectProofs, type Proof } from '#tests/support/rule-ledger.ts';

/** True: the rule is kept, or what it asks for is the case. */
type Outcome = () => boolean;
const rule = (id: string, kept: Outcome, broken: Outcome): Proof[] => [
  { id, what: 'kept', verdict: 'accepted', run: kept },
  { id, what: 'broken', verdict: 'refused', run: () => !broken() },
];
/** A rule that only warns. */
const warning = (id: string, silent: readonly TestObject[], told: readonly TestObject[]): Proof[] => {
  const warns = (objects: readonly TestObject[]): boolean => {
    const { problems, warnings } = compile(resources(objects), { kind: 'cluster' });
    if (problems.length > 0) throw new Error(`a warning is no problem: ${problems[0]?.message}`);
    return warnings.some(({ code }) => code === id);
  };
  return rule(id, () => !warns(silent), () => !warns(told));
};

const compiles = (id: string, around: Surroundings, ...objects: TestObject[]): Outcome => () =>
  !compile(resources(objects, around), { kind: 'cluster' }).problems.some(({ code }) => code === id);
const secret = { name: 'pw', type: 'kubernetes.io/basic-auth', password: 'hush' };
const withSecret = peer('a', { passwordSecret: { name: 'pw' } });
const withAlias = bgpAdv('b', { communities: ['x'] });
const secrets = (part: object): Surroundings => ({ secrets: [{ ...secret, ...part }] });

const references = [
  rule('PEER-16', compiles('PEER-16', secrets({}), withSecret), compiles('PEER-16', {}, withSecret)),
  rule('PEER-17', compiles('PEER-17', secrets({}), withSecret), compiles('PEER-17', secrets({ type: 'Opaque' }), withSecret)),
  rule('PEER-18', compiles('PEER-18', secrets({}), withSecret), compiles('PEER-18', secrets({ password: undefined }), withSecret)),
  rule('PEER-19', compiles('PEER-19', {}, bfd('x'), peer('a', { bfdProfile: 'x' })), compiles('PEER-19', {}, peer('a', { bfdProfile: 'x' }))),
  rule('ADB-12', compiles('ADB-12', {}, community('c', [{ name: 'x', value: '1:1' }]), withAlias), compiles('ADB-12', {}, withAlias)),
  rule(
    'X-1',
    compiles('X-1', {}, poolObject('v6', ['2001:db8::/64']), bfd('x'), peer('a', { bfdProfile: 'x' }), bgpAdv('b')),
    compiles('X-1', {}, poolObject('v6', ['2001:db8::/64']), bfd('x', { echoMode: true }), peer('a', { bfdProfile: 'x' }), bgpAdv('b')),
  ),
];

const request = (entry: TestObject, operation: AdmissionRequest['operation']): AdmissionRequest => ({
  operation, kind: entry.kind, namespace: NAMESPACE, name: entry.metadata.name, oldObject: undefined,
  object: operation === 'DELETE' ? undefined : { ...entry },
});
const admits = (asked: AdmissionRequest, ...stored: TestObject[]): Outcome => () =>
  (admitAtOnce(asked, NAMESPACE) ?? admit(asked, resources(stored))).allowed;
const silent = (entry: TestObject): Outcome => () => {
  const asked = request(entry, 'CREATE');
  return (admitAtOnce(asked, NAMESPACE) ?? admit(asked, resources([]))).warnings.length === 0;
};

const atAdmission = [
  rule('BFD-8', admits(request(bfd('x'), 'DELETE'), bfd('x'), peer('a')), admits(request(bfd('x'), 'DELETE'), bfd('x'), peer('a', { bfdProfile: 'x' }))),
  rule('PEER-21', silent(peer('a')), silent(peer('a', { disableMP: true }))),
];

/** Names are unique in an API server; in files they need not be, and may be missing. */
const reads = (...texts: string[]): Outcome => () =>
  judge(parseManifests(texts.join('\n---\n'), 'f'), [], { namespace: NAMESPACE, complete: false }).length === 0;
const text = (kind: string, name: string, spec: object): string => {
  const apiVersion = `metallb.io/${kind === 'BGPPeer' ? 'v1beta2' : 'v1beta1'}`;
  return JSON.stringify({ apiVersion, kind, metadata: { name, namespace: NAMESPACE }, spec });
};
const session = { myASN: 64512, peerASN: 64513, peerAddress: '192.0.2.1' };
const named = (id: string, kind: string, spec: object): Proof[] =>
  rule(id, reads(text(kind, 'a', spec)), reads(text(kind, '', spec)));
const unique = (id: string, kind: string, spec: object, other: object = spec): Proof[] =>
  rule(id, reads(text(kind, 'a', spec), text(kind, 'b', other)), reads(text(kind, 'a', spec), text(kind, 'a', other)));

const names = [
  unique('PEER-20', 'BGPPeer', session, { ...session, peerAddress: '192.0.2.2' }),
  named('BFD-1', 'BFDProfile', {}),
  unique('BFD-7', 'BFDProfile', {}),
  named('POOL-1', 'IPAddressPool', { addresses: ['10.0.0.0/24'] }),
  unique('POOL-10', 'IPAddressPool', { addresses: ['10.0.0.0/24'] }, { addresses: ['10.1.0.0/24'] }),
  unique('ADB-18', 'BGPAdvertisement', {}),
];

const spec = (id: string, value: MetalLBSpec, externalNamespace = ''): Outcome => () =>
  !validateMetalLB(value, { namespace: NAMESPACE, name: 'metallb', externalNamespace }).some(({ code }) => code === id);
const toleration = (effect: string) => [{ key: 'a', effect, tolerationSeconds: 5 }];
const weight = (kind: string, value: number) => ({
  affinity: { [kind]: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: value }] } },
});
const called = (name: string): Outcome => () =>
  wrongName({ namespace: NAMESPACE, name, externalNamespace: '' }) === undefined;
const placed = (namespace: string): Outcome => () =>
  wrongNamespace({ namespace, name: 'metallb', externalNamespace: '' }, NAMESPACE) === undefined;
const rolling = (maxUnavailable: number | string) => ({ updateStrategy: { rollingUpdate: { maxUnavailable } } });
const external = 'frr-k8s-external';

const metallb = [
  rule('MLB-1', spec('MLB-1', { controllerTolerations: toleration('NoExecute') }), spec('MLB-1', { controllerTolerations: toleration('NoSchedule') })),
  rule('MLB-2', spec('MLB-2', { speakerTolerations: toleration('NoExecute') }), spec('MLB-2', { speakerTolerations: toleration('NoSchedule') })),
  rule('MLB-3', spec('MLB-3', { speakerConfig: weight('nodeAffinity', 1) }), spec('MLB-3', { speakerConfig: weight('nodeAffinity', 0) })),
  rule('MLB-4', spec('MLB-4', { speakerConfig: weight('podAffinity', 100) }), spec('MLB-4', { speakerConfig: weight('podAffinity', 101) })),
  rule('MLB-5', spec('MLB-5', { controllerConfig: weight('nodeAffinity', 1) }), spec('MLB-5', { controllerConfig: weight('nodeAffinity', 0) })),
  rule('MLB-6', spec('MLB-6', { controllerConfig: weight('podAffinity', 100) }), spec('MLB-6', { controllerConfig: weight('podAffinity', 101) })),
  rule('MLB-7', spec('MLB-7', { bgpBackend: 'frr' }), spec('MLB-7', { bgpBackend: 'bird' })),
  rule('MLB-8', spec('MLB-8', { bgpBackend: external }, 'frr'), spec('MLB-8', { bgpBackend: external })),
  rule('MLB-9', spec('MLB-9', { frrk8sConfig: { alwaysBlock: [' 10.0.0.0/8 '] } }), spec('MLB-9', { frrk8sConfig: { alwaysBlock: ['10.0.0.1'] } })),
  rule('MLB-10', called('metallb'), called('mine')),
  rule('MLB-13', spec('MLB-13', { speakerConfig: { labels: { 'example.com/a': 'b' } } }), spec('MLB-13', { speakerConfig: { labels: { app: 'b' } } })),
  rule('MLB-14', spec('MLB-14', { speakerConfig: { excludedInterfaces: ['^a.*'] } }), spec('MLB-14', { speakerConfig: { excludedInterfaces: ['a('] } })),
  rule('MLB-15', spec('MLB-15', { speakerConfig: rolling('10%') }), spec('MLB-15', { speakerConfig: rolling(0) })),
  rule('MLB-16', placed(NAMESPACE), placed('elsewhere')),
];

const announces = (part: Partial<Config>, ips: readonly string[] = ['198.51.100.10']): Outcome => () =>
  decideBgp(bgpContext(config(part), node(), false), service(ips), slice(endpoint())).kind === 'announce';
const preferences = (first: object, second: object): Partial<Config> => ({
  bgpAdvertisements: [advertisement('a', { localPref: 100, ...first }), advertisement('b', { localPref: 200, ...second })],
});
const shared = (annotations: object, serviceSelectors: ReturnType<typeof matchLabel>[]): Outcome => () => {
  const asked = l2.request({ service: l2.service({ annotations: { ...annotations }, labels: { app: 'a' } }) });
  return decideL2(l2.context([l2.node('iris1')], { advertisements: [l2.advertisement({ serviceSelectors })] }), asked).announce;
};
/** On a node that has `eth0`. */
const hasInterface =
  (interfaces: readonly string[]): Outcome =>
  () => {
    const context = l2.context([l2.node('iris1')], { advertisements: [l2.advertisement({ interfaces })] });
    const decision = decideL2(context, l2.request());
    const bgp = decideBgp(bgpContext(config(), node(), false), service([]), []);
    return !lacksInterfaces({ key: '', uid: '', addresses: [], bgp, l2: { kind: 'decided', decision } }, ['eth0']);
  };

const atAnnouncing = [
  rule('SVC-1', announces(preferences({ peers: ['tor1'] }, { peers: ['tor2'] })), announces(preferences({}, {}))),
  rule('SVC-2', shared({}, [matchLabel('app', 'a')]), shared({ 'metallb.io/allow-shared-ip': 'k' }, [matchLabel('app', 'a')])),
  rule('SVC-5', hasInterface(['eth0']), hasInterface(['eth7'])),
];

const P4 = ipamPool('p4', ['192.0.2.0/30']);
const picky = ipamPool('picky', ['203.0.113.0/30'], { serviceAllocation: { serviceSelectors: [app('yes')] } });
const getsOne = (options: ServiceOptions, ...before: ServiceOptions[]): Outcome => () => {
  const world = new World([P4, picky]);
  before.forEach((each, index) => world.apply(wanted(`default/before-${index}`, each)));
  world.apply(wanted('default/a', options));
  return world.ips('default/a').length > 0;
};
const ips = (value: string) => ({ annotations: ask({ loadBalancerIPs: value }) });
const sharer = (key: string, port: number) => ({
  loadBalancerIP: '192.0.2.1', annotations: ask({ 'allow-shared-ip': key }),
  ports: [tcp(port)],
});

const atAllocation = [
  rule('SVC-6', getsOne(ips('192.0.2.1')), getsOne({ ...ips('192.0.2.1'), loadBalancerIP: '192.0.2.1' })),
  rule('SVC-7', getsOne(ips(' 192.0.2.1 ')), getsOne(ips('192.0.2.1,192.0.2.2'))),
  rule('SVC-8', getsOne(ips('192.0.2.1')), getsOne({ stack: 'ipv6', ...ips('192.0.2.1') })),
  rule('SVC-9', getsOne({ annotations: ask({ 'address-pool': 'p4' }) }), getsOne({ annotations: ask({ 'address-pool': 'none' }) })),
  rule('SVC-10', getsOne({ loadBalancerIP: '203.0.113.1', labels: { app: 'yes' } }), getsOne({ loadBalancerIP: '203.0.113.1' })),
  rule('SVC-11', getsOne(sharer('k', 80), sharer('k', 81)), getsOne(sharer('k', 80), sharer('other', 81))),
  rule('SVC-12', getsOne({}), getsOne({ ipFamilyPolicy: 'RequireDualStack' })),
];

const excluding = (...excludedAddresses: string[]) => poolObject('p', ['10.0.0.0/24'], { excludedAddresses });

const warnings = [
  warning('POOL-13', [poolObject('p', ['10.0.0.0/24'])], [poolObject('p', ['10.0.0.9/24'])]),
  warning('POOL-15', [excluding('10.0.0.1')], [excluding('10.0.1.1')]),
  warning('POOL-16', [excluding('10.0.0.0/25')], [excluding('10.0.0.0/25', '10.0.0.128/25')]),
  warning('REF-1', [excluding(), bgpAdv('b', { ipAddressPools: ['p'] })], [bgpAdv('b', { ipAddressPools: ['p'] })]),
  warning('REF-2', [peer('p'), bgpAdv('b', { peers: ['p'] })], [bgpAdv('b', { peers: ['p'] })]),
];

const proofs: readonly Proof[] = [
  ...objectProofs,
  ...[...references, ...atAdmission, ...names, ...metallb, ...atAnnouncing, ...atAllocation, ...warnings].flat(),
];

describe('every case of every rule', () => {
  it.each(proofs)('$id $verdict: $what', ({ run }) => {
    expect(run()).toBe(true);
  });
});

/** What the API server and the webhook look at (api.md §7.2, column W, and the bounds of the schemas). */
function isJudgedAtAdmission(id: string): boolean {
  const atRunTime = ['PEER-16', 'PEER-17', 'PEER-18', 'PEER-19', 'ADB-12', 'X-1'];
  const unbreakable = ['PEER-20', 'BFD-1', 'BFD-7', 'POOL-1', 'POOL-10', 'ADB-18'];
  // Tests of their own in tests/integration/api/webhooks.test.ts.
  const deletionAndWarning = ['BFD-8', 'PEER-21'];
  return (
    !/^(NAT|X|SVC|MLB)-/.test(id) && ![...atRunTime, ...unbreakable, ...deletionAndWarning].includes(id)
  );
}

describe('ledger of the rules', () => {
  const known = [...ruleIds, ...ownRuleIds];
  const sound = { unproved: [], unknown: [], failed: [] };

  it('128 rules and our own, each with a case that keeps it and one that breaks it, or with what we do instead', () => {
    expect(ruleIds).toHaveLength(128);
    expect(audit(known, proofs)).toEqual(sound);
  });

  it('a rule differs or holds, not both, and docs/compatibility.md tells users which', () => {
    const differing = differences.map(({ id }) => id);
    expect(proofs.filter(({ id, verdict }) => verdict !== 'differs' && differing.includes(id))).toEqual([]);
    expect(differing).toEqual([...new Set(differing)]);
    const docs = readFileSync(join(import.meta.dirname, '../../../docs/compatibility.md'), 'utf8');
    expect(differences.filter(({ row }) => !docs.includes(`\n| ${row} |`))).toEqual([]);
  });

  it('every rule that is judged at admission has both cases in the corpus, which runs on the API server', () => {
    const inCorpus = (accepted: boolean) =>
      ruleCorpus.filter(({ denied }) => (denied === undefined) === accepted).flatMap(({ name }) => idsOf(name));
    const judged = ruleIds.filter(isJudgedAtAdmission);
    expect(judged.filter((id) => !inCorpus(true).includes(id))).toEqual([]);
    expect(judged.filter((id) => !inCorpus(false).includes(id))).toEqual([]);
  });

  it('positive controls: an invented rule, a rule without its broken case, a case that shows nothing, a foreign case', () => {
    expect(audit([...known, 'PEER-99'], proofs)).toEqual({ ...sound, unproved: ['PEER-99'] });
    const without = proofs.filter(({ id, verdict }) => id !== 'PEER-8' || verdict !== 'refused');
    expect(audit(known, without)).toEqual({ ...sound, unproved: ['PEER-8'] });
    const idle = proofs.map((proof) => (proof.id === 'SVC-3' ? { ...proof, run: () => false } : proof));
    expect(audit(known, idle)).toMatchObject({ unproved: ['SVC-3'], failed: [expect.stringContaining('SVC-3 differs')] });
    const foreign: Proof = { id: 'FRR-9', what: 'x', verdict: 'refused', run: () => true };
    expect(audit(known, [...proofs, foreign])).toEqual({ ...sound, unknown: ['FRR-9'] });
  });
});
