/** `metallb simulate` says what the controller does: one set of objects through both. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { simulateCommand } from '#cli/simulate/command.ts';
import type { Outcome } from '#core/ipam/simulate.ts';
import { ControllerLab, NAMESPACE } from '#tests/support/controller-lab.ts';
import { eventually } from '#tests/support/eventually.ts';

interface Wanted {
  readonly name: string;
  readonly spec?: object;
  readonly annotations?: Record<string, string>;
}

const pools: Readonly<Record<string, object>> = {
  lan: { addresses: ['192.0.2.0/29', '2001:db8::/126'], excludedAddresses: ['192.0.2.0-192.0.2.1'] },
  manual: { addresses: ['198.51.100.0/30'], autoAssign: false },
  picky: {
    addresses: ['203.0.113.0/30'],
    serviceAllocation: { priority: 1, serviceSelectors: [{ matchLabels: { app: 'vip' } }] },
  },
};
const shared = { 'metallb.io/allow-shared-ip': 'k', 'metallb.io/loadBalancerIPs': '192.0.2.5' };
const services: readonly Wanted[] = [
  { name: 'first' },
  { name: 'dual', spec: { ipFamilyPolicy: 'PreferDualStack' } },
  { name: 'asks', annotations: { 'metallb.io/loadBalancerIPs': '192.0.2.4' } },
  { name: 'too-late', annotations: { 'metallb.io/loadBalancerIPs': '192.0.2.4' } },
  { name: 'excluded', annotations: { 'metallb.io/loadBalancerIPs': '192.0.2.1' } },
  { name: 'named', annotations: { 'metallb.io/address-pool': 'manual' } },
  { name: 'nowhere', annotations: { 'metallb.io/address-pool': 'none' } },
  { name: 'shares', annotations: shared },
  { name: 'shares-too', annotations: shared, spec: { ports: [{ port: 81, protocol: 'TCP' }] } },
];

const folder = mkdtempSync(join(tmpdir(), 'metallb-simulate-'));
let lab: ControllerLab;

async function simulate(...args: readonly string[]): Promise<Map<string, Outcome>> {
  let output = '';
  await simulateCommand(['-o', 'json', ...args], { env: {}, write: (text) => (output += text) });
  const { services: outcomes } = JSON.parse(output) as { services: readonly Outcome[] };
  return new Map(outcomes.map((outcome) => [outcome.service.replace('default/', ''), outcome]));
}

function file(name: string, objects: readonly object[]): string {
  const path = join(folder, name);
  writeFileSync(path, objects.map((object) => stringify(object)).join('---\n'));
  return path;
}

const poolObject = (name: string, spec: object) => ({
  apiVersion: 'metallb.io/v1beta1',
  kind: 'IPAddressPool',
  metadata: { name, namespace: NAMESPACE },
  spec,
});

beforeAll(async () => {
  lab = await ControllerLab.start();
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await lab?.[Symbol.asyncDispose]();
});

describe('metallb simulate', () => {
  it('files: the addresses that the controller then gives', async () => {
    const objects = [
      ...Object.entries(pools).map(([name, spec]) => poolObject(name, spec)),
      ...services.map(({ name, spec, annotations }) => ({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name, annotations },
        spec: { type: 'LoadBalancer', ports: [{ port: 80, protocol: 'TCP' }], ...spec },
      })),
    ];
    const told = await simulate(file('all.yaml', objects));
    for (const [name, { addresses, ...spec }] of Object.entries(pools) as [string, { addresses: string[] }][])
      await lab.pool(name, addresses, spec);
    await lab.startController();
    for (const { name, spec, annotations } of services) {
      await lab.service(name, spec, annotations);
      const { after = [], waitsFor } = told.get(name) ?? {};
      await lab.expectIps(name, after);
      if (waitsFor !== undefined) await lab.expectEvent(name, 'AllocationFailed', /./);
    }
    expect(
      [...told.values()].filter(({ waitsFor }) => waitsFor !== undefined).map(({ service }) => service),
    ).toEqual(['default/excluded', 'default/nowhere', 'default/too-late']);
  });

  it('--live: everybody keeps what they have, and nothing is written', async () => {
    const before = await Promise.all(services.map(({ name }) => lab.read(name)));
    const told = await simulate('--live', '--kubeconfig', lab.plane.kubeconfig);
    for (const { name } of services) {
      const outcome = told.get(name);
      expect([name, outcome?.after]).toEqual([name, await lab.ips(name)]);
      expect(['keeps', 'waits']).toContain(outcome?.change);
    }
    const versions = (list: typeof before) => list.map(({ metadata }) => metadata.resourceVersion);
    expect(versions(await Promise.all(services.map(({ name }) => lab.read(name))))).toEqual(versions(before));
  });

  it('--live with a file on top: who would move, and then does', async () => {
    const addresses = ['192.0.2.4-192.0.2.7', '2001:db8::/126'];
    const smaller = file('smaller.yaml', [poolObject('lan', { addresses })]);
    const told = await simulate('--live', '--kubeconfig', lab.plane.kubeconfig, smaller);
    expect(told.get('first')?.change).toBe('moves');
    expect(told.get('asks')?.change).toBe('keeps');
    await lab.pool('lan', addresses);
    await eventually(async () => {
      for (const [name, { after }] of told) expect([name, await lab.ips(name)]).toEqual([name, after]);
    }, 20_000);
  });
});
