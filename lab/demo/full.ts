/**
 * The full level: the image is built and imported when the nodes start; the operator is installed as a user would
 * do it, and makes the controller and the speakers of a MetalLB object; the servers are pods.
 */
import { join } from 'node:path';
import { NAMESPACE, type Evidence, type Progress, type Stage, type StageStep } from '#lab/demo/stage.ts';
import type { Lab } from '#lab/lab.ts';
import { waitFor } from '#lab/process/wait.ts';

const root = join(import.meta.dirname, '..', '..');
const manifests = join(import.meta.dirname, 'manifests');

export class FullStage implements Stage {
  readonly lab: Lab;
  readonly deploy: readonly StageStep[];

  constructor(lab: Lab) {
    this.lab = lab;
    this.deploy = [
      {
        name: 'Operator',
        does: 'kubectl apply of config/crd and config/operator/install.yaml',
        see: 'the operator is available',
        run: () => this.#installOperator(),
      },
      {
        name: 'MetalLB',
        does: 'kubectl apply of a MetalLB object; the operator makes a Deployment and a DaemonSet of it',
        see: 'the object becomes Available: the controller and a speaker with FRR on every node are ready',
        run: (progress) => this.#createMetalLB(progress),
      },
    ];
  }

  async #installOperator(): Promise<Evidence> {
    await this.lab.kubectl(['apply', '--server-side', '-f', join(root, 'config/crd')]);
    await this.lab.kubectl(['apply', '--server-side', '-f', join(root, 'config/operator/install.yaml')]);
    await this.lab.kubectl(['rollout', 'status', '-n', NAMESPACE, 'deployment', '--timeout=60s'], {
      timeoutMs: 90_000,
    });
    return { pods: await this.#pods() };
  }

  async #createMetalLB(progress: Progress): Promise<Evidence> {
    const { lab } = this;
    await lab.kubectl(['apply', '-f', join(manifests, 'metallb.yaml')]);
    await waitFor(
      'the MetalLB object to become Available',
      async () => {
        progress((await this.#pods()).replaceAll(/\s+/g, ' ').slice(0, 200));
        return isAvailable(lab);
      },
      {
        deadlineMs: 120_000,
        intervalMs: 500,
        explain: () => lab.kubectl(['describe', 'metallb,pods', '-n', NAMESPACE]),
      },
    );
    return { metallb: await lab.kubectl(['get', 'metallb', '-n', NAMESPACE]), pods: await this.#pods() };
  }

  #pods(): Promise<string> {
    return this.lab.kubectl(['get', 'pods', '-n', NAMESPACE, '--no-headers']);
  }

  async startWorkload(): Promise<Evidence> {
    const { lab } = this;
    await lab.kubectl(['apply', '-f', join(manifests, 'workload.yaml')]);
    await lab.kubectl(['rollout', 'status', 'daemonset/web', '--timeout=60s'], { timeoutMs: 90_000 });
    const listed = await lab.kubectl(['get', 'pods', '-l', 'app=web', '--no-headers']);
    return { servers: listed.trim().split('\n').length };
  }

  async createService(name: string, options: { pool?: string; ready?: boolean } = {}): Promise<void> {
    const annotations = options.pool === undefined ? {} : { 'metallb.io/address-pool': options.pool };
    const selector = { app: options.ready === false ? `${name}-not-yet` : 'web' };
    await this.lab.api.create('/api/v1/namespaces/default/services', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, annotations },
      spec: {
        type: 'LoadBalancer',
        ipFamilyPolicy: 'RequireDualStack',
        selector,
        ports: [{ name: 'http', port: 80, targetPort: 8080 }],
      },
    });
  }

  /** Points the Service at the running servers; resolves when a slice with ready endpoints is in the API. */
  async makeReady(name: string): Promise<void> {
    const { api } = this.lab;
    await api.patch(`/api/v1/namespaces/default/services/${name}`, { spec: { selector: { app: 'web' } } });
    await waitFor(
      `ready endpoints of ${name}`,
      async () => {
        const path = `/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io/service-name=${name}`;
        const { items } = await api.get<{ items: { endpoints?: { conditions?: { ready?: boolean } }[] }[] }>(
          path,
        );
        return items.some(({ endpoints }) => endpoints?.some(({ conditions }) => conditions?.ready === true));
      },
      { intervalMs: 10 },
    );
  }
}

/** The MetalLB object is Available, and neither Degraded nor Progressing. */
export async function isAvailable(lab: Lab): Promise<boolean> {
  const columns = await lab.kubectl(['get', 'metallb', 'metallb', '-n', NAMESPACE, '--no-headers']);
  return / True +False +False /.test(columns);
}
