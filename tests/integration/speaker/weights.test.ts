/** Traffic by the number of local endpoints: what real speakers send with `weightByEndpoints`, and what a real router makes of it. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LightStage } from '#lab/demo/light.ts';
import { NAMESPACE } from '#lab/demo/stage.ts';
import { Lab } from '#lab/lab.ts';
import { nodeAddresses } from '#lab/net/plan.ts';
import { quiet } from '#lab/report.ts';
import { createService, endpointSlice } from '#lab/workload/service.ts';
import { eventually } from '#tests/support/eventually.ts';

const LONG = 60_000;
const IP = '198.51.100.1';
const root = join(import.meta.dirname, '../../..');

let lab: Lab;
let stage: LightStage;

interface NextHop {
  readonly ip?: string;
  readonly weight?: number;
  readonly active?: boolean;
}

/** Share of each node in the router's route to the address, in percent, as the router's kernel has it. */
async function shares(): Promise<readonly number[]> {
  const routes = await lab.router.json<Record<string, readonly { nexthops: readonly NextHop[] }[]>>(
    `show ip route ${IP} json`,
  );
  const hops = Object.values(routes).flatMap((each) => each.flatMap(({ nexthops }) => nexthops));
  const weights = stage.nodes.map((index) => {
    const hop = hops.find(({ ip, active }) => active === true && ip === nodeAddresses(index).ipv4);
    return hop === undefined ? 0 : (hop.weight ?? 1);
  });
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => Math.round((100 * weight) / total));
}

/** Gives the Service so many endpoints on each node. */
async function spread(...counts: readonly number[]): Promise<void> {
  const endpoints = counts.flatMap((count, i) => {
    const { endpoints: one } = endpointSlice({ name: 'web', nodes: [i + 1] }, 'IPv4') as {
      endpoints: readonly object[];
    };
    return Array.from({ length: count }, (_, n) => ({ ...one[0], addresses: [`10.244.${i + 1}.${20 + n}`] }));
  });
  await lab.api.patch('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/web-ipv4', { endpoints });
}

interface Session {
  readonly messageStats: { readonly updatesRecv: number };
  readonly connectionsEstablished: number;
}

/** FRR looks at changed maps once more after `bgp route-map delay-timer`, one second: what it sends then belongs to the change. */
const LATE_MS = 2_000;

/** The router's session with a node, once no UPDATE has come for so long. */
async function settledSession(index: number): Promise<Session> {
  const { ipv4 } = nodeAddresses(index);
  let seen = { updates: -1, since: 0 };
  return eventually(async () => {
    const found = await lab.router.json<Record<string, Session>>(`show bgp neighbors ${ipv4} json`);
    const session = found[ipv4];
    if (session === undefined) throw new Error(`no session with ${ipv4}`);
    const updates = session.messageStats.updatesRecv;
    if (updates !== seen.updates) seen = { updates, since: performance.now() };
    if (performance.now() - seen.since < LATE_MS) throw new Error(`UPDATEs until just now: ${updates}`);
    return session;
  }, LONG);
}

const shared = (...wanted: readonly number[]) =>
  eventually(async () => {
    const found = await shares();
    // The router rounds to whole parts of a hundred or of 255.
    for (const [i, share] of found.entries())
      expect(Math.abs(share - (wanted[i] ?? 0)), found.join()).toBeLessThanOrEqual(1);
  }, LONG);

async function advertise(spec: object): Promise<void> {
  const metadata = { name: 'bgp', namespace: NAMESPACE };
  const object = { apiVersion: 'metallb.io/v1beta1', kind: 'BGPAdvertisement', metadata, spec };
  await lab.kubectl(['replace', '-f', '-'], { input: JSON.stringify(object) });
}

beforeAll(async () => {
  lab = await Lab.up({ name: 'mlb-t-weight', level: 'light', nodes: 3, report: quiet });
  stage = new LightStage(lab);
  for (const step of stage.deploy) await step.run(() => undefined);
  await lab.kubectl(['apply', '-f', join(root, 'lab/demo/manifests/bgp.yaml')]);
  const spec = { externalTrafficPolicy: 'Local', ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'] };
  await createService(lab.api, { name: 'web', nodes: [1, 2, 3], spec });
  // The Service has IPv4 only, and so have its pods.
  await lab.kubectl(['delete', 'endpointslice', 'web-ipv6']);
}, 300_000);
afterAll(() => lab?.down());

describe('weightByEndpoints of a BGPAdvertisement (issue 6, item 8)', () => {
  it('without it all nodes are alike, however many endpoints they have', async () => {
    await spread(6, 1, 1);
    await shared(33, 33, 33);
  });

  it('with it the router shares by the endpoints of each node, and follows them', async () => {
    await advertise({ ipAddressPools: ['bgp'], weightByEndpoints: true });
    await shared(75, 12.5, 12.5);
    const path = await lab.router.json<{ paths: readonly { extendedCommunity?: { string: string } }[] }>(
      `show bgp ipv4 unicast ${IP}/32 json`,
    );
    const told = path.paths.map(({ extendedCommunity }) => extendedCommunity?.string ?? '').sort();
    expect(told).toEqual([
      expect.stringMatching(/LB:64512:125000 \(1\.000 Mbps\)/),
      expect.stringMatching(/LB:64512:125000 \(1\.000 Mbps\)/),
      expect.stringMatching(/LB:64512:750000 \(6\.000 Mbps\)/),
    ]);
    await spread(1, 3, 0);
    await shared(25, 75, 0);
  });

  it('a change of the number is one UPDATE and no withdrawal; no session notices', async () => {
    const before = await settledSession(1);
    await spread(3, 3, 0);
    await shared(50, 50, 0);
    const after = await settledSession(1);
    expect(after.messageStats.updatesRecv - before.messageStats.updatesRecv).toBe(1);
    expect(after.connectionsEstablished).toBe(before.connectionsEstablished);
  });

  it('with policy Cluster a node without endpoints passes on, with the smallest weight', async () => {
    await lab.api.patch('/api/v1/namespaces/default/services/web', {
      spec: { externalTrafficPolicy: 'Cluster' },
    });
    await spread(8, 1, 0);
    await shared(80, 10, 10);
    await advertise({ ipAddressPools: ['bgp'] });
    await shared(33, 33, 33);
  });
});
