/** The speaker's loops against a fake API server, with a responder, a mesh and an FRR that tests drive. */
import { expect } from 'vitest';
import { metallbResources } from '#core/api/resources.ts';
import { createKubeClient } from '#runtime/kube/client.ts';
import { plainCredentials } from '#runtime/kube/credentials.ts';
import type { EventText } from '#runtime/kube/events.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import { createTransport } from '#runtime/kube/transport.ts';
import type { KubeObject, Store, WatchOptions } from '#runtime/kube/types.ts';
import { watchStore } from '#runtime/kube/watch-store.ts';
import { silent, type LogFields, type Logger } from '#runtime/log/logger.ts';
import { createMetrics } from '#runtime/metrics/registry.ts';
import type { DaemonSetView } from '#speaker/loops/removal.ts';
import { watchOwnDaemonSet, watchSessionStates, watchSpeakerStores } from '#speaker/loops/stores.ts';
import { l2Metrics } from '#speaker/metrics.ts';
import { Speaker } from '#speaker/speaker.ts';
import { eventually } from './eventually.ts';
import { FakeApiServer } from './fake-apiserver/server.ts';
import { FakeFrr } from './fake-frr.ts';
import { FakeL2 } from './fake-l2.ts';
import { FakeMembers } from './fake-members.ts';
import { VirtualClock } from './virtual-clock.ts';

export const NAMESPACE = 'metallb-system';
/** Of 10.20.30.1 `iris2` is the first by hash, of 10.20.30.2 `iris1`. */
export const HERS = '10.20.30.1';
export const MINE = '10.20.30.2';

export interface FakeSpeakerOptions {
  /** The node it runs on; `iris1` unless told. */
  readonly me?: string;
  readonly lbClass?: string;
  readonly gracefulShutdownSeconds?: number;
  /** Name of the DaemonSet whose pod it is; none unless told. */
  readonly daemonSet?: string;
}

export interface SpeakerService {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec?: object;
  readonly uid?: string;
}

export class FakeSpeaker implements AsyncDisposable {
  readonly fake: FakeApiServer;
  readonly me: string;
  readonly metrics = createMetrics();
  readonly l2 = new FakeL2();
  readonly frr = new FakeFrr();
  readonly members: FakeMembers;
  readonly clock = new VirtualClock();
  readonly events: (EventText & { readonly name: string })[] = [];
  /** Lines of the log: message and fields. */
  readonly lines: { readonly message: string; readonly fields: LogFields }[] = [];
  readonly speaker: Speaker;
  readonly daemonSet: Store<DaemonSetView> | undefined;
  readonly #abort = new AbortController();

