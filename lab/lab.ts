/**
 * A lab: a real Kubernetes control plane, a router with FRR, clients and nodes, in network namespaces of this
 * machine. See lab/README.md for the picture and the addresses.
 */
import { join } from 'node:path';
import { Client } from '#lab/client/client.ts';
import { enableAudit } from '#lab/control/audit.ts';
import type { LabApi } from '#lab/control/api.ts';
import { createNode } from '#lab/control/nodes.ts';
import { Pki } from '#lab/control/pki.ts';
import { ControlPlane } from '#lab/control/plane.ts';
import { EXIT_USAGE, LabError } from '#lab/errors.ts';
import { FrrInstance, type FrrOptions } from '#lab/frr/instance.ts';
import { FrrRoot } from '#lab/frr/root.ts';
import { startNodes } from '#lab/full/nodes.ts';
import * as plan from '#lab/net/plan.ts';
import { Topology } from '#lab/net/topology.ts';
import { type Daemon, DaemonFolder, type DaemonSpec, NO_PROXY } from '#lab/process/daemon.ts';
import { run, type RunOptions, type RunResult, tryRun } from '#lab/process/run.ts';
import { waitFor } from '#lab/process/wait.ts';
import { prepare } from '#lab/prepare/prepare.ts';
import type { Reporter } from '#lab/report.ts';
import { routerConfig } from '#lab/router/config.ts';
import { removeLab } from '#lab/state/remove.ts';
import * as state from '#lab/state/state.ts';
import { assertRoot } from '#lab/system/preflight.ts';
import { proxyCommand } from '#lab/workload/proxy.ts';
import { WEB_PORT } from '#lab/workload/service.ts';

export const DEFAULT_NAME = 'mlb';

export interface LabOptions {
  /** Names the namespaces; `mlb` unless told. */
  readonly name?: string;
  readonly level: state.Level;
  /** How many nodes, 1 to 24; 3 unless told. */
  readonly nodes?: number;
  /** The lab goes on when this process ends; else the next run removes it. */
  readonly persistent?: boolean;
  /** Namespaces whose service accounts the API server keeps a log of (lab/control/audit.ts). */
  readonly audit?: readonly string[];
  readonly report: Reporter;
  /** Ends the start: what is there of the lab is removed, and `up` rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export class Lab implements AsyncDisposable {
  readonly name: string;
  readonly level: state.Level;
  readonly nodeCount: number;
  /** Folder of everything this lab writes: logs, certificates, data. */
  readonly folder: string;
  /** Folder of the Kubernetes programs. */
  readonly bin: string;
  readonly daemons: DaemonFolder;
  readonly pki: Pki;
  readonly control: ControlPlane;
  readonly topology: Topology;
  readonly frrRoot: FrrRoot;
  /** The FRR all nodes peer with. */
  readonly router: FrrInstance;
  /** A client behind the router. */
  readonly client: Client;
  /** A client on the nodes' own segment. */
  readonly lan: Client;

  private constructor(known: state.LabState) {
    this.name = known.name;
    this.level = known.level;
    this.nodeCount = known.nodes;
    this.bin = known.bin;
    this.folder = state.labFolder(known.name);
    this.daemons = new DaemonFolder(this.folder);
    this.pki = new Pki(this.folder);
    this.topology = new Topology(known.name, known.nodes);
    this.control = new ControlPlane({
      folder: this.folder,
      bin: known.bin,
      daemons: this.daemons,
      pki: this.pki,
      netns: this.netns('control'),
      realNodes: known.level === 'full',
    });
    this.frrRoot = new FrrRoot(this.folder);
    this.router = this.frr('router');
    this.client = this.at('client');
    this.lan = this.at('lan');
  }

