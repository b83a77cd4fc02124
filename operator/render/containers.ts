/** Parts of pod templates that controller and speaker share. */
import type { WorkloadConfig } from '#core/config/metallb.ts';
import { tlsSettings } from '#operator/tls.ts';
import {
  optional,
  podLabels,
  type Component,
  type Labels,
  type RenderInput,
  type RenderOptions,
} from '#operator/render/manifest.ts';

/** An environment variable with a value of its own. */
export function env(name: string, value: string): { name: string; value: string } {
  return { name, value };
}

/** An environment variable filled from a field of the pod. */
export function fieldEnv(name: string, fieldPath: string): object {
  return { name, valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } } };
}

/**
 * `METALLB_BGP_TYPE` as users see it (operator-packaging.md 10.3, items 31–35): `frr`, `frr-k8s` (also for the
 * external one), absent for `native`.
 */
export function backendEnv(input: RenderInput): { name: string; value: string }[] {
  if (input.backend === 'native') return [];
  return [env('METALLB_BGP_TYPE', input.backend === 'frr' ? 'frr' : 'frr-k8s')];
}

/** Flags that controller and speaker have in common, in the original's order. */
export function commonArgs(input: RenderInput): string[] {
  const { ports } = input.options;
  return [
    `--port=${ports.metrics}`,
    `--health-probe-port=${ports.health}`,
    `--log-level=${input.spec.logLevel ?? 'info'}`,
    ...flag('--lb-class', input.spec.loadBalancerClass),
  ];
}

/** An external frr-k8s reads the Secrets of peers itself: speakers hand them on, the controller does not judge them. */
export function passthroughArg({ spec, backend }: RenderInput): string[] {
  const isOn = backend === 'frr-k8s-external' && spec.frrk8sConfig?.secretPassthrough === true;
  return isOn ? ['--frrk8s-secret-passthrough'] : [];
}

/** TLS flags; cipher suites go only with TLS 1.2, since the programs refuse them with 1.3. */
export function tlsArgs(options: RenderOptions): string[] {
  const { minVersion, cipherSuites, curves } = tlsSettings(options.tls);
  return [
    ...flag('--tls-cipher-suites', cipherSuites.join(',')),
    ...flag('--tls-curve-preferences', curves.join(',')),
    ...flag('--tls-min-version', minVersion),
    ...(serviceCertificates(options) ? ['--metrics-cert-dir=/etc/metrics'] : []),
  ];
}

/** OpenShift's service-ca makes the metrics certificates, but only where the monitored Services exist. */
export function serviceCertificates(options: RenderOptions): boolean {
  return options.platform === 'openshift' && options.monitors !== 'none';
}

/** `--name=value` when there is a value. */
export function flag(name: string, value: string | undefined): string[] {
  return value === undefined || value === '' ? [] : [`${name}=${value}`];
}

/** How long a program may take from its start until its health port answers; a node may be busy with many pods. */
const START_SECONDS = 120;

/**
 * Probes on the health port; `host` where the program binds to loopback only. Nobody is restarted for silence before
 * it has answered once, but for that of START_SECONDS.
 */
export function probes(path: { port: number | string; host?: string }): object {
  const probe = (endpoint: string, periodSeconds: number, failureThreshold = 3) => ({
    failureThreshold,
    httpGet: { path: endpoint, port: path.port, scheme: 'HTTP', ...optional('host', path.host) },
    periodSeconds,
    successThreshold: 1,
    timeoutSeconds: 1,
  });
  return {
    livenessProbe: probe('/healthz', 10),
    readinessProbe: probe('/readyz', 2),
    startupProbe: probe('/healthz', 1, START_SECONDS),
  };
}

/** No escalation, read-only root, every capability dropped but those named. */
export function confined(capabilities: readonly string[] = []): object {
  return {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'], ...optional('add', capabilities) },
    readOnlyRootFilesystem: true,
  };
}

/** Pod fields that `controllerConfig` and `speakerConfig` set, and how images are pulled. */
export function workloadFields(config: WorkloadConfig | undefined, { spec, options }: RenderInput): object {
  const secrets = spec.imagePullSecrets?.map(({ name }) => name) ?? options.imagePullSecrets;
  return {
    ...optional(
      'imagePullSecrets',
      secrets.map((name) => ({ name })),
    ),
    ...optional('affinity', config?.affinity),
    ...optional('priorityClassName', config?.priorityClassName),
    ...optional('runtimeClassName', config?.runtimeClassName),
  };
}

/** Labels of the pods: the user's, and ours, which win. */
export function templateLabels(component: Component, config: WorkloadConfig | undefined): Labels {
  return { ...config?.labels, ...podLabels(component) };
}

/** The image with its pull policy. */
export function image(name: string, options: RenderOptions): object {
  return { image: name, ...optional('imagePullPolicy', options.imagePullPolicy) };
}
