/** The controller: gives addresses from pools to Services of type LoadBalancer. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { AppError, SettingsError } from '#core/errors.ts';
import { projectService } from '#core/model/projections.ts';
import type { ServiceView } from '#core/model/views.ts';
import { Controller } from '#controller/controller.ts';
import { ensureMemberlistSecret } from '#controller/loops/memberlist-secret.ts';
import { options, settingsProblems, type Settings } from '#controller/settings.ts';
import type { Webhooks } from '#controller/webhooks/start.ts';
import { createAuthorizer } from '#runtime/http/authorizer.ts';
import { startHealthServer, startMetricsServer } from '#runtime/http/server.ts';
import type { TlsSettings } from '#runtime/http/tls.ts';
import { createKubeClient } from '#runtime/kube/client.ts';
import { loadCredentials } from '#runtime/kube/credentials.ts';
import { createEventRecorder } from '#runtime/kube/events.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import { ownPod } from '#runtime/kube/own-pod.ts';
import { createTransport, type Transport } from '#runtime/kube/transport.ts';
import type { KubeClient } from '#runtime/kube/types.ts';
import { startElector, type Elector } from '#runtime/lease/elector.ts';
import { runProgram, type Program } from '#runtime/lifecycle/program.ts';
import type { Metrics } from '#runtime/metrics/types.ts';
import { createMetrics } from '#runtime/metrics/registry.ts';
import { systemClock } from '#runtime/queue/clock.ts';
import { createQueue } from '#runtime/queue/queue.ts';
import { done } from '#runtime/queue/types.ts';

const COMPONENT = 'metallb-controller';
const LEASE = 'metallb-controller';
const DRAIN_MS = 5000;

type ControllerProgram = Program<typeof options>;

async function start(program: ControllerProgram): Promise<void> {
  const { settings, logger, signal, scope } = program;
  const problems = settingsProblems(settings);
  if (problems.length > 0) throw new SettingsError(problems);
  const metrics = createMetrics({ processMetrics: true });
  const credentials = scope.use(await loadCredentials({ kubeconfig: settings.kubeconfig }));
  const namespace = settings.namespace === '' ? (credentials.namespace ?? '') : settings.namespace;
  if (namespace === '')
    throw new SettingsError(['--namespace / $METALLB_NAMESPACE: must be given outside a pod']);
  const transport = createTransport(credentials, { logger, metrics, userAgent: 'controller' });
  const client = createKubeClient(transport);
  const webhooks = await admission(program, { transport, client, namespace });
  if (settings.webhookMode === 'onlywebhook')
    return serve(program, { client, metrics, ready: () => webhooks?.notReady() });
  const events = createEventRecorder({ client, component: COMPONENT, logger });
  const leadership: { elector?: Elector } = {};
  const controller = new Controller({
    transport,
    client,
    events,
    metrics,
    logger,
    signal,
    namespace,
    lbClass: settings.lbClass,
    secretPassthrough: settings.secretPassthrough,
    owner: ownPod(client, namespace, settings.podName),
    mayWrite: () => leadership.elector?.holds ?? true,
  });
  await serve(program, { client, metrics, ready: () => controller.notReady() });
  scope.defer(() => events.drain(DRAIN_MS));
  if (settings.leaderElect) leadership.elector = compete(program, client, namespace);
  scope.defer(() => controller.drain(DRAIN_MS));
  await controller.synced();
  await leadership.elector?.leading;
  const services = { fieldSelector: 'spec.type=LoadBalancer', signal };
  const fresh: ServiceView[] = [];
  if (settings.leaderElect)
    await client.listEach(kinds.Service, services, (raw) => fresh.push(projectService(raw)));
  controller.activate(fresh);
  if (settings.memberlistSecret !== '') makeSecret(program, client, namespace);
}

/** Health and metrics endpoints; port 0 switches either off. */
async function serve(
  { settings, logger, scope }: ControllerProgram,
  parts: { client: KubeClient; metrics: Metrics; ready: () => string | undefined },
): Promise<void> {
  const { client, metrics, ready } = parts;
  if (settings.healthPort !== 0) scope.use(await startHealthServer({ port: settings.healthPort, ready }));
  if (settings.port === 0) return;
  const secure = {
    authorize: createAuthorizer(client, systemClock),
    certDir: settings.metricsCertDir,
    tls: tlsOf(settings),
  };
  scope.use(await startMetricsServer({ port: settings.port, metrics, logger, secure }));
}

/** The admission webhooks, where they are asked for. Nothing else waits for them. */
async function admission(
  { settings, logger, scope }: ControllerProgram,
  kube: { transport: Transport; client: KubeClient; namespace: string },
): Promise<Webhooks | undefined> {
  if (settings.webhookMode === 'disabled') return undefined;
  // Loaded where it is needed: the rules of all kinds take memory.
  const { startWebhooks } = await import('#controller/webhooks/start.ts');
  const webhooks = await startWebhooks({
    ...kube,
    port: settings.webhookPort,
    secret: settings.webhookSecret,
    service: settings.certServiceName,
    tls: tlsOf(settings),
    ownCertificates: settings.disableCertRotation ? { folder: settings.certDir } : undefined,
    logger: logger.child({ logger: 'webhooks' }),
  });
  return scope.use(webhooks);
}

function tlsOf(settings: Settings): TlsSettings {
  return {
    minVersion: settings.tlsMinVersion,
    cipherSuites: settings.tlsCipherSuites,
    curves: settings.tlsCurvePreferences,
  };
}

/** Starts to compete for the lease. Losing it ends the program. */
function compete(program: ControllerProgram, client: KubeClient, namespace: string): Elector {
  const { settings, logger, signal, scope, stop } = program;
  const elector = startElector({
    client,
    namespace,
    name: LEASE,
    identity: `${settings.podName === '' ? hostname() : settings.podName}_${randomUUID()}`,
    deployment: settings.deployment,
    logger,
    signal,
    timing: {
      leaseMs: settings.leaseDuration,
      renewDeadlineMs: settings.renewDeadline,
      retryMs: settings.retryPeriod,
    },
    onLost: (reason) => stop('lease lost', new AppError('KUBE', reason, { retry: 'never' })),
  });
  scope.defer(() => elector.stop());
  return elector;
}

/** Sees to the speakers' membership key, for as long as it takes; nothing of ours waits for it. */
function makeSecret(
  { settings, logger, scope }: ControllerProgram,
  client: KubeClient,
  namespace: string,
): void {
  const { memberlistSecret: name, deployment } = settings;
  const queue = createQueue({
    name: 'memberlist-secret',
    logger,
    handler: async () => {
      await ensureMemberlistSecret({ client, namespace, name, deployment, logger });
      return done;
    },
  });
  scope.defer(() => queue.drain(DRAIN_MS));
  queue.add(name);
}

await runProgram(
  { name: 'controller', options, logLevel: (settings) => settings.logLevel, stopWithinMs: 10_000 },
  start,
);