  /**
   * Starts a lab. What was left by a dead one of the same name is removed first.
   * @throws LabError when one of that name lives, something is missing, or a part does not come up; nothing is left then.
   */
  static async up(options: LabOptions): Promise<Lab> {
    const { name = DEFAULT_NAME, level, nodes = 3, report } = options;
    plan.checkLabName(name);
    if (!Number.isInteger(nodes) || nodes < 1 || nodes > plan.MAX_NODES)
      throw new LabError(`a lab has 1 to ${plan.MAX_NODES} nodes, not ${nodes}`, { exitCode: EXIT_USAGE });
    assertRoot();
    const claimed = await claim(
      { name, level, nodes, bin: '', persistent: options.persistent ?? false },
      report,
    );
    try {
      const { bin, frrRootfs } = await prepare(level, name, report, options.signal);
      const known = { ...claimed, bin };
      state.writeState(known);
      const lab = new Lab(known);
      if (options.audit !== undefined) enableAudit(lab.folder, options.audit);
      await lab.#start(frrRootfs, report, options.signal);
      options.signal?.throwIfAborted();
      state.writeState({ ...known, phase: 'up' });
      return lab;
    } catch (error) {
      await removeLab(name);
      options.signal?.throwIfAborted();
      throw error;
    }
  }

  /**
   * A handle on a lab that another process started.
   * @throws LabError when there is none.
   */
  static attach(name: string = DEFAULT_NAME): Lab {
    plan.checkLabName(name);
    return new Lab(state.requireState(name));
  }

  get api(): LabApi {
    return this.control.api;
  }

  /** Kubeconfig of the administrator for programs inside the lab's namespaces (server 10.90.0.1). */
  get kubeconfig(): string {
    return this.pki.path('admin.kubeconfig');
  }

  netns(place: plan.Place): string {
    return plan.netnsName(this.name, place);
  }

  /** The lab as seen from a place. */
  at(place: plan.Place): Client {
    return new Client(this.netns(place));
  }

  /** Runs a program to its end in a place; never rejects. */
  async exec(place: plan.Place, argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return tryRun(this.enter(place, argv), { ...options, env: { ...NO_PROXY, ...options.env } });
  }

  /** The argv that runs `argv` in a place. */
  enter(place: plan.Place, argv: readonly string[]): readonly string[] {
    return ['nsenter', `--net=/run/netns/${this.netns(place)}`, ...argv];
  }

  /** Starts a program that keeps running in a place; `down` ends it. Names are unique in the lab. */
  spawn(place: plan.Place, spec: Omit<DaemonSpec, 'netns'>): Daemon {
    return this.daemons.start({ ...spec, netns: this.netns(place) });
  }

  /** An FRR in a place; not started yet unless it is the router's. */
  frr(place: plan.Place, options: Partial<Pick<FrrOptions, 'name' | 'vrfs'>> = {}): FrrInstance {
    return new FrrInstance(this.frrRoot, this.daemons, { name: place, netns: this.netns(place), ...options });
  }

  /** Runs kubectl as the administrator and returns its output. @throws LabError with its last words. */
  async kubectl(args: readonly string[], options: RunOptions = {}): Promise<string> {
    const { argv, env } = this.kubectlCommand(args);
    return run(argv, { timeoutMs: 60_000, ...options, env: { ...env, ...options.env } });
  }

  kubectlCommand(args: readonly string[]): {
    readonly argv: readonly string[];
    readonly env: Readonly<Record<string, string>>;
  } {
    const program = [join(this.bin, 'kubectl'), `--kubeconfig=${this.control.kubeconfig}`];
    return {
      argv: this.enter('control', [...program, ...args]),
      env: { ...NO_PROXY, KUBECACHEDIR: join(this.folder, 'kubectl-cache') },
    };
  }

  /** A kubeconfig for a user of groups, for programs inside the lab; returns its path. */
  async issueKubeconfig(user: string, groups: readonly string[] = []): Promise<string> {
    return this.pki.issueKubeconfig({ name: `user-${user.replaceAll(/[^\w.-]/g, '-')}`, user, groups });
  }

