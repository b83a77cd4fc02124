/**
 * field-cases.md C12 on real kubelets, as docs/removal.md says: the MetalLB object goes, then the operator. What routers and
 * neighbours see, what stays on Services, and what a new installation makes of it; with graceful restart as well.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALLOCATED_FROM_POOL } from '#core/api/annotations.ts';
import { isAvailable } from '#lab/demo/full.ts';
import { Lab } from '#lab/lab.ts';
import { nodeAddresses, ROUTER_ASN } from '#lab/net/plan.ts';
import { waitFor } from '#lab/process/wait.ts';
import { quiet } from '#lab/report.ts';
import { startEcho } from '#tests/support/echo-traffic.ts';

const namespace = 'metallb-system';
const manifest = 'config/operator/install.yaml';
const services = '/api/v1/namespaces/default/services';
/** How long after the end of the speakers routes and answers may go on. */
const GONE_WITHIN_MS = 5000;
/** What our routers are asked to keep when a session ends: two minutes, unless told. */
const graceful = { enableGracefulRestart: true };

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.up({ name: 'mlb-e2e-gone', level: 'full', nodes: 2, report: quiet });
  // BFD would tell the router of the end of a session, and so would the end of graceful restart.
  const neighbors = [1, 2].flatMap((index) => Object.values(nodeAddresses(index)));
  await lab.router.load(
    [`router bgp ${ROUTER_ASN}`, ...neighbors.map((each) => ` no neighbor ${each} bfd`), ''].join('\n'),
  );
  await startEcho(lab);
});
afterAll(() => lab?.down());

const kubectl = (...args: readonly string[]) => lab.kubectl(args, { timeoutMs: 120_000 });
const explain = () => kubectl('get', 'pods,metallb,services,bgpsessionstates', '-A');

async function apply(kind: string, name: string, spec: object, version = 'v1beta1'): Promise<void> {
  const object = { apiVersion: `metallb.io/${version}`, kind, metadata: { name, namespace }, spec };
  await lab.kubectl(['apply', '-f', '-'], { input: JSON.stringify(object) });
}

async function installOperator(): Promise<void> {
  await kubectl('apply', '--server-side', '-f', manifest);
  await kubectl('rollout', 'status', '-n', namespace, 'deployment', '--timeout=60s');
}

async function installMetalLB(): Promise<void> {
  await kubectl('apply', '-f', 'lab/demo/manifests/metallb.yaml');
  await waitFor('MetalLB to be Available', () => isAvailable(lab), { deadlineMs: 120_000, explain });
}

/** The same pools each time; one router, with or without graceful restart. */
async function configure(peer: object = {}): Promise<void> {
  await apply('IPAddressPool', 'p', { addresses: ['198.51.100.0/28'] });
  await kubectl('apply', '-f', 'lab/demo/manifests/l2.yaml');
  const router = { myASN: 64512, peerASN: 64513, peerAddress: '10.90.0.254', connectTime: '1s' };
  await apply('BGPPeer', 'router', { ...router, ...peer }, 'v1beta2');
  await apply('BGPAdvertisement', 'p', { ipAddressPools: ['p'] });
}

async function createService(name: string, { pool = '', spec = {} } = {}): Promise<void> {
  const annotations = pool === '' ? {} : { 'metallb.io/address-pool': pool };
  await lab.api.create(services, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, annotations },
    spec: {
      type: 'LoadBalancer',
      selector: { app: 'echo' },
      ports: [{ port: 80, targetPort: 8080 }],
      ...spec,
    },
  });
}

