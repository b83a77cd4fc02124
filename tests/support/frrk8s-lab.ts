/** A lab in which BGP is done by a real frr-k8s beside each speaker: its daemon on every node, its webhook on node1. */
import { expect } from 'vitest';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FrrConfigurationSpec } from '#core/frrk8s/configuration.ts';
import { LightStage } from '#lab/demo/light.ts';
import { NAMESPACE } from '#lab/demo/stage.ts';
import { ensureFrrK8s, type FrrK8sProgram } from '#lab/frrk8s/ensure.ts';
import { Lab } from '#lab/lab.ts';
import { nodeAddresses, nodeName } from '#lab/net/plan.ts';
import type { Daemon } from '#lab/process/daemon.ts';
import { tryRun, type RunResult } from '#lab/process/run.ts';
import { waitFor } from '#lab/process/wait.ts';
import { quiet } from '#lab/report.ts';
import { externalFrrRules } from '#operator/render/rbac.ts';
import { eventually } from '#tests/support/eventually.ts';
import { issueCertificate } from '#runtime/http/certificate.ts';

/** Where frr-k8s runs and the FRRConfigurations are. */
export const FRRK8S = 'frr-k8s-system';
const WEBHOOK_PORT = 19_443;
const HOOK = 'frr-k8s-validating-webhook-configuration';
const SPEAKER = `system:serviceaccount:${NAMESPACE}:speaker`;
const root = join(import.meta.dirname, '../..');

/** An object as kubectl shows it. */
export interface Shown {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly status: Readonly<Record<string, string | undefined>>;
}

/** A FRRConfiguration of ours. */
export interface Written extends Shown {
  readonly spec: FrrConfigurationSpec;
}

interface Path {
  /** AS numbers. */
  readonly path: string;
  readonly nexthops: readonly { readonly ip: string }[];
}

export class FrrK8sLab implements AsyncDisposable {
  readonly lab: Lab;
  readonly stage: LightStage;
  readonly #programs: string;
  #hook: object | undefined;

  private constructor(lab: Lab, programs: string) {
    this.lab = lab;
    this.#programs = programs;
    this.stage = this.stageWith([]);
  }

  /** Speakers of this lab that are started with more arguments. */
  stageWith(speakerArgs: readonly string[]): LightStage {
    const args = [`--frrk8s-namespace=${FRRK8S}`, ...speakerArgs];
    return new LightStage(this.lab, { args, env: { METALLB_BGP_TYPE: 'frr-k8s' } });
  }

  /** Our kinds and rights, the kinds of frr-k8s, and its namespace; no program runs yet. */
  static async up(name: string, nodes: number): Promise<FrrK8sLab> {
    const programs = await ensureFrrK8s(quiet);
    const lab = await Lab.up({ name, level: 'light', nodes, report: quiet });
    const made = new FrrK8sLab(lab, programs);
    await lab.kubectl(['create', 'namespace', FRRK8S]);
    await lab.kubectl(['apply', '--server-side', '-f', join(programs, 'crds')]);
    const [install] = made.stage.deploy;
    await install?.run(() => undefined);
    await made.apply(...speakerRights);
    return made;
  }

  /** Controller and speakers; ready when this resolves. */
  async startSpeakers(): Promise<void> {
    await this.stage.deploy[1]?.run(() => undefined);
  }

