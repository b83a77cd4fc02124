/** A lab whose API server asks our admission webhook, with no more rights than are shipped. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Lab } from '#lab/lab.ts';
import { nodeAddresses } from '#lab/net/plan.ts';
import type { Daemon } from '#lab/process/daemon.ts';
import { quiet } from '#lab/report.ts';
import { webhookServer } from '#operator/render/webhook.ts';
import { plainOptions } from '#tools/manifests/producer.ts';

const root = join(import.meta.dirname, '../..');

/** Where the program on node1 listens. */
export const WEBHOOK_PORT = 9443;

/** A light lab with our CRDs and the registered webhooks, failure policy Fail. The server is still to be started. */
export async function webhookLab(name: string): Promise<Lab> {
  const lab = await Lab.up({ name, level: 'light', nodes: 1, report: quiet });
  const files = readdirSync(join(root, 'config/crd'));
  await lab.kubectl(['apply', ...files.flatMap((file) => ['-f', join(root, 'config/crd', file)])]);
  await lab.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
  await lab.kubectl(['create', 'namespace', 'metallb-system']);
  // In place of pod and Service: a program on node1, which the API server reaches by its address.
  const manifests = webhookServer(plainOptions('test', ''), 'Fail')
    .filter(({ kind }) => kind !== 'Deployment')
    .map((manifest) =>
      manifest.kind === 'Service'
        ? { ...manifest, spec: { type: 'ExternalName', externalName: nodeAddresses(1).ipv4 } }
        : manifest,
    );
  const text = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests });
  const onPort = text.replaceAll('"service":{', `"service":{"port":${WEBHOOK_PORT},`);
  await lab.kubectl(['apply', '-f', '-'], { input: onPort });
  return lab;
}

/** The webhook server as a program on node1. It may take a while until it answers. */
export async function startWebhookServer(lab: Lab): Promise<Daemon> {
  const kubeconfig = await lab.issueKubeconfig('system:serviceaccount:metallb-system:webhook-server', [
    'system:serviceaccounts',
  ]);
  const flags = [
    `--kubeconfig=${kubeconfig}`,
    '--namespace=metallb-system',
    '--port=0',
    '--health-probe-port=0',
  ];
  return lab.spawn('node1', {
    name: 'webhook-server',
    argv: [process.execPath, join(root, 'controller/main.ts'), '--webhook-mode=onlywebhook', ...flags],
  });
}
