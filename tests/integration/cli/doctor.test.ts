/** `metallb doctor` against a real API server and, with --host, in the network namespace of a node. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Result } from '#core/doctor/check.ts';
import { Lab } from '#lab/lab.ts';
import { waitFor } from '#lab/process/wait.ts';
import { quiet } from '#lab/report.ts';

const program = join(import.meta.dirname, '..', '..', '..', 'cli', 'main.ts');
const NAMESPACE = 'metallb-system';

let lab: Lab;

/** In a place of the lab, as the administrator unless told otherwise. */
async function doctor(flags: readonly string[] = [], kubeconfig = lab.kubeconfig) {
  const argv = [process.execPath, program, 'doctor', '-o', 'json', '--kubeconfig', kubeconfig, ...flags];
  const { code, stdout, stderr } = await lab.exec('node1', argv);
  expect(stderr).toBe('');
  const { checks } = JSON.parse(stdout) as { checks: (Result & { about: string })[] };
  const found = checks.flatMap(({ id, findings }) =>
    findings.map(({ severity, object, field }) => `${severity} ${id}: ${object} ${field}`),
  );
  const unknown = checks.filter(({ outcome }) => outcome === 'unknown').map(({ id }) => id);
  return { code, checks, found, unknown };
}

const apply = (...objects: readonly object[]) =>
  lab.kubectl(['apply', '-f', '-'], {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
  });

const proxyConfig = (text: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'kube-proxy', namespace: 'kube-system' },
  data: { 'config.conf': `kind: KubeProxyConfiguration\n${text}` },
});

beforeAll(async () => {
  lab = await Lab.up({ name: 'mlb-t-doctor', level: 'light', nodes: 1, report: quiet });
});
afterAll(() => lab?.down());

describe('metallb doctor', () => {
  it('before the installation: says what it cannot know, and nothing is wrong', async () => {
    expect(await doctor()).toMatchObject({ code: 2, found: [], unknown: ['kube-proxy'] });
    await apply(proxyConfig('mode: nftables\n'));
    expect(await doctor()).toMatchObject({ code: 0, found: [], unknown: [] });
  });

  it('tells everything that is wrong at once, each with object and field', async () => {
    await lab.kubectl(['apply', '--server-side', '-f', 'config/crd']);
    await lab.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
    const service = { namespace: NAMESPACE, name: 'metallb-webhook-service', path: '/validate' };
    const labels = { app: 'metallb', component: 'controller' };
    const image = 'registry.test/metallb/controller:v0.15';
    await apply(
      proxyConfig('mode: ipvs\nipvs: {strictARP: false}\n'),
      {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: NAMESPACE, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
      },
      {
        apiVersion: 'metallb.io/v1beta1',
        kind: 'IPAddressPool',
        metadata: { name: 'greedy', namespace: NAMESPACE },
        spec: { addresses: ['10.90.0.0/24', '10.96.0.0/24'] },
      },
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'controller', namespace: NAMESPACE, labels },
        spec: {
          replicas: 0,
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers: [{ name: 'controller', image }] } },
        },
      },
      {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingWebhookConfiguration',
        metadata: { name: 'metallb-webhook-configuration' },
        webhooks: [
          {
            name: 'ipaddresspoolvalidationwebhook.metallb.io',
            admissionReviewVersions: ['v1'],
            sideEffects: 'None',
            failurePolicy: 'Fail',
            clientConfig: { service },
            rules: [
              {
                apiGroups: ['metallb.io'],
                apiVersions: ['v1beta1'],
                resources: ['ipaddresspools'],
                operations: ['CREATE', 'UPDATE'],
              },
            ],
          },
        ],
      },
    );
    const label = 'node.kubernetes.io/exclude-from-external-load-balancers';
    await lab.kubectl(['label', 'node', 'node1', `${label}=`]);
    const node = await lab.api.get<{ status: { addresses: { address: string }[] } }>('/api/v1/nodes/node1');
    expect(node.status.addresses.map(({ address }) => address)).toContain('10.90.0.11');
    const { code, found } = await doctor();
    expect(code).toBe(1);
    const pool = `IPAddressPool ${NAMESPACE}/greedy`;
    expect(found).toEqual([
      `error namespace: Namespace ${NAMESPACE} metadata.labels["pod-security.kubernetes.io/enforce"]`,
      'error kube-proxy: ConfigMap kube-system/kube-proxy data["config.conf"] ipvs.strictARP',
      `error excluded-nodes: Node node1 metadata.labels["${label}"]`,
      `error other-metallb: Deployment ${NAMESPACE}/controller spec.template`,
      'error webhooks: ValidatingWebhookConfiguration metallb-webhook-configuration webhooks[0].clientConfig.service',
      'error webhook-answer: ValidatingWebhookConfiguration metallb-webhook-configuration webhooks[].clientConfig',
      `error pools-and-nodes: ${pool} spec.addresses[0]`,
      `error pools-and-cluster-ips: ${pool} spec.addresses[1]`,
      `error workloads: Deployment ${NAMESPACE}/controller spec.replicas`,
    ]);
  });

  it('a user who may read nothing is told so, check by check', async () => {
    const { code, found, unknown, checks } = await doctor([], await lab.issueKubeconfig('nobody'));
    expect(code).toBe(2);
    expect(found).toEqual([]);
    expect(unknown.length).toBe(checks.length - 1);
    expect(checks.find(({ id }) => id === 'excluded-nodes')?.text).toMatch(
      /nodes cannot be read: .*forbidden/,
    );
  });
});

describe('metallb doctor --host, in the namespace of a node', () => {
  it('tells who has our ports, who speaks BGP, and which VRF is missing', async () => {
    const peer = { myASN: 64512, peerASN: 64513, peerAddress: '10.90.0.254', vrf: 'red' };
    await apply({
      apiVersion: 'metallb.io/v1beta2',
      kind: 'BGPPeer',
      metadata: { name: 'red', namespace: NAMESPACE },
      spec: peer,
    });
    const listen = "require('node:dgram').createSocket('udp4').bind(7946, () => console.log('bound'))";
    const squatter = lab.spawn('node1', { name: 'squatter', argv: [process.execPath, '-e', listen] });
    await waitFor('the port to be taken', () => squatter.logText().includes('bound'));
    await lab.frr('node1').start('router bgp 64999\n');
    const { code, checks } = await doctor(['--host']);
    expect(code).toBe(1);
    const host = checks.filter(({ about }) => about === 'host').flatMap(({ findings }) => findings);
    expect(host).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          field: 'UDP port 7946',
          message: expect.stringMatching(/node:dgram.* has it/) as string,
        }),
        expect.objectContaining({ message: expect.stringMatching(/^bgpd speaks BGP here/) as string }),
        expect.objectContaining({ object: `BGPPeer ${NAMESPACE}/red`, field: 'spec.vrf' }),
        expect.objectContaining({
          object: `IPAddressPool ${NAMESPACE}/greedy`,
          message: expect.stringMatching(/10\.90\.0\.11, the address of interface eth0/) as string,
        }),
      ]),
    );
    await squatter.stop('SIGTERM');
    const after = await doctor(['--host']);
    expect(after.found.filter((line) => line.includes('port 7946'))).toEqual([]);
  });
});