  /** The daemon of a node with what belongs to it; `flags` for the daemon. The node's FRR must run. */
  async startDaemon(index: number, flags: readonly string[] = []): Promise<Daemon> {
    const name = nodeName(index);
    // frr-k8s looks for the pods it runs in.
    await this.apply(pod(name));
    const frr = this.lab.frr(name);
    const folder = this.#prepareFolder(name);
    this.lab.spawn(name, {
      name: `frr-reloader-${name}`,
      argv: [
        process.execPath,
        join(root, 'tests/support/frrk8s-reloader-process.ts'),
        folder,
        ...frr.vtyshCommand,
      ],
    });
    const daemon = this.#spawn(name, 'frr-k8s-controller', [
      `--node-name=${name}`,
      `--namespace=${FRRK8S}`,
      '--bgp-debounce-timeout=100',
      '--metrics-bind-address=0',
      ...flags,
    ]);
    this.#spawn(name, 'status', [
      `--node-name=${name}`,
      `--namespace=${FRRK8S}`,
      `--pod-name=${podName(name)}`,
      '--poll-interval=2s',
    ]);
    return daemon;
  }

  /** With its pod. */
  async stopDaemon(index: number): Promise<void> {
    const where = ['-n', FRRK8S, 'delete', 'pod', podName(nodeName(index)), '--force', '--grace-period=0'];
    await this.lab.kubectl(where);
    for (const program of ['frr-k8s-controller', 'status', 'frr-reloader'])
      await this.lab.daemons.find(`${program}-${nodeName(index)}`)?.stop();
  }

  /** The webhook, which refuses what cannot be merged. It answers when this resolves. */
  async startWebhook(): Promise<void> {
    const { ipv4 } = nodeAddresses(1);
    const day = 86_400_000;
    const validity = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + day) };
    const { cert, key } = issueCertificate({ commonName: 'frr-k8s', hosts: [ipv4], ...validity });
    const folder = join(this.lab.frrRoot.path, 'tmp/k8s-webhook-server/serving-certs');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'tls.crt'), cert);
    writeFileSync(join(folder, 'tls.key'), key, { mode: 0o600 });
    this.#prepareFolder(nodeName(1));
    this.#spawn(nodeName(1), 'statuscleaner', [
      `--namespace=${FRRK8S}`,
      '--disable-cert-rotation=true',
      `--webhook-port=${WEBHOOK_PORT}`,
    ]);
    this.#hook = webhook(`https://${ipv4}:${WEBHOOK_PORT}`, cert);
    await this.apply(this.#hook);
    await this.#waitForWebhook();
  }

  /** Stores an object that the webhook would refuse. */
  async withoutWebhook(object: object): Promise<void> {
    await this.lab.kubectl(['delete', 'validatingwebhookconfiguration', HOOK]);
    await eventually(() => this.apply(object), 60_000);
    await this.apply(this.#hook ?? {});
  }

  async #waitForWebhook(): Promise<void> {
    const probe = frrConfiguration('probe', { nodeSelector: { matchLabels: { no: 'node' } } });
    await waitFor('the webhook of frr-k8s', async () => (await this.tryApply(probe)).code === 0, {
      deadlineMs: 60_000,
      explain: () => this.lab.daemons.find('statuscleaner-node1')?.logTail() ?? '',
    });
    await this.remove('probe');
  }

  /** Controller, speakers and daemons, webhook, two peers (one by IPv6) and a Service with an endpoint on every node. */
  async startAll(): Promise<void> {
    await this.startWebhook();
    await this.startSpeakers();
    for (const index of this.stage.nodes) await this.startDaemon(index);
    await this.lab.kubectl(['apply', '-f', join(root, 'lab/demo/manifests/bgp.yaml')]);
    await this.stage.startWorkload();
    await this.stage.createService('web');
    await eventually(
      async () => expect(await this.paths('198.51.100.1/32')).toHaveLength(this.stage.nodes.length),
      60_000,
    );
  }

  /** Addresses of the nodes by which the router reaches a prefix. */
  async paths(prefix: string): Promise<readonly string[]> {
    const { routes = {} } = await this.lab.router.json<{ routes?: Record<string, readonly Path[]> }>(
      'show bgp ipv4 unicast json',
    );
    return (routes[prefix] ?? []).map(({ nexthops }) => nexthops[0]?.ip ?? '').sort();
  }

  /** Prefixes of IPv4 that the FRR of a node has received. */
  async received(index: number): Promise<readonly string[]> {
    const frr = this.lab.frr(nodeName(index));
    const { routes = {} } = await frr.json<{ routes?: Record<string, readonly Path[]> }>(
      'show bgp ipv4 unicast json',
    );
    return Object.entries(routes)
      .filter(([, paths]) => paths.some(({ path }) => path !== ''))
      .map(([prefix]) => prefix)
      .sort();
  }

  running(index: number): Promise<string> {
    return this.lab.frr(nodeName(index)).vtysh('show running-config');
  }

  /** What the daemon of a node has rendered. */
  rendered(index: number): string {
    return readFileSync(join(this.#folder(nodeName(index)), 'frr.conf'), 'utf8');
  }

  /** An object of metallb.io in our namespace. */
  applyOurs(kind: string, name: string, spec: object): Promise<void> {
    const apiVersion = `metallb.io/${kind === 'BGPPeer' ? 'v1beta2' : 'v1beta1'}`;
    return this.apply({ apiVersion, kind, metadata: { name, namespace: NAMESPACE }, spec });
  }

  /** A peer towards the router, as those of `startAll`. */
  applyPeer(name: string, spec: object): Promise<void> {
    const router = { myASN: 64512, peerASN: 64513, bfdProfile: 'fast', connectTime: '1s' };
    return this.applyOurs('BGPPeer', name, { ...router, ...spec });
  }

  async apply(...objects: readonly object[]): Promise<void> {
    const { code, stderr } = await this.tryApply(...objects);
    if (code !== 0) throw new Error(stderr);
  }

  tryApply(...items: readonly object[]): Promise<RunResult> {
    const { argv, env } = this.lab.kubectlCommand(['apply', '--server-side', '--force-conflicts', '-f', '-']);
    return tryRun(argv, {
      env,
      timeoutMs: 60_000,
      input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
    });
  }

  /** Objects of a kind, in the namespace of frr-k8s unless told. */
  async list<T extends Shown = Shown>(kind: string, namespace = FRRK8S): Promise<readonly T[]> {
    const text = await this.lab.kubectl(['-n', namespace, 'get', kind, '-o', 'json']);
    return (JSON.parse(text) as { items: T[] }).items;
  }

  /** The FRRConfiguration of a node as it is stored. */
  async configuration(index: number): Promise<Written> {
    const name = `metallb-node${index}`;
    const found = (await this.list<Written>('frrconfigurations')).find(
      ({ metadata }) => metadata.name === name,
    );
    if (found === undefined) throw new Error(`there is no FRRConfiguration ${name}`);
    return found;
  }

  async remove(...names: readonly string[]): Promise<void> {
    await this.lab.kubectl(['-n', FRRK8S, 'delete', 'frrconfiguration', '--ignore-not-found', ...names]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lab.down();
  }

  #spawn(place: `node${number}`, program: FrrK8sProgram, args: readonly string[]): Daemon {
    const { frrRoot } = this.lab;
    const folder = this.#folder(place);
    const view = [
      [folder, join(frrRoot.path, 'etc/frr_reloader')],
      [this.lab.frr(place).runFolder, join(frrRoot.path, 'run/frr')],
    ];
    const script =
      'while [ "$1" != -- ]; do mount --bind "$1" "$2" || exit 1; shift 2; done; shift; exec "$@"';
    return this.lab.spawn(place, {
      name: `${program}-${place}`,
      argv: [
        'unshare',
        '--mount',
        '--propagation',
        'private',
        'sh',
        '-c',
        script,
        'sh',
        ...view.flat(),
        '--',
        'chroot',
        frrRoot.path,
        join(folder, program),
        ...args,
      ],
      env: { KUBECONFIG: join(folder, 'kubeconfig') },
    });
  }

  /** Has the same path inside and outside the chroot. */
  #folder(name: string): string {
    return join(this.lab.frrRoot.exchange, 'frr-k8s', name);
  }

  #prepareFolder(name: `node${number}`): string {
    const { frrRoot } = this.lab;
    const folder = this.#folder(name);
    mkdirSync(folder, { recursive: true });
    for (const path of [join(frrRoot.path, 'etc/frr_reloader'), this.lab.frr(name).runFolder])
      mkdirSync(path, { recursive: true });
    for (const program of ['frr-k8s-controller', 'status', 'statuscleaner']) {
      if (existsSync(join(folder, program))) continue;
      copyFileSync(join(this.#programs, program), join(folder, program));
      chmodSync(join(folder, program), 0o755);
    }
    writeFileSync(join(folder, 'kubeconfig'), inlined(this.lab.kubeconfig), { mode: 0o600 });
    return folder;
  }
}

const podName = (node: string): string => `frr-k8s-${node}`;

function pod(nodeName: string): object {
  const labels = { 'app.kubernetes.io/component': 'frr-k8s' };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: podName(nodeName), namespace: FRRK8S, labels },
    spec: { nodeName, containers: [{ name: 'daemon', image: 'none' }] },
  };
}

