/** The control plane of one lab: etcd and the Kubernetes programs, each to be stopped and started on its own. */
import { join } from 'node:path';
import { LabApi } from '#lab/control/api.ts';
import { commandLine, type ControlProgram, ETCD } from '#lab/control/programs.ts';
import type { Pki } from '#lab/control/pki.ts';
import { LabError } from '#lab/errors.ts';
import { API_PORT } from '#lab/net/plan.ts';
import type { Daemon, DaemonFolder } from '#lab/process/daemon.ts';
import { run } from '#lab/process/run.ts';
import { Fatal, waitFor } from '#lab/process/wait.ts';

export interface ControlPlaneOptions {
  /** The lab's folder. */
  readonly folder: string;
  /** The folder of `ensureBinaries`. */
  readonly bin: string;
  /** Full name of the control namespace. */
  readonly netns: string;
  readonly daemons: DaemonFolder;
  readonly pki: Pki;
  /** Kubelets run (full level): node health is watched and pods are scheduled. */
  readonly realNodes: boolean;
}

const FORWARDER = 'api-forward';
const LOCAL = `127.0.0.1:${API_PORT}`;

export class ControlPlane {
  readonly api: LabApi;
  readonly #options: ControlPlaneOptions;
  readonly #socket: string;

  constructor(options: ControlPlaneOptions) {
    this.#options = options;
    this.#socket = join(options.folder, 'api.sock');
    this.api = new LabApi(this.#socket, options.pki);
  }

  /** The administrator's kubeconfig for programs in the control namespace. */
  get kubeconfig(): string {
    return this.#options.pki.path('admin-local.kubeconfig');
  }

  /** Certificates, then all programs; returns when the API server is ready and the others are started. */
  async up(): Promise<void> {
    const { pki, realNodes, netns, daemons } = this.#options;
    await pki.create();
    await Promise.all([
      pki.issueKubeconfig({ name: 'admin', user: 'admin', groups: ['system:masters'] }),
      ...['kube-controller-manager', 'kube-scheduler'].map((name) =>
        pki.issueKubeconfig({ name, user: `system:${name}` }, LOCAL),
      ),
      pki.issueKubeconfig({ name: 'kube-proxy', user: 'system:kube-proxy' }),
    ]);
    pki.writeKubeconfig('admin-local', 'admin', LOCAL);
    daemons.start({
      name: FORWARDER,
      netns,
      argv: [
        process.execPath,
        join(import.meta.dirname, 'forward.ts'),
        `unix:${this.#socket}`,
        `tcp:${LOCAL}`,
      ],
    });
    this.start('etcd');
    this.start('kube-apiserver');
    await this.waitReady();
    this.start('kube-controller-manager');
    if (realNodes) this.start('kube-scheduler');
  }

  start(program: ControlProgram): Daemon {
    const { netns, daemons } = this.#options;
    return daemons.start({ name: program, netns, argv: commandLine(program, this.#options) });
  }

  /** Ends a program as a crash would (SIGKILL), or with another signal. */
  async stop(program: ControlProgram, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const daemon = this.#options.daemons.find(program);
    if (daemon === undefined) throw new LabError(`${program} does not run in this lab`);
    await daemon.stop(signal);
  }

  /**
   * Drops etcd's history, so that the API server cannot serve old versions to watchers once it lost its cache:
   * restart it afterwards to see 410 answers. Uses etcd's JSON gateway.
   */
  async compactEtcd(): Promise<void> {
    const { header } = await this.#etcd<{ header: { revision: string } }>('maintenance/status', {});
    await this.#etcd('kv/compaction', { revision: header.revision, physical: true });
  }

  async #etcd<T>(method: string, body: unknown): Promise<T> {
    const curl = ['curl', '-sS', '--fail', '--max-time', '10', '--noproxy', '*', '-d', JSON.stringify(body)];
    const enter = ['nsenter', `--net=/run/netns/${this.#options.netns}`];
    return JSON.parse(await run([...enter, ...curl, `${ETCD}/v3/${method}`])) as T;
  }

  /** Waits until the API server says that it is ready. */
  async waitReady(deadlineMs = 90_000): Promise<void> {
    const log = (name: ControlProgram) => this.#options.daemons.find(name)?.logTail(5) ?? '';
    await waitFor(
      'the API server to be ready',
      async () => {
        for (const program of ['etcd', 'kube-apiserver'] as const)
          if (this.#options.daemons.find(program)?.alive !== true)
            throw new Fatal(`${program} ended:\n${log(program)}`);
        const { status, text } = await this.api.send('GET', '/readyz');
        if (status !== 200) throw new Error(text.split('\n').find((line) => line.startsWith('[-]')) ?? text);
        return true;
      },
      { deadlineMs, intervalMs: 100, explain: () => log('kube-apiserver') },
    );
  }

  /** Waits until the controller manager has made the service account `default` of a namespace (some 10 s after the start). */
  async waitServiceAccount(namespace = 'default', name = 'default'): Promise<void> {
    await waitFor(
      `the service account ${namespace}/${name}`,
      async () => {
        const answer = await this.api.send('GET', `/api/v1/namespaces/${namespace}/serviceaccounts/${name}`);
        return answer.status === 200;
      },
      {
        deadlineMs: 60_000,
        intervalMs: 100,
        explain: () => this.#options.daemons.find('kube-controller-manager')?.logTail(5) ?? '',
      },
    );
  }
}
