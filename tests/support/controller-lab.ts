/**
 * The controller as a process against a real API server, under the roles that are shipped for it and nothing more.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { parse } from 'yaml';
import { metallbResources } from '#core/api/resources.ts';
import { controllerClusterRules, controllerRules } from '#operator/render/rbac.ts';
import { createKubeClient } from '#runtime/kube/client.ts';
import { loadCredentials, type Credentials } from '#runtime/kube/credentials.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import { createTransport } from '#runtime/kube/transport.ts';
import { KubeError, type KubeClient, type KubeObject, type ResourceType } from '#runtime/kube/types.ts';
import { silent } from '#runtime/log/logger.ts';
import { ControlPlane } from './control-plane.ts';
import { eventually } from './eventually.ts';

export const NAMESPACE = 'metallb-system';
const WAIT_MS = 20_000;
/** Leader election that notices a dead leader within two seconds. */
export const LEADER_FLAGS = [
  '--leader-elect',
  '--leader-elect-lease-duration=2s',
  '--leader-elect-renew-deadline=1500ms',
  '--leader-elect-retry-period=250ms',
];

const rbac = (plural: string, kind: string, namespaced: boolean): ResourceType => ({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  plural,
  kind,
  namespaced,
});

/** One running controller. */
export class ControllerProcess {
  readonly #child: ChildProcess;
  readonly healthPort: number;
  #log = '';

