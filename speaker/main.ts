/** The speaker: one per node; announces addresses by BGP (through FRR) and by Layer 2. */
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { AppError, BugError, SettingsError } from '#core/errors.ts';
import { frrLogLevel } from '#core/frr/build.ts';
import { formatAddress, parseAddress } from '#core/model/ip.ts';
import { defaultTiming } from '#core/l2/gratuitous.ts';
import { createAuthorizer } from '#runtime/http/authorizer.ts';
import { startHealthServer, startMetricsServer } from '#runtime/http/server.ts';
import { createKubeClient } from '#runtime/kube/client.ts';
import { loadCredentials } from '#runtime/kube/credentials.ts';
import { createEventRecorder } from '#runtime/kube/events.ts';
import { ownPod } from '#runtime/kube/own-pod.ts';
import { createTransport } from '#runtime/kube/transport.ts';
import type { KubeClient, Store, WatchOptions } from '#runtime/kube/types.ts';
import { watchStore } from '#runtime/kube/watch-store.ts';
import { runProgram, type Program } from '#runtime/lifecycle/program.ts';
import { createMetrics } from '#runtime/metrics/registry.ts';
import type { Metrics } from '#runtime/metrics/types.ts';
import { sleep, systemClock } from '#runtime/queue/clock.ts';
import { openFrr } from '#speaker/frr/driver.ts';
import { frrMetrics } from '#speaker/frr/metrics.ts';
import { loadTemplates } from '#speaker/frr/templates.ts';
import { readExclusions } from '#speaker/l2/exclusions.ts';
import { startL2 } from '#speaker/l2/port.ts';
import { frrK8sMetrics } from '#speaker/frrk8s/metrics.ts';
import { FrrK8sWriter } from '#speaker/frrk8s/writer.ts';
import {
  watchFrrConfigurations,
  watchOwnDaemonSet,
  watchSessionStates,
  watchSpeakerStores,
  type SpeakerStores,
} from '#speaker/loops/stores.ts';
import { startMembers } from '#speaker/members/port.ts';
import { l2Metrics, memberMetrics } from '#speaker/metrics.ts';
import type { BgpPort, FrrPort, L2Port, MembersPort } from '#speaker/ports.ts';
import {
  externalSettings,
  speakerOptions,
  type ExternalSettings,
  type SpeakerSettings,
} from '#speaker/settings.ts';
import { Speaker } from '#speaker/speaker.ts';

type SpeakerProgram = Program<typeof speakerOptions>;

const FRR_METRICS_EVERY_MS = 5000;

interface Ports {
  /** Undefined: an external frr-k8s does BGP. */
  readonly frr: FrrPort | undefined;
  readonly l2: L2Port;
  readonly members: MembersPort | undefined;
}

