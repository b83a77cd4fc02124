/**
 * The 128 rules of api.md §6, each kept and broken. Those that look at objects on their own are in the corpus, which
 * also runs through API server and webhook; here are the others, and the ledger over all of them.
 */
import { describe, expect, it } from 'vitest';
import { judge } from '#cli/validate/command.ts';
import { parseManifests } from '#cli/validate/documents.ts';
import { lacksInterfaces } from '#core/announce/verdict.ts';
import { decideBgp } from '#core/bgp/advertise.ts';
import { bgpContext } from '#core/bgp/gates.ts';
import { admit, admitAtOnce, type AdmissionRequest } from '#core/config/admission.ts';
import { compile } from '#core/config/compile.ts';
import { validateMetalLB, wrongName, type MetalLBSpec } from '#core/config/metallb.ts';
import { decideL2 } from '#core/election/decide-l2.ts';
import { buildModel } from '#core/frr/build.ts';
import type { Config } from '#core/model/config.ts';
import { gateService } from '#core/model/service-gate.ts';
import { matchLabel, advertisement, community, config, endpoint, node, pool, service, slice } from '#tests/support/bgp-factories.ts';
import { corpus } from '#tests/support/config-corpus.ts';
import { bfd, bgpAdv, NAMESPACE, peer, pool as poolObject, resources, type Surroundings, type TestObject } from '#tests/support/config-factories.ts';
import { app, ask, pool as ipamPool, service as wanted, tcp, World, type ServiceOptions } from '#tests/support/ipam.ts';
import * as l2 from '#tests/support/l2-objects.ts';
import { idsOf, ruleIds } from '#tests/support/rule-ids.ts';

/** True: the rule is kept, or what it asks for is the case. */
type Outcome = () => boolean;
interface RuleCase {
  readonly id: string;
  readonly kept: Outcome;
  /** Absent where nothing can break the rule here, with the reason. */
  readonly broken: Outcome | string;
}
const rule = (id: string, kept: Outcome, broken: Outcome | string): RuleCase => ({ id, kept, broken });

const compiles = (id: string, around: Surroundings, ...objects: TestObject[]): Outcome => () =>
  !compile(resources(objects, around), { kind: 'cluster' }).problems.some(({ code }) => code === id);
const secret = { name: 'pw', type: 'kubernetes.io/basic-auth', password: 'hush' };
const withSecret = peer('a', { passwordSecret: { name: 'pw' } });
const secrets = (part: object): Surroundings => ({ secrets: [{ ...secret, ...part }] });

const references = [
  rule('PEER-16', compiles('PEER-16', secrets({}), withSecret), compiles('PEER-16', {}, withSecret)),
  rule('PEER-17', compiles('PEER-17', secrets({}), withSecret), compiles('PEER-17', secrets({ type: 'Opaque' }), withSecret)),
  rule('PEER-18', compiles('PEER-18', secrets({}), withSecret), compiles('PEER-18', secrets({ password: undefined }), withSecret)),
  rule('PEER-19', compiles('PEER-19', {}, bfd('x'), peer('a', { bfdProfile: 'x' })), compiles('PEER-19', {}, peer('a', { bfdProfile: 'x' }))),
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
const named = (id: string, kind: string, spec: object): RuleCase =>
  rule(id, reads(text(kind, 'a', spec)), reads(text(kind, '', spec)));
const unique = (id: string, kind: string, spec: object, other: object = spec): RuleCase =>
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
  rule('MLB-11', spec('', { bgpBackend: external }, 'frr'), 'served on every platform'),
  rule('MLB-12', spec('', { bgpBackend: 'native' }), 'served by FRR, on every platform'),
];

const announces = (part: Partial<Config>, ips: readonly string[] = ['198.51.100.10']): Outcome => () =>
  decideBgp(bgpContext(config(part), node(), false), service(ips), slice(endpoint())).kind === 'announce';
const preferences = (first: object, second: object): Partial<Config> => ({
  bgpAdvertisements: [advertisement('a', { localPref: 100, ...first }), advertisement('b', { localPref: 200, ...second })],
});
const many = Array.from({ length: 70 }, (_, index) => community(`64512:${index}`));
const other = [pool('pool-a', '198.51.100.0/24'), pool('pool-b', '203.0.113.0/24')];
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
const extras = (): boolean => {
  const context = bgpContext(config({ frrExtras: 'hostname mine' }), node(), false);
  return buildModel(context, [], { hostname: 'node-a', logLevel: 'informational' }).model.raw.length === 1;
};

const atAnnouncing = [
  rule('X-2', () => gateService(service(['198.51.100.10']), other).kind === 'pass', () => gateService(service(['198.51.100.10', '203.0.113.10']), other).kind === 'pass'),
  rule('X-3', extras, 'native is served by FRR'),
  rule('X-4', extras, 'frr-k8s is served by our own FRR'),
  rule('X-5', compiles('', {}, bfd('x')), 'native is served by FRR'),
  rule('SVC-1', announces(preferences({ peers: ['tor1'] }, { peers: ['tor2'] })), announces(preferences({}, {}))),
  rule('SVC-2', shared({}, [matchLabel('app', 'a')]), shared({ 'metallb.io/allow-shared-ip': 'k' }, [matchLabel('app', 'a')])),
  rule('SVC-3', announces({ bgpAdvertisements: [advertisement('a', { communities: many })] }), 'FRR carries more than 63'),
  rule('SVC-4', announces({}, ['2001:db8:100::10']), 'native is served by FRR'),
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

const cases = [...references, ...atAdmission, ...names, ...metallb, ...atAnnouncing, ...atAllocation];

describe('rules between objects, of names, of MetalLB and of Services', () => {
  it.each(cases)('$id kept', ({ kept }) => {
    expect(kept()).toBe(true);
  });
  it.each(cases.filter(({ broken }) => typeof broken !== 'string'))('$id broken', ({ broken }) => {
    expect(typeof broken !== 'string' && broken()).toBe(false);
  });
});

/** Proved on real parts alone: a session that FRR does not take is left out (tests/integration/frr/driver.test.ts). */
const onRealParts = ['X-6'];

/** Rules without a case that keeps them, and without one that breaks them. */
function missing(kept: readonly string[], broken: readonly string[]): { kept: string[]; broken: string[] } {
  const without = (ids: readonly string[]) => ruleIds.filter((id) => !ids.includes(id) && !onRealParts.includes(id));
  return { kept: without(kept), broken: without(broken) };
}

describe('ledger of the rules', () => {
  const inCorpus = (accepted: boolean) =>
    corpus.filter(({ denied }) => (denied === undefined) === accepted).flatMap(({ name }) => idsOf(name));
  const native = inCorpus(true).filter((id) => id.startsWith('NAT-'));
  const kept = [...inCorpus(true), ...cases.map(({ id }) => id)];
  const broken = [...inCorpus(false), ...native, ...cases.map(({ id }) => id)];

  it('128 rules, each kept and broken somewhere, but for those that do not exist here', () => {
    expect(ruleIds).toHaveLength(128);
    expect(missing(kept, broken)).toEqual({ kept: [], broken: [] });
  });

  it('positive control: a rule without a case is noticed', () => {
    expect(missing(kept.filter((id) => id !== 'PEER-8'), broken.filter((id) => id !== 'POOL-4'))).toEqual({
      kept: ['PEER-8'],
      broken: ['POOL-4'],
    });
  });
});