interface Service {
  readonly metadata: {
    readonly resourceVersion: string;
    readonly finalizers?: readonly string[];
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly status: { readonly loadBalancer: { readonly ingress?: readonly { readonly ip: string }[] } };
}

const read = (name: string) => lab.api.get<Service>(`${services}/${name}`);

async function ipOf(name: string): Promise<string | undefined> {
  return (await read(name)).status.loadBalancer.ingress?.[0]?.ip;
}

const address = (name: string) =>
  waitFor(`an address of ${name}`, () => ipOf(name), { deadlineMs: 60_000, explain });

interface Path {
  readonly nexthops?: readonly { readonly ip: string }[];
}

/** Next hops of the router's paths to an address, those too that it only keeps for a restart. */
async function nextHops(ip: string): Promise<readonly string[]> {
  const { paths = [] } = await lab.router.json<{ paths?: readonly Path[] }>(
    `show bgp ipv4 unicast ${ip}/32 json`,
  );
  return paths.map(({ nexthops }) => nexthops?.[0]?.ip ?? '').sort();
}

const announced = (ip: string) =>
  waitFor(`two paths to ${ip}`, async () => (await nextHops(ip)).length === 2, {
    deadlineMs: 60_000,
    explain,
  });

const withdrawn = (ip: string) =>
  waitFor(`no path to ${ip}`, async () => (await nextHops(ip)).length === 0, {
    deadlineMs: GONE_WITHIN_MS,
    explain: () => lab.router.vtysh(`show bgp ipv4 unicast ${ip}/32`),
  });

/** Whether somebody on the LAN answers for an address. */
async function answers(ip: string): Promise<boolean> {
  const { stdout } = await lab.exec('lan', ['arping', '-i', 'eth0', '-c', '3', '-W', '0.1', ip]);
  return /([\da-f]{2}:){5}[\da-f]{2}/i.test(stdout);
}

/** Resolves when no speaker has a pod any more. */
async function speakersEnd(): Promise<void> {
  const left = () => kubectl('get', 'pods', '-n', namespace, '-l', 'component=speaker', '-o', 'name');
  await waitFor('the end of the speakers', async () => (await left()) === '', {
    deadlineMs: 60_000,
    intervalMs: 100,
    explain,
  });
}

async function removeMetalLB(): Promise<void> {
  await kubectl('delete', 'metallb', 'metallb', '-n', namespace, '--timeout=60s');
  await speakersEnd();
}

/** What the router knows of its session with the first node. */
async function remoteMode(): Promise<string | undefined> {
  const { ipv4 } = nodeAddresses(1);
  const all = await lab.router.json<
    Record<string, { gracefulRestartInfo?: { remoteGrMode?: string } } | undefined>
  >(`show bgp neighbors ${ipv4} json`);
  return all[ipv4]?.gracefulRestartInfo?.remoteGrMode;
}

describe('C12: after removal', () => {
  let kept: string;

  it('C12 E1, C12 E2: routes and answers end with the speakers, statuses stay, and nothing holds a Service', async () => {
    await installOperator();
    await configure();
    await installMetalLB();
    await createService('x');
    expect(await address('x')).toBe('198.51.100.0');
    for (const name of ['s', 't']) await createService(name);
    await createService('l', { pool: 'lan' });
    kept = await address('s');
    const [other, lan] = [await address('t'), await address('l')];
    await kubectl('delete', 'service', 'x');
    for (const ip of [kept, other]) await announced(ip);
    await waitFor(`an answer for ${lan}`, () => answers(lan), { deadlineMs: 30_000, explain });
    await removeMetalLB();
    for (const ip of [kept, other]) await withdrawn(ip);
    await waitFor(`silence of ${lan}`, async () => !(await answers(lan)), { deadlineMs: GONE_WITHIN_MS });
    await kubectl('delete', '-f', manifest, '--timeout=60s');
    expect(await ipOf('s')).toBe(kept);
    expect(await ipOf('l')).toBe(lan);
    expect((await read('t')).metadata).not.toHaveProperty('finalizers');
    await kubectl('delete', 'service', 't', '--timeout=5s');
    await expect(read('t')).rejects.toThrow(/404|not found/i);
  });

  it('C12 E3: a new installation writes nothing to the Services it finds, and gives the free address first', async () => {
    const before = (await read('s')).metadata.resourceVersion;
    await installOperator();
    // Before the controller: without any pool it takes what is recorded for given up.
    await configure(graceful);
    await installMetalLB();
    await createService('fresh');
    expect(await address('fresh')).toBe('198.51.100.0');
    await announced(kept);
    expect(await ipOf('s')).toBe(kept);
    expect((await read('s')).metadata.resourceVersion).toBe(before);
  });

  it('control: with graceful restart the router keeps the routes of a pod that is replaced', async () => {
    expect(await remoteMode()).toBe('Restart');
    const { ipv4 } = nodeAddresses(1);
    const ofNode = (...args: readonly string[]) =>
      kubectl(
        'get',
        'pods',
        '-n',
        namespace,
        '-l',
        'component=speaker',
        '--field-selector=spec.nodeName=node1',
        ...args,
      );
    const old = (await ofNode('-o', 'name')).trim();
    await kubectl('delete', old, '-n', namespace, '--wait=false');
    const seen: boolean[] = [];
    await waitFor(
      'the next speaker to be ready',
      async () => {
        seen.push((await nextHops(kept)).includes(ipv4));
        const lines = (await ofNode('--no-headers')).trim().split('\n');
        return (
          lines.length === 1 &&
          !lines[0]?.includes(old.replace('pod/', '')) &&
          / 2\/2 +Running/.test(lines[0] ?? '')
        );
      },
      { deadlineMs: 60_000, intervalMs: 100, explain },
    );
    expect(seen).not.toContain(false);
  });

  it('C12 E1: it does not keep those of an installation that is removed', async () => {
    await announced(kept);
    expect(await remoteMode()).toBe('Restart');
    await removeMetalLB();
    await withdrawn(kept);
    expect(await ipOf('s')).toBe(kept);
  });

  it('C12 E4, C12 E5: deleting the pools first, as documented, clears what is ours and nothing else', async () => {
    await installMetalLB();
    await announced(kept);
    const text = readFileSync('docs/removal.md', 'utf8');
    expect(text).toContain('By default nothing is taken from the Services');
    const command = /^kubectl (.* delete ipaddresspools.*)$/m.exec(text)?.[1] ?? '';
    await createService('foreign', { spec: { loadBalancerClass: 'other.example/lb' } });
    await lab.api.patch(`${services}/foreign/status`, {
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.200' }] } },
    });
    const before = (await read('foreign')).metadata.resourceVersion;
    await kubectl(...command.split(' '));
    for (const name of ['s', 'l', 'fresh'])
      await waitFor(
        `${name} to be cleared`,
        async () => {
          const { metadata, status } = await read(name);
          return (
            status.loadBalancer.ingress === undefined &&
            metadata.annotations?.[ALLOCATED_FROM_POOL] === undefined
          );
        },
        { deadlineMs: 20_000, explain },
      );
    expect(await ipOf('foreign')).toBe('192.0.2.200');
    expect((await read('foreign')).metadata.resourceVersion).toBe(before);
  });

  it('C12 E1: all deleted at once, namespace and CRDs too: routes end with the speakers, with graceful restart', async () => {
    await configure(graceful);
    const ip = await address('s');
    await announced(ip);
    expect(await remoteMode()).toBe('Restart');
    await kubectl('delete', '-f', manifest, '--wait=false');
    await speakersEnd();
    await withdrawn(ip);
  });
});
