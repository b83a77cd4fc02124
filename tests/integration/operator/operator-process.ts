/** The operator as a program of a light lab, under the account and rights of config/operator/install.yaml. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { Lab } from '#lab/lab.ts';
import type { Daemon } from '#lab/process/daemon.ts';
import { eventually } from '#tests/support/eventually.ts';
import { PretendKubelet } from './pretend-kubelet.ts';

const namespace = 'metallb-system';
const account = `system:serviceaccount:${namespace}:manager-account`;

export interface InstalledOperator {
  readonly kubelet: PretendKubelet;
  /** Starts one; it is ready when its log says so. */
  readonly start: (name: string, flags?: readonly string[], env?: Readonly<Record<string, string>>) => Daemon;
}

/** Applies install.yaml and starts a kubelet of ours, which does nothing before `running` is set. */
export async function installOperator(lab: Lab): Promise<InstalledOperator> {
  await lab.kubectl(['apply', '-f', '-'], { input: readFileSync('config/operator/install.yaml', 'utf8') });
  const kubeconfig = await lab.issueKubeconfig(account, [
    'system:serviceaccounts',
    `system:serviceaccounts:${namespace}`,
  ]);
  const kubelet = new PretendKubelet(lab.api, namespace);
  kubelet.start();
  const selector = encodeURIComponent('control-plane=controller-manager');
  const pod = await eventually(async () => {
    const pods = `/api/v1/namespaces/${namespace}/pods?labelSelector=${selector}`;
    const { items } = await lab.api.get<{ items: readonly { metadata: { name: string } }[] }>(pods);
    expect(items).toHaveLength(1);
    return items[0]?.metadata.name ?? '';
  }, 30_000);
  const start: InstalledOperator['start'] = (name, flags = [], more = {}) =>
    lab.spawn('control', {
      name,
      argv: [
        process.execPath,
        'operator/main.ts',
        `--kubeconfig=${kubeconfig}`,
        '--log-level=debug',
        ...flags,
      ],
      // The Deployment's own pod waits for a kubelet that the light lab has not; its image is the one to use.
      env: { OPERATOR_NAMESPACE: namespace, POD_NAME: pod, ...more },
    });
  return { kubelet, start };
}