async function start(program: SpeakerProgram): Promise<void> {
  const { settings, logger, scope } = program;
  const metrics = createMetrics({ processMetrics: true });
  const frrRegistry = createMetrics();
  const credentials = scope.use(await loadCredentials({ kubeconfig: settings.kubeconfig }));
  const namespace = settings.namespace === '' ? (credentials.namespace ?? '') : settings.namespace;
  if (namespace === '')
    throw new SettingsError(['--namespace / $METALLB_NAMESPACE: must be given outside a pod']);
  const transport = createTransport(credentials, { logger, metrics, userAgent: 'speaker' });
  const client = createKubeClient(transport);
  const events = createEventRecorder({
    client,
    component: 'metallb-speaker',
    host: settings.nodeName,
    logger,
  });
  const external = externalSettings(settings, namespace);
  const ports = await openPorts(program, external !== undefined);
  const watch = <T>(options: WatchOptions<T>): Store<T> =>
    watchStore(transport, options, { logger, metrics, signal: program.signal });
  const { nodeName, lbClass, ignoreExcludeLb } = settings;
  const frrLog = frrLogLevel(settings.logLevel, settings.frrLoggingLevel);
  const stores = watchSpeakerStores(watch, { namespace, nodeName, podLabels: podLabels(settings) });
  const sessionStates = watchSessionStates(watch, { namespace, nodeName });
  const owner = ownPod(client, namespace, settings.podName);
  const about = { namespace, nodeName, lbClass, ignoreExcludeLb, frrLog };
  const secretPassthrough = external?.secretPassthrough ?? false;
  const bgp =
    ports.frr ??
    openExternal(program, external, { watch, nodes: stores.nodes, client, metrics, installation: namespace });
  const speaker = new Speaker({
    ...about,
    ...ports,
    bgp,
    secretPassthrough,
    gracefulShutdownSeconds: settings.gracefulShutdownSeconds,
    daemonSet: watchOwnDaemonSet(watch, { namespace, name: settings.daemonSet }),
    stores,
    client,
    events,
    owner,
    clock: systemClock,
    logger,
    metrics,
    frrMetrics: frrRegistry,
    sessionStates,
    ownAddresses,
  });
  l2Metrics(metrics, ports.l2);
  if (ports.members !== undefined) memberMetrics(metrics, ports.members);
  await serve(program, { client, metrics, frrRegistry, ready: () => readiness(speaker, stores) });
  scope.defer(() => events.drain(1000));
  scope.defer(() => speaker.close());
  program.beforeStop(() => speaker.drain());
  if (ports.frr !== undefined) void pollFrr(program, frrRegistry, { frr: ports.frr, speaker });
  await speaker.start();
  logger.info('first pass complete', { services: stores.services.size });
}

function podLabels({ mlBindAddr, mlPeers, mlLabels }: SpeakerSettings): string {
  return mlBindAddr === '' || mlPeers === 'nodes' ? '' : mlLabels;
}

/** Of all interfaces, as they are now. */
function ownAddresses(): ReadonlySet<string> {
  const texts = Object.values(networkInterfaces()).flatMap(
    (each) => each?.map(({ address }) => address) ?? [],
  );
  const addresses = texts.map((text) => parseAddress(text.replace(/%.*$/, '')));
  return new Set(addresses.flatMap((address) => (address === undefined ? [] : [formatAddress(address)])));
}

/** What the writer of FRRConfigurations needs of the program. */
interface ExternalParts {
  readonly watch: <T>(options: WatchOptions<T>) => Store<T>;
  readonly nodes: SpeakerStores['nodes'];
  readonly client: KubeClient;
  readonly metrics: Metrics;
  /** Our own namespace. */
  readonly installation: string;
}

/** The port to the external frr-k8s. */
function openExternal(
  { settings, logger, scope }: SpeakerProgram,
  external: ExternalSettings | undefined,
  { watch, nodes, client, metrics, installation }: ExternalParts,
): BgpPort {
  if (external === undefined) throw new BugError('neither an FRR nor a frr-k8s does BGP');
  const { namespace, passwords } = external;
  const { nodeName } = settings;
  if (passwords === 'clear')
    logger.warn('passwords of BGPPeers are readable in the FRRConfigurations', {
      namespace,
      remedy: 'set secretPassthrough, and keep the Secrets in that namespace',
    });
  const writer = new FrrK8sWriter({
    ...watchFrrConfigurations(watch, { namespace, nodeName }),
    client,
    nodes,
    nodeName,
    namespace,
    installation,
    passwords,
    clock: systemClock,
    logger: logger.child({ logger: 'frr-k8s' }),
    metrics,
  });
  frrK8sMetrics(metrics, writer);
  scope.defer(() => writer.close());
  return writer;
}

function openOwnFrr({ settings, logger, scope }: SpeakerProgram): FrrPort {
  const render = loadTemplates(
    settings.frrTemplates === '' ? join(import.meta.dirname, '..', 'frr-templates') : settings.frrTemplates,
  );
  const frr = openFrr(
    {
      vtysh: settings.vtysh,
      configFile: join(settings.frrConfigDir, 'frr.conf'),
      runDir: settings.frrRunDir,
    },
    render,
    logger.child({ logger: 'frr' }),
  );
  scope.defer(() => frr.close());
  return frr;
}

