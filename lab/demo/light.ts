/**
 * The light level: the controller and one speaker with its FRR per node run as plain processes in the lab's
 * namespaces, each with the credentials and rights of its service account.
 */
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { NAMESPACE, type Evidence, type Progress, type Stage, type StageStep } from '#lab/demo/stage.ts';
import type { Lab } from '#lab/lab.ts';
import { nodeAddresses, nodeName, type Place } from '#lab/net/plan.ts';
import type { Daemon } from '#lab/process/daemon.ts';
import { waitFor } from '#lab/process/wait.ts';
import { createService, setEndpoints, type HandMadeService } from '#lab/workload/service.ts';

const root = join(import.meta.dirname, '..', '..');

/** How the speakers are started. */
export interface LightSpeakers {
  /** Indices of the nodes that have one; all unless told. */
  readonly nodes?: readonly number[] | undefined;
  readonly args?: readonly string[] | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** The speaker's program, a file for Node; the sources unless told. */
  readonly entry?: string | undefined;
  /** Flags for Node. */
  readonly flags?: readonly string[] | undefined;
  /** Program and arguments that start the speaker's command, which follows them. */
  readonly wrapper?: readonly string[] | undefined;
}

export class LightStage implements Stage {
  readonly lab: Lab;
  readonly deploy: readonly StageStep[];
  readonly #services = new Map<string, HandMadeService>();
  /** Credentials by account: the speakers share theirs, as their pods do. */
  readonly #accounts = new Map<string, Promise<string>>();

  /** Numbers of the nodes that take part. */
  readonly nodes: readonly number[];
  readonly #speakers: LightSpeakers;

  constructor(lab: Lab, speakers: LightSpeakers = {}) {
    this.lab = lab;
    this.#speakers = speakers;
    this.nodes = speakers.nodes ?? Array.from({ length: lab.nodeCount }, (_, index) => index + 1);
    this.deploy = [
      {
        name: 'Custom resources and rights',
        does: 'kubectl apply of config/crd and of the roles of controller and speaker',
        see: 'the kinds of metallb.io are established',
        run: () => this.#install(),
      },
      {
        name: 'Controller and speakers',
        does: 'starts the controller, and on every node an FRR and a speaker beside it',
        see: 'all of them say that they are ready',
        run: (progress) => this.#startPrograms(progress),
      },
    ];
  }

  async #install(): Promise<Evidence> {
    const { lab } = this;
    await lab.kubectl(['apply', '--server-side', '-f', join(root, 'config/crd')]);
    await lab.kubectl(['apply', '--server-side', '-f', join(root, 'config/manifests/rbac.yaml')]);
    await lab.kubectl(['wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all']);
    const listed = await lab.kubectl([
      'api-resources',
      '--api-group=metallb.io',
      '--no-headers',
      '-o',
      'name',
    ]);
    return { kinds: listed.trim().split('\n').length };
  }

  async #startPrograms(progress: Progress): Promise<Evidence> {
    progress('starting');
    const controller = await this.startController();
    await Promise.all(this.nodes.map((index) => this.startSpeaker(index)));
    progress('waiting until all are ready');
    await this.#ready('control', controller);
    for (const index of this.nodes) await this.speakerReady(index);
    return { controller: `pid ${controller.pid}`, speakers: this.nodes.length };
  }

  /** The folder of the liveness mesh's key, as the Secret is mounted in a pod. */
  get #meshKey(): string {
    return join(this.lab.folder, 'memberlist');
  }

  /** Made for the first speaker. */
  #makeMeshKey(): void {
    const file = join(this.#meshKey, 'secretkey');
    if (existsSync(file)) return;
    mkdirSync(this.#meshKey, { recursive: true, mode: 0o700 });
    writeFileSync(file, randomBytes(16).toString('base64url'), { mode: 0o600 });
  }

  async startController(): Promise<Daemon> {
    const kubeconfig = await this.#account('controller');
    return this.lab.spawn('control', {
      name: 'controller',
      argv: [
        process.execPath,
        join(root, 'controller/main.ts'),
        `--kubeconfig=${kubeconfig}`,
        `--namespace=${NAMESPACE}`,
        '--port=0',
        '--webhook-mode=disabled',
      ],
    });
  }

  /** Starts the speaker of a node (again), and its FRR where it does not run. */
  async startSpeaker(index: number): Promise<Daemon> {
    const { lab } = this;
    const { args = [], env = {}, wrapper = [], flags = [] } = this.#speakers;
    const { entry = join(root, 'speaker/main.ts') } = this.#speakers;
    const name = nodeName(index);
    this.#makeMeshKey();
    const kubeconfig = await this.#account('speaker');
    const frr = lab.frr(`node${index}`);
    if (frr.daemon('zebra')?.alive !== true) await frr.start();
    chmodSync(frr.configFolder, 0o755);
    return lab.spawn(`node${index}`, {
      name: `speaker-${name}`,
      argv: [
        ...wrapper,
        process.execPath,
        ...flags,
        entry,
        `--kubeconfig=${kubeconfig}`,
        `--namespace=${NAMESPACE}`,
        `--node-name=${name}`,
        '--port=0',
        '--frr-metrics-port=0',
        `--ml-bindaddr=${nodeAddresses(index).ipv4}`,
        '--ml-peers=nodes',
        `--ml-secret-key-path=${this.#meshKey}`,
        `--vtysh=${frr.vtyshCommand.join(',')}`,
        `--frr-config-dir=${frr.configFolder}`,
        `--frr-run-dir=${frr.runFolder}`,
        ...args,
      ],
      // A fifth of a start less, once a speaker of this lab has ended in order. The image has no such cache.
      env: { NODE_COMPILE_CACHE: join(lab.folder, 'compile-cache'), ...env },
    });
  }

  #account(name: string): Promise<string> {
    const groups = ['system:serviceaccounts', `system:serviceaccounts:${NAMESPACE}`];
    const user = `system:serviceaccount:${NAMESPACE}:${name}`;
    const issued = this.#accounts.get(name) ?? this.lab.issueKubeconfig(user, groups);
    this.#accounts.set(name, issued);
    return issued;
  }

  /** Waits until the speaker of a node says that it is ready. */
  async speakerReady(index: number): Promise<void> {
    await this.#ready(`node${index}`, this.lab.daemons.find(`speaker-${nodeName(index)}`));
  }

  async #ready(place: Place, daemon: Daemon | undefined): Promise<void> {
    await waitFor(
      `${daemon?.name ?? place} to be ready`,
      async () => (await this.lab.at(place).curl('http://127.0.0.1:17472/readyz')).ok,
      { deadlineMs: 30_000, explain: () => daemon?.logTail() ?? 'it was not started' },
    );
  }

  async startWorkload(): Promise<Evidence> {
    for (const index of this.nodes) this.lab.startProxy(index);
    await Promise.all(this.nodes.map((index) => this.lab.startWeb(index)));
    return { servers: this.nodes.length };
  }

  async createService(name: string, options: { pool?: string; ready?: boolean } = {}): Promise<void> {
    const annotations = options.pool === undefined ? {} : { 'metallb.io/address-pool': options.pool };
    const service: HandMadeService = { name, nodes: this.nodes, annotations };
    this.#services.set(name, service);
    await createService(this.lab.api, options.ready === false ? { ...service, nodes: [] } : service);
  }

  async makeReady(name: string): Promise<void> {
    const service = this.#services.get(name);
    if (service !== undefined) await setEndpoints(this.lab.api, service);
  }
}
