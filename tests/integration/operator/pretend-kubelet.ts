/**
 * The light lab has no kubelets and no scheduler: this binds each pod of MetalLB to a node, says it is ready, and
 * removes it when it is deleted. Everything between CR and pod is Kubernetes' own.
 */
import type { LabApi } from '#lab/control/api.ts';

interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly spec: {
    readonly nodeName?: string;
    readonly affinity?: {
      readonly nodeAffinity: {
        readonly requiredDuringSchedulingIgnoredDuringExecution: {
          readonly nodeSelectorTerms: readonly {
            readonly matchFields: readonly { readonly values: readonly string[] }[];
          }[];
        };
      };
    };
  };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

export class PretendKubelet implements AsyncDisposable {
  readonly #api: LabApi;
  readonly #pods: string;
  readonly #stop = new AbortController();
  #loop: Promise<void> | undefined;
  /** While false, new pods stay as they are. */
  running = false;

  constructor(api: LabApi, namespace: string) {
    this.#api = api;
    this.#pods = `/api/v1/namespaces/${namespace}/pods`;
  }

  start(): void {
    this.#loop = this.#run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      // The API server may be down on purpose.
      if (this.running) await this.#round().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async #round(): Promise<void> {
    const { items } = await this.#api.get<{ items: readonly Pod[] }>(
      `${this.#pods}?labelSelector=${encodeURIComponent('app=metallb')}`,
    );
    for (const pod of items) await this.#tend(pod);
  }

  async #tend(pod: Pod): Promise<void> {
    const path = `${this.#pods}/${pod.metadata.name}`;
    if (pod.metadata.deletionTimestamp !== undefined) {
      await this.#api.send('DELETE', `${path}?gracePeriodSeconds=0`);
      return;
    }
    if (pod.spec.nodeName === undefined) {
      const target = { apiVersion: 'v1', kind: 'Node', name: nodeFor(pod) };
      await this.#api.create(`${path}/binding`, {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: pod.metadata.name },
        target,
      });
    }
    if (pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') !== true) {
      await this.#api.patch(`${path}/status`, {
        status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
      });
    }
  }
}

/** A DaemonSet's pod names its node by affinity; the others go to the first node. */
function nodeFor(pod: Pod): string {
  const terms = pod.spec.affinity?.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution;
  return terms?.nodeSelectorTerms[0]?.matchFields[0]?.values[0] ?? 'node1';
}