  /** Makes the API server reachable on a loopback port of the machine; returns an administrator's kubeconfig for it. */
  async hostKubeconfig(): Promise<string> {
    const name = 'api-forward-host';
    const running = this.daemons.find(name);
    const forwarder = running?.alive === true ? running : this.#startHostForwarder(name);
    const port = await waitFor(
      'the forwarder to listen',
      () => /^listening (\d+)$/m.exec(forwarder.logText())?.[1],
    );
    return this.pki.writeKubeconfig('admin-host', 'admin', `127.0.0.1:${port}`);
  }

  #startHostForwarder(name: string): Daemon {
    const program = join(import.meta.dirname, 'control', 'forward.ts');
    const argv = [process.execPath, program, 'tcp:127.0.0.1:0', `unix:${join(this.folder, 'api.sock')}`];
    return this.daemons.start({ name, netns: undefined, argv });
  }

  /** Starts kube-proxy on a node (light level; on the full level it runs already). */
  startProxy(index: number): Daemon {
    const argv = proxyCommand(this.bin, this.pki.path('kube-proxy.kubeconfig'), index);
    return this.spawn(plan.nodeName(index), { name: `kube-proxy-${plan.nodeName(index)}`, argv });
  }

  /** Starts the web server that stands for a pod of a node (light level), on `podAddresses(index)`, port 8080. */
  async startWeb(index: number): Promise<Daemon> {
    const name = plan.nodeName(index);
    const { ipv4, ipv6 } = plan.podAddresses(index);
    const program = join(import.meta.dirname, 'workload', 'web.ts');
    const argv = [process.execPath, program, name, String(WEB_PORT), ipv4, ipv6];
    const web = this.spawn(name, { name: `web-${name}`, argv });
    await waitFor(`the web server of ${name}`, () => web.logText().split('listening').length > 2, {
      explain: () => web.logTail(),
    });
    return web;
  }

  /** Pulls the cable of a node (its eth0 loses the carrier). */
  async cutNode(index: number): Promise<void> {
    await this.topology.cut(plan.nodeName(index));
  }

  async healNode(index: number): Promise<void> {
    await this.topology.heal(plan.nodeName(index));
  }

  /** Ends everything and leaves nothing behind. */
  async down(): Promise<void> {
    await removeLab(this.name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down();
  }

  async #start(frrRootfs: string, report: Reporter, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    report.step(`lab ${this.name}: making ${this.nodeCount} nodes, router and clients`);
    await this.topology.up();
    report.step('starting the control plane and the router');
    await Promise.all([
      this.control.up(),
      this.frrRoot.mount(frrRootfs).then(() => this.router.start(routerConfig(this.nodeCount))),
    ]);
    signal?.throwIfAborted();
    if (this.level === 'full') await startNodes(this, report);
    else for (let index = 1; index <= this.nodeCount; index += 1) await createNode(this.api, index);
    report.step(`lab ${this.name} is up (${this.level} level, ${this.nodeCount} nodes)`);
  }
}

type Claim = Parameters<typeof state.claimFolder>[0];

/** Takes the name: refuses when it lives or its namespaces are somebody else's, removes what is dead. */
async function claim(wanted: Claim, report: Reporter): Promise<state.LabState> {
  const found = state.readState(wanted.name);
  if (found !== undefined && !state.isLiving(found)) {
    report.step(`removing what a lab "${wanted.name}" that was killed left behind`);
    await removeLab(wanted.name);
  }
  if (state.readState(wanted.name) === undefined) new Topology(wanted.name, wanted.nodes).assertFree();
  const claimed = state.claimFolder(wanted);
  if (claimed === undefined)
    throw new LabError(
      `a lab "${wanted.name}" is up already: end it with "npm run lab -- down --name ${wanted.name}" or choose another name`,
    );
  return claimed;
}
