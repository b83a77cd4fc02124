/** The operator: makes the cluster agree with the MetalLB object (operator-packaging.md §2). */
import { hostname } from 'node:os';
import { AppError, SettingsError } from '#core/errors.ts';
import { wholeSeconds } from '#core/status/transition.ts';
import { clusterFacts } from '#operator/facts.ts';
import { Cluster } from '#operator/loops/cluster.ts';
import { MetalLBOperator } from '#operator/loops/metallb-operator.ts';
import { OlmReport } from '#operator/loops/olm-report.ts';
import { operatorName } from '#operator/render/install.ts';
import type { OwnerReference, RenderOptions, TlsOptions } from '#operator/render/manifest.ts';
import { operatorOptions, renderOptions, type OperatorSettings } from '#operator/settings.ts';
import { tlsSettings } from '#operator/tls.ts';
import { watchTlsProfile } from '#operator/tls-profile.ts';
import { createAuthorizer } from '#runtime/http/authorizer.ts';
import { startHealthServer, startMetricsServer } from '#runtime/http/server.ts';
import { createKubeClient } from '#runtime/kube/client.ts';
import { loadCredentials } from '#runtime/kube/credentials.ts';
import { createEventRecorder } from '#runtime/kube/events.ts';
import { createTransport, type Transport } from '#runtime/kube/transport.ts';
import type { KubeClient, ResourceType } from '#runtime/kube/types.ts';
import { watchStore } from '#runtime/kube/watch-store.ts';
import { startElector } from '#runtime/lease/elector.ts';
import { runProgram, type Program } from '#runtime/lifecycle/program.ts';
import { createMetrics } from '#runtime/metrics/registry.ts';
import type { Metrics } from '#runtime/metrics/types.ts';
import { systemClock } from '#runtime/queue/clock.ts';
import { createQueue } from '#runtime/queue/queue.ts';
import packageFile from '../package.json' with { type: 'json' };

type Context = Program<typeof operatorOptions>;

await runProgram(
  { name: 'operator', options: operatorOptions, logLevel: (settings) => settings.logLevel },
  start,
);

async function start(context: Context): Promise<void> {
  const { settings, logger, signal, scope } = context;
  const metrics = createMetrics({ processMetrics: true });
  const credentials = scope.use(await loadCredentials({ kubeconfig: settings.kubeconfig }));
  const namespace = settings.namespace || (credentials.namespace ?? '');
  if (namespace === '') throw new SettingsError(['--namespace / $OPERATOR_NAMESPACE: must be given']);
  const transport = createTransport(credentials, { logger, metrics, userAgent: 'metallb-operator' });
  const client = createKubeClient(transport);
  let problem: string | undefined = 'the stores are not filled yet';
  scope.use(await startHealthServer({ port: settings.healthPort, ready: () => problem }));

  const facts = await clusterFacts({
    client,
    namespace,
    podName: settings.podName,
    logger,
    signal,
    clock: systemClock,
  });
  const openshift = facts.groups.has('route.openshift.io');
  const options = renderOptions(settings, {
    namespace,
    own: facts.own,
    version: packageFile.version,
    openshift,
    tls: openshift ? await tlsProfile(context, transport) : undefined,
  });
  await serveMetrics(settings, { context, client, metrics, tls: options.tls });
  if (settings.leaderElection) {
    // A waiting replica is ready: it is what takes over.
    problem = undefined;
    await lead(context, client, namespace);
  }
  await work(context, {
    clusterOwner: facts.clusterOwner,
    optional: facts.kinds,
    options,
    transport,
    client,
    metrics,
  });
  problem = undefined;
  logger.info('ready', { namespace, platform: options.platform });
}

/** Our servers do not change their TLS settings while they run: Kubernetes starts us again, and we the workloads. */
function tlsProfile(
  { logger, signal, stop }: Context,
  transport: Transport,
): Promise<TlsOptions | undefined> {
  return watchTlsProfile(transport, { logger, signal }, () =>
    stop('the TLS profile of the cluster is another one now'),
  );
}

interface WorkParts {
  readonly options: RenderOptions;
  readonly optional: readonly ResourceType[];
  readonly clusterOwner: OwnerReference;
  readonly transport: Transport;
  readonly client: KubeClient;
  readonly metrics: Metrics;
}

/** Fills the stores and starts the loop; returns when both are up. */
async function work(context: Context, parts: WorkParts): Promise<void> {
  const { logger, signal, scope } = context;
  const { options, optional, clusterOwner, transport, client, metrics } = parts;
  const cluster = new Cluster({
    namespace: options.namespace,
    managedBy: options.managedBy,
    optional,
    watch: (watchOptions) => watchStore(transport, watchOptions, { logger, metrics, signal }),
  });
  await cluster.synced();
  const queue = createQueue({
    name: 'metallb',
    handler: (key, stop) => operator.reconcile(key, stop),
    logger,
    metrics,
  });
  const events = createEventRecorder({ client, component: 'metallb-operator', logger });
  scope.defer(() => events.drain(2000));
  const report = olmReport(context, parts);
  const operator = new MetalLBOperator({
    client,
    cluster,
    events,
    options,
    clusterOwner,
    logger,
    metrics,
    enqueue: (key) => queue.add(key),
    onConditions: report && ((conditions) => report.say(conditions)),
    now,
  });
  scope.defer(() => queue.drain(5000));
  scope.defer(() => operator.stop());
  await operator.start();
}

/** Under OLM: what tells it whether we may be replaced, on a queue of its own, so that OLM holds up nothing else. */
function olmReport(context: Context, { client, options, metrics }: WorkParts): OlmReport | undefined {
  const { logger, scope, settings } = context;
  if (settings.operatorCondition === '') return undefined;
  const queue = createQueue({ name: 'olm', handler: (_, stop) => report.write(stop), logger, metrics });
  const report = new OlmReport({
    client,
    namespace: options.namespace,
    name: settings.operatorCondition,
    logger,
    enqueue: () => queue.add('report'),
    now,
  });
  scope.defer(() => queue.drain(1000));
  return report;
}

function now(): string {
  return wholeSeconds(new Date());
}

/** Competes for the Lease and returns when we hold it; losing it later ends the process. */
async function lead(context: Context, client: KubeClient, namespace: string): Promise<void> {
  const { logger, signal, scope, stop } = context;
  const elector = startElector({
    client,
    namespace,
    name: 'metallb.io.metallboperator',
    identity: `${hostname()}_${crypto.randomUUID()}`,
    deployment: operatorName,
    logger,
    signal,
    onLost: (reason) => stop('lease lost', new AppError('KUBE', reason, { retry: 'never' })),
  });
  scope.defer(() => elector.stop());
  await elector.leading;
}

/** Our own metrics: off unless an address is given; HTTPS for those whom the API server allows. */
async function serveMetrics(
  settings: OperatorSettings,
  parts: { context: Context; client: KubeClient; metrics: Metrics; tls: TlsOptions },
): Promise<void> {
  const address = settings.metricsAddress;
  if (address === '0' || address === '') return;
  const { context, client, metrics, tls } = parts;
  const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(address) ?? [];
  if (port === '')
    throw new SettingsError([`--metrics-addr: ${JSON.stringify(address)}: must be [host]:port`]);
  const authorize = createAuthorizer(client, systemClock);
  const secure = { authorize, certDir: '', tls: tlsSettings(tls) };
  const server = await startMetricsServer({
    port: Number(port),
    ...(host === '' ? {} : { host }),
    metrics,
    logger: context.logger,
    secure,
  });
  context.scope.use(server);
}