/** The ports are closed last and in this order: leave the mesh, so that others take over; then stop answering. */
async function openPorts(program: SpeakerProgram, isExternal: boolean): Promise<Ports> {
  const { settings, logger, scope, stop } = program;
  const frr = isExternal ? undefined : openOwnFrr(program);
  const exclude = await readExclusions(settings.excludeL2Config);
  const direct = settings.mlBindAddr === '' ? undefined : new MessageChannel();
  const l2 = await startL2({
    log: logger.child({ logger: 'layer2' }),
    exclude,
    duplicates: settings.l2Duplicates,
    timing: { ...defaultTiming, period: 1_000 * settings.gratuitousArpInterval },
    ...(direct === undefined ? {} : { mesh: direct.port1 }),
  });
  const died = (what: string) => (error: Error) =>
    stop(`${what} died`, new AppError('SOCKET', error.message, { retry: 'never', cause: error }));
  l2.onFailure(died('the layer 2 responder'));
  scope.defer(() => l2.close());
  if (direct === undefined) {
    logger.warn('liveness is off: every Node counts as alive', { remedy: 'set METALLB_ML_BIND_ADDR' });
    return { frr, l2, members: undefined };
  }
  const members = await startMembers({
    log: logger.child({ logger: 'members' }),
    me: settings.nodeName,
    bindAddress: settings.mlBindAddr,
    port: settings.mlBindPort,
    secret: meshKey(settings),
    responder: direct.port2,
  });
  members.onFailure(died('the mesh'));
  scope.defer(async () => {
    await members.leave();
    await members.close();
  });
  return { frr, l2, members };
}

/** The content of the key file, as it is; without a path the heartbeats are not protected. */
function meshKey({ mlSecretKeyPath }: SpeakerSettings): string {
  if (mlSecretKeyPath === '') return '';
  const file = join(mlSecretKeyPath, 'secretkey');
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new SettingsError([
      `--ml-secret-key-path / $METALLB_ML_SECRET_KEY_PATH: ${file} cannot be read: ${String(error)}`,
    ]);
  }
}

function readiness(speaker: Speaker, stores: SpeakerStores): string | undefined {
  return stores.services.isSynced ? speaker.notReady() : 'the Services are not known yet';
}

interface Served {
  readonly client: KubeClient;
  readonly metrics: Metrics;
  readonly frrRegistry: Metrics;
  readonly ready: () => string | undefined;
}

/** Health on loopback, metrics by HTTPS; port 0 switches either off. */
async function serve({ settings, logger, scope }: SpeakerProgram, served: Served): Promise<void> {
  const { client, metrics, frrRegistry, ready } = served;
  if (settings.healthProbePort !== 0)
    scope.use(await startHealthServer({ port: settings.healthProbePort, host: '127.0.0.1', ready }));
  const secure = {
    authorize: createAuthorizer(client, systemClock),
    certDir: settings.metricsCertDir,
    tls: {
      minVersion: settings.tlsMinVersion,
      cipherSuites: settings.tlsCipherSuites,
      curves: settings.tlsCurvePreferences,
    },
  };
  if (settings.port !== 0)
    scope.use(await startMetricsServer({ port: settings.port, metrics, logger, secure }));
  if (settings.frrMetricsPort !== 0)
    scope.use(
      await startMetricsServer({ port: settings.frrMetricsPort, metrics: frrRegistry, logger, secure }),
    );
}

/** Reads FRR's sessions and counters every few seconds, until the end. A failure shows in the metrics themselves. */
async function pollFrr(
  { signal, logger }: SpeakerProgram,
  registry: Metrics,
  { frr, speaker }: { frr: FrrPort; speaker: Speaker },
): Promise<void> {
  const poller = frrMetrics(registry, frr, () => [...speaker.configuration.peers]);
  while (!signal.aborted) {
    try {
      await poller.poll();
    } catch (error) {
      logger.debug('FRR does not answer', { error });
    }
    await sleep(systemClock, FRR_METRICS_EVERY_MS, signal);
  }
}

await runProgram(
  { name: 'speaker', options: speakerOptions, logLevel: (settings) => settings.logLevel, stopWithinMs: 5000 },
  start,
);