  private constructor(fake: FakeApiServer, options: FakeSpeakerOptions) {
    const { me = 'iris1', lbClass = '', gracefulShutdownSeconds = 0, daemonSet = '' } = options;
    this.fake = fake;
    this.me = me;
    this.members = new FakeMembers(me, ['iris1', 'iris2']);
    const transport = createTransport(plainCredentials(fake.url), { logger: silent });
    const note = (message: string, fields: LogFields = {}): void => void this.lines.push({ message, fields });
    const logger: Logger = { ...silent, info: note, warn: note, error: note, child: () => logger };
    const scope = { namespace: NAMESPACE, nodeName: me, podLabels: '' };
    const watch = <T>(options: WatchOptions<T>) =>
      watchStore(transport, options, { logger: silent, signal: this.#abort.signal });
    this.daemonSet = watchOwnDaemonSet(watch, { namespace: NAMESPACE, name: daemonSet });
    this.speaker = new Speaker({
      namespace: NAMESPACE,
      nodeName: me,
      lbClass,
      ignoreExcludeLb: false,
      gracefulShutdownSeconds,
      daemonSet: this.daemonSet,
      frrLog: 'informational',
      stores: watchSpeakerStores(watch, scope),
      client: createKubeClient(transport),
      events: { record: ({ name }, event) => void this.events.push({ ...event, name }) },
      owner: () =>
        Promise.resolve({ apiVersion: 'v1', kind: 'Pod', name: `speaker-${me}`, uid: `pod-${me}` }),
      bgp: this.frr,
      frr: this.frr,
      l2: this.l2,
      members: this.members,
      clock: this.clock,
      logger,
      metrics: this.metrics,
      frrMetrics: createMetrics(),
      sessionStates: watchSessionStates(watch, scope),
      ownAddresses: () => new Set(),
    });
    l2Metrics(this.metrics, this.l2);
  }

  /** A speaker that watches and does not decide yet; the nodes iris1 and iris2 and a pool 10.20.30.0/24 exist. */
  static async create(options: FakeSpeakerOptions = {}): Promise<FakeSpeaker> {
    const lab = new FakeSpeaker(await FakeApiServer.start(), options);
    for (const name of ['iris1', 'iris2']) lab.node(name);
    lab.put('IPAddressPool', 'pool', { addresses: ['10.20.30.0/24', 'fc00::/120'] });
    return lab;
  }

  /** As `create`, with an L2Advertisement for everything, and running. */
  static async start(options: FakeSpeakerOptions = {}): Promise<FakeSpeaker> {
    const lab = await FakeSpeaker.create(options);
    lab.put('L2Advertisement', 'ad');
    await lab.speaker.start();
    return lab;
  }

  put(kind: keyof typeof metallbResources, name: string, spec: object = {}): void {
    this.fake.put(metallbResources[kind], { metadata: { name, namespace: NAMESPACE }, spec });
  }

  remove(kind: keyof typeof metallbResources, name: string): void {
    this.fake.remove(metallbResources[kind], `${NAMESPACE}/${name}`);
  }

  /** Creates or replaces a Node. */
  node(name: string, labels: Readonly<Record<string, string>> = {}, more: object = {}): void {
    this.fake.put(kinds.Node, { metadata: { name, labels: { host: name, ...labels } }, ...more });
  }

  /** Creates or replaces a load balancer with these addresses in its status. */
  service(name: string, ips: readonly string[], change: SpeakerService = {}): void {
    const { labels = {}, annotations = {}, uid } = change;
    this.fake.put(kinds.Service, {
      metadata: { name, namespace: 'default', labels, annotations, ...(uid && { uid }) },
      spec: { type: 'LoadBalancer', ports: [{ port: 80 }], ...change.spec },
      status: { loadBalancer: { ingress: ips.map((ip) => ({ ip })) } },
    });
  }

  /** The one slice of a Service, with a ready endpoint on each of these nodes. */
  slice(name: string, ...nodes: readonly string[]): void {
    this.fake.put(kinds.EndpointSlice, {
      metadata: { name, namespace: 'default', labels: { 'kubernetes.io/service-name': name } },
      endpoints: nodes.map((nodeName) => ({
        addresses: ['10.1.0.1'],
        nodeName,
        conditions: { ready: true },
      })),
    });
  }

  /** A Service with an endpoint on both nodes. */
  serving(name: string, ips: readonly string[], change: SpeakerService = {}): void {
    this.slice(name, 'iris1', 'iris2');
    this.service(name, ips, change);
  }

  /** Addresses that the responder answers for, sorted. */
  get held(): string[] {
    return [...this.l2.plan.keys()].sort();
  }

  expectHeld(...ips: readonly string[]): Promise<void> {
    return eventually(() => expect(this.held).toEqual(ips));
  }

  /** `reason` of the events on an object, in order. */
  reasons(name: string): string[] {
    return this.events.filter((event) => event.name === name).map(({ reason }) => reason);
  }

  /** Reasons with which a Service was withdrawn, in order. */
  get withdrawn(): unknown[] {
    return this.lines
      .filter(({ fields }) => fields['event'] === 'serviceWithdrawn')
      .map(({ fields }) => fields['reason']);
  }

  /** The ServiceL2Status objects, oldest first. */
  get statuses(): KubeObject[] {
    return this.fake.objects(metallbResources.ServiceL2Status);
  }

  /** Series of a metric: the lines of its values. */
  async series(metric: string): Promise<string[]> {
    return (await this.metrics.expose()).split('\n').filter((line) => line.startsWith(metric));
  }

  /** How many decisions were asked for. */
  async updates(): Promise<number> {
    return Number((await this.series('metallb_k8s_client_updates_total'))[0]?.split(' ')[1]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.speaker.close();
    this.#abort.abort();
    await this.fake.close();
  }
}