  constructor(child: ChildProcess, healthPort: number) {
    this.#child = child;
    this.healthPort = healthPort;
    child.stdout?.on('data', (chunk: Buffer) => (this.#log += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (this.#log += chunk.toString()));
  }

  get log(): string {
    return this.#log;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async ready(): Promise<void> {
    await eventually(async () => {
      if (!this.running) throw new Error(`the controller ended: ${this.#log.slice(-3000)}`);
      const response = await fetch(`http://127.0.0.1:${this.healthPort}/readyz`);
      if (response.status !== 200) throw new Error(await response.text());
    }, WAIT_MS);
  }

  /** Ends it and returns its exit code (null after a signal that kills). */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (!this.running) return this.#child.exitCode;
    const exited = once(this.#child, 'exit');
    this.#child.kill(signal);
    await exited;
    return this.#child.exitCode;
  }
}

export class ControllerLab {
  readonly plane: ControlPlane;
  readonly client: KubeClient;
  readonly #credentials: Credentials;
  readonly #kubeconfig: string;
  readonly #processes: ControllerProcess[] = [];
  /** What Node runs: the source, unless a bundle is to be tried. */
  entry = join(import.meta.dirname, '../../controller/main.ts');
  /** Node's own flags, and environment besides PATH. */
  nodeFlags: readonly string[] = [];
  env: Readonly<Record<string, string>> = {};
  /** By a service account as in a pod, instead of a kubeconfig. Root only: the files need a mount. */
  inPod = false;

  private constructor(plane: ControlPlane, credentials: Credentials, kubeconfig: string) {
    this.plane = plane;
    this.#credentials = credentials;
    this.#kubeconfig = kubeconfig;
    this.client = createKubeClient(createTransport(credentials, { logger: silent }));
  }

  /** A dual-stack API server with our kinds (but for those `without`, by plural), namespace and the controller's roles. */
  static async start({ without = [] }: { without?: readonly string[] } = {}): Promise<ControllerLab> {
    const plane = await ControlPlane.start(['--service-cluster-ip-range=10.96.0.0/16,fd00:96::/108']);
    const credentials = await loadCredentials({ kubeconfig: plane.kubeconfig });
    const kubeconfig = `${plane.kubeconfig}-controller`;
    const text = await readFile(plane.kubeconfig, 'utf8');
    await writeFile(kubeconfig, text.replace('admin-token', 'other-token'), { mode: 0o600 });
    const lab = new ControllerLab(plane, credentials, kubeconfig);
    await lab.#prepare(without);
    return lab;
  }

  async #prepare(without: readonly string[]): Promise<void> {
    const folder = join(import.meta.dirname, '../../config/crd');
    const left = without.map((plural) => `metallb.io_${plural}.yaml`);
    for (const file of (await readdir(folder)).filter((name) => name.startsWith('metallb.io_'))) {
      if (left.includes(file)) continue;
      const crd = parse(await readFile(join(folder, file), 'utf8')) as KubeObject;
      await this.client.create(kinds.CustomResourceDefinition, crd);
    }
    await this.client.create(kinds.Namespace, { metadata: { name: NAMESPACE } });
    const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'other' }];
    const ref = (kind: string): object => ({
      apiGroup: 'rbac.authorization.k8s.io',
      kind,
      name: 'controller',
    });
    const own = { name: 'controller', namespace: NAMESPACE };
    const cluster = { name: 'controller' };
    await this.client.create(rbac('clusterroles', 'ClusterRole', false), {
      metadata: cluster,
      rules: controllerClusterRules,
    });
    await this.client.create(rbac('clusterrolebindings', 'ClusterRoleBinding', false), {
      metadata: cluster,
      roleRef: ref('ClusterRole'),
      subjects,
    });
    await this.client.create(rbac('roles', 'Role', true), { metadata: own, rules: controllerRules });
    await this.client.create(rbac('rolebindings', 'RoleBinding', true), {
      metadata: own,
      roleRef: ref('Role'),
      subjects,
    });
    await eventually(
      () => this.client.list(metallbResources.IPAddressPool, { namespace: NAMESPACE }),
      WAIT_MS,
    );
  }

  /** Starts a controller and waits until it is ready. */
  async startController(...flags: readonly string[]): Promise<ControllerProcess> {
    const controller = await this.spawnController(...flags);
    await controller.ready();
    return controller;
  }

  async spawnController(...flags: readonly string[]): Promise<ControllerProcess> {
    const healthPort = await freePort();
    const argv = [
      ...this.nodeFlags,
      this.entry,
      ...(this.inPod ? [] : [`--kubeconfig=${this.#kubeconfig}`]),
      `--namespace=${NAMESPACE}`,
      '--port=0',
      `--health-probe-port=${healthPort}`,
      ...flags,
    ];
    const pod = this.inPod ? podOf(this.plane) : { command: [], env: {} };
    const command = ['--pdeathsig', 'KILL', '--', ...pod.command, process.execPath, ...argv];
    const child = spawn('setpriv', command, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], ...pod.env, ...this.env },
    });
    const controller = new ControllerProcess(child, healthPort);
    this.#processes.push(controller);
    return controller;
  }

  async pool(name: string, addresses: readonly string[], spec: object = {}): Promise<void> {
    const object = { apiVersion: 'metallb.io/v1beta1', kind: 'IPAddressPool' };
    const metadata = { name, namespace: NAMESPACE };
    const ref = { type: metallbResources.IPAddressPool, namespace: NAMESPACE, name };
    const body = { ...object, metadata, spec: { addresses, ...spec } };
    await this.client.apply(ref, body, { fieldManager: 'test' });
  }

  async deletePool(name: string): Promise<void> {
    await this.client.delete({ type: metallbResources.IPAddressPool, namespace: NAMESPACE, name });
  }

  /** Creates a load balancer Service in `default` with port TCP/80. */
  async service(name: string, spec: object = {}, annotations: Record<string, string> = {}): Promise<void> {
    await this.client.create(kinds.Service, {
      metadata: { name, namespace: 'default', annotations },
      spec: {
        type: 'LoadBalancer',
        allocateLoadBalancerNodePorts: false,
        selector: { app: name },
        ports: [{ port: 80, protocol: 'TCP' }],
        ...spec,
      },
    });
  }

  async deleteService(name: string): Promise<void> {
    await this.client.delete({ type: kinds.Service, namespace: 'default', name });
  }

  /** Changes a Service by merge patch, as a user. */
  async patchService(name: string, body: object, subresource?: string): Promise<void> {
    const options = subresource === undefined ? {} : { subresource };
    await this.client.patch({ type: kinds.Service, namespace: 'default', name }, body, options);
  }

  read(name: string): Promise<KubeObject> {
    return this.client.get({ type: kinds.Service, namespace: 'default', name });
  }

  async ips(name: string): Promise<string[]> {
    return ipsOf(await this.read(name));
  }

  /** Waits until the Service has exactly these addresses. */
  async expectIps(name: string, ips: readonly string[]): Promise<void> {
    await eventually(async () => expect(await this.ips(name), name).toEqual(ips), WAIT_MS);
  }

  /** Events about an object, oldest first. */
  async events(name: string): Promise<{ reason: string; message: string; type: string }[]> {
    const all = await this.client.list(kinds.Event);
    return all
      .filter((event) => (event['involvedObject'] as { name?: string }).name === name)
      .map((event) => ({
        reason: String(event['reason']),
        message: String(event['message']),
        type: String(event['type']),
      }));
  }

  /** Waits for an event of this reason whose message matches. */
  async expectEvent(name: string, reason: string, message: RegExp): Promise<void> {
    await eventually(async () => {
      const events = (await this.events(name)).filter((event) => event.reason === reason);
      expect(events.map((event) => event.message).join('\n'), `${reason} of ${name}`).toMatch(message);
    }, WAIT_MS);
  }

  async poolStatus(name: string): Promise<unknown> {
    const ref = { type: metallbResources.IPAddressPool, namespace: NAMESPACE, name };
    return (await this.client.get(ref))['status'];
  }

  async state(): Promise<KubeObject> {
    const ref = { type: metallbResources.ConfigurationState, namespace: NAMESPACE, name: 'controller' };
    return this.client.get(ref);
  }

  /** Stops every controller and removes all Services and pools: for a fresh start on the same API server. */
  async reset(): Promise<void> {
    for (const controller of this.#processes.splice(0)) await controller.stop('SIGKILL');
    const services = await this.client.list(kinds.Service);
    const ours = services.filter(({ metadata }) => metadata.name !== 'kubernetes');
    await Promise.all(ours.map(({ metadata }) => this.deleteService(metadata.name)));
    const { IPAddressPool, ConfigurationState, IPReservation } = metallbResources;
    for (const type of [IPAddressPool, ConfigurationState, IPReservation]) {
      for (const { metadata } of await this.client.list(type, { namespace: NAMESPACE })) {
        await this.client.delete({ type, namespace: NAMESPACE, name: metadata.name }).catch(ignoreMissing);
      }
    }
    const events = await this.client.list(kinds.Event);
    await Promise.all(
      events.map(({ metadata: { namespace, name } }) =>
        this.client.delete({ type: kinds.Event, namespace, name }).catch(ignoreMissing),
      ),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const controller of this.#processes) await controller.stop('SIGKILL');
    await this.#credentials[Symbol.asyncDispose]();
    await this.plane[Symbol.asyncDispose]();
  }
}

/** What a pod has and a process has not: the service account's files, and where the API server is. */
function podOf({ apiPort, kubeconfig }: ControlPlane): { command: string[]; env: Record<string, string> } {
  const files = '/run/secrets/kubernetes.io/serviceaccount';
  const script = `mount -t tmpfs pod /run && mkdir -p ${files} && cp "$0" ${files}/ca.crt && \
    printf other-token > ${files}/token && printf ${NAMESPACE} > ${files}/namespace && exec "$@"`;
  const ca = join(dirname(kubeconfig), 'ca.crt');
  return {
    command: ['unshare', '--mount', '--propagation', 'private', '--', 'sh', '-c', script, ca],
    env: { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(apiPort) },
  };
}

export function ipsOf(service: KubeObject): string[] {
  const status = service['status'] as { loadBalancer?: { ingress?: { ip?: string }[] } } | undefined;
  return (status?.loadBalancer?.ingress ?? []).map(({ ip = '' }) => ip);
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof KubeError && error.status === 404)) throw error;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