/** A kubeconfig that names no files. */
function inlined(path: string): string {
  const keys = ['certificate-authority', 'client-certificate', 'client-key'];
  const text = readFileSync(path, 'utf8');
  return JSON.stringify(JSON.parse(text), (_, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    const entries = Object.entries(value).map(([key, each]) =>
      keys.includes(key) ? [`${key}-data`, readFileSync(String(each)).toString('base64')] : [key, each],
    );
    return Object.fromEntries(entries) as unknown;
  });
}

/** What the operator adds to the speaker's rights with this backend. */
const speakerRights: readonly object[] = [
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'speaker-frr-k8s' },
    rules: externalFrrRules,
  },
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'speaker-frr-k8s' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'speaker-frr-k8s' },
    subjects: [{ kind: 'User', name: SPEAKER }],
  },
];

/** An FRRConfiguration of a user. */
export function frrConfiguration(name: string, spec: object, namespace = FRRK8S): object {
  return {
    apiVersion: 'frrk8s.metallb.io/v1beta1',
    kind: 'FRRConfiguration',
    metadata: { name, namespace },
    spec,
  };
}

function webhook(url: string, ca: string): object {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: HOOK },
    webhooks: [
      {
        name: 'frrconfigurationsvalidationwebhook.metallb.io',
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        failurePolicy: 'Fail',
        clientConfig: {
          url: `${url}/validate-frrk8s-metallb-io-v1beta1-frrconfiguration`,
          caBundle: Buffer.from(ca).toString('base64'),
        },
        rules: [
          {
            apiGroups: ['frrk8s.metallb.io'],
            apiVersions: ['v1beta1'],
            operations: ['CREATE', 'UPDATE'],
            resources: ['frrconfigurations'],
          },
        ],
      },
    ],
  };
}
