/** Flags and environment of the operator: the original's names (operator-packaging.md §2.1, §3), and a few of ours. */
import { SettingsError } from '#core/errors.ts';
import type { OwnImage } from '#operator/facts.ts';
import type { RenderOptions, TlsOptions } from '#operator/render/manifest.ts';
import { tlsProblems } from '#operator/tls.ts';
import { boolean, choice, list, port, text, type SettingsOf } from '#runtime/settings/settings.ts';

const onlyTrue = { default: false } as const;

export const operatorOptions = {
  kubeconfig: text({
    flag: 'kubeconfig',
    help: 'kubeconfig file; default: the service account in a pod, else as kubectl',
  }),
  namespace: text({
    flag: 'namespace',
    env: 'OPERATOR_NAMESPACE',
    help: 'namespace of the MetalLB object and of everything made for it; default: our own',
  }),
  podName: text({ flag: 'pod-name', env: 'POD_NAME', help: 'our own pod, to read the image from' }),
  image: text({
    flag: 'image',
    env: 'METALLB_IMAGE',
    help: 'the one image of all containers; default: the image of our own pod; the three below override it',
  }),
  controllerImage: text({ env: 'CONTROLLER_IMAGE', help: 'image of container controller' }),
  speakerImage: text({ env: 'SPEAKER_IMAGE', help: 'image of container speaker' }),
  frrImage: text({ env: 'FRR_IMAGE', help: 'image of container frr' }),
  imagePullPolicy: choice({
    env: 'IMAGE_PULL_POLICY',
    choices: ['', 'Always', 'IfNotPresent', 'Never'],
    default: '',
    help: "pull policy of all containers; default: our own pod's, with its image",
  }),
  metricsPort: port({ env: 'METRICS_PORT', default: 9120, help: 'HTTPS metrics of controller and speaker' }),
  frrMetricsPort: port({ env: 'FRR_METRICS_PORT', default: 9121, help: 'HTTPS metrics of FRR' }),
  livenessPort: port({
    env: 'OPERAND_LIVENESS_PORT',
    default: 17472,
    help: 'health endpoints of controller and speaker',
  }),
  memberlistPort: port({
    env: 'MEMBER_LIST_BIND_PORT',
    default: 7946,
    help: 'liveness between speakers, TCP and UDP',
  }),
  serviceMonitors: boolean({
    env: 'DEPLOY_SERVICEMONITORS',
    ...onlyTrue,
    help: 'make ServiceMonitors and their Services',
  }),
  podMonitors: boolean({ env: 'DEPLOY_PODMONITORS', ...onlyTrue, help: 'make PodMonitors' }),
  prometheusRules: boolean({ env: 'DEPLOY_PROMETHEUSRULES', ...onlyTrue, help: 'make the PrometheusRule' }),
  monitoringLabels: list({
    env: 'MONITORING_LABELS',
    help: 'labels of monitors and rules, name=value separated by commas: a Prometheus selects by them',
  }),
  noNetworkPolicies: boolean({
    env: 'DISABLE_NETWORK_POLICIES',
    ...onlyTrue,
    help: 'make no NetworkPolicies',
  }),
  apiPorts: list({
    env: 'API_SERVER_PORTS',
    default: ['443', '6443'],
    help: "ports of the API server, for the controller's NetworkPolicy",
  }),
  externalNamespace: text({
    env: 'FRRK8S_EXTERNAL_NAMESPACE',
    help: 'default namespace of an external frr-k8s',
  }),
  frrFromNetworkOperator: boolean({
    env: 'DEPLOY_FRRK8S_FROM_CNO',
    ...onlyTrue,
    help: 'OpenShift: frr-k8s comes from the cluster network operator',
  }),
  tlsCipherSuites: list({ env: 'TLS_CIPHER_SUITES', help: 'cipher suites of the metrics, TLS 1.2 only' }),
  tlsCurves: list({ env: 'TLS_CURVE_PREFERENCES', help: 'curves of the metrics, by number' }),
  tlsMinVersion: choice({
    env: 'TLS_MIN_VERSION',
    choices: ['', 'VersionTLS12', 'VersionTLS13'],
    default: '',
    help: 'lowest TLS version of the metrics; empty: 1.3',
  }),
  healthPort: port({ flag: 'port', default: 8080, help: '/healthz and /readyz, plain HTTP' }),
  metricsAddress: text({
    flag: 'metrics-addr',
    default: '0',
    help: "the operator's own metrics, [host]:port; 0: off",
  }),
  leaderElection: boolean({
    flag: 'enable-leader-election',
    default: false,
    help: 'only the holder of Lease metallb.io.metallboperator works',
  }),
  operatorCondition: text({
    env: 'OPERATOR_CONDITION_NAME',
    help: 'set by OLM: the OperatorCondition that tells it whether we may be replaced; empty: nobody is told',
  }),
  logLevel: choice({
    flag: 'log-level',
    env: 'LOG_LEVEL',
    choices: ['all', 'debug', 'info', 'warn', 'error', 'none'],
    default: 'info',
    help: 'verbosity of the operator itself',
  }),
} as const;

export type OperatorSettings = SettingsOf<typeof operatorOptions>;

/** What the operator found out about where it runs. */
export interface Facts {
  readonly namespace: string;
  readonly version: string;
  readonly openshift: boolean;
  /** The TLS profile of the cluster, which counts where there is one. */
  readonly tls?: TlsOptions | undefined;
  readonly own: OwnImage;
}

/**
 * The part of the settings that rendering needs. `namespace` is ours already. Throws SettingsError with every
 * contradiction.
 */
export function renderOptions(settings: OperatorSettings, facts: Facts): RenderOptions {
  const image = settings.image || facts.own.image;
  const images = {
    controller: settings.controllerImage || image,
    speaker: settings.speakerImage || image,
    frr: settings.frrImage || image,
  };
  const apiPorts = settings.apiPorts.map(Number);
  const tls = facts.tls ?? {
    minVersion: settings.tlsMinVersion,
    cipherSuites: settings.tlsCipherSuites.join(','),
    curvePreferences: settings.tlsCurves.join(','),
  };
  const problems = [
    ...Object.entries(images).flatMap(([name, image]) =>
      image === ''
        ? [`no image for ${name}: set METALLB_IMAGE, ${name.toUpperCase()}_IMAGE, or POD_NAME to use our own`]
        : [],
    ),
    ...(settings.serviceMonitors && settings.podMonitors
      ? ['DEPLOY_SERVICEMONITORS and DEPLOY_PODMONITORS exclude each other']
      : []),
    ...(apiPorts.every((value) => Number.isInteger(value) && value > 0 && value < 65_536)
      ? []
      : ['API_SERVER_PORTS: must be port numbers separated by commas']),
    ...tlsProblems(tls),
    ...settings.monitoringLabels.flatMap((label) =>
      /^[^=]+=[^=]*$/.test(label) ? [] : [`MONITORING_LABELS: ${JSON.stringify(label)} must be name=value`],
    ),
  ];
  if (problems.length > 0) throw new SettingsError(problems);
  return {
    namespace: facts.namespace,
    images,
    imagePullPolicy: settings.imagePullPolicy || ownPullPolicy(settings, facts),
    imagePullSecrets: facts.own.pullSecrets,
    ports: {
      metrics: settings.metricsPort,
      frrMetrics: settings.frrMetricsPort,
      health: settings.livenessPort,
      memberlist: settings.memberlistPort,
    },
    tls,
    platform: facts.openshift ? 'openshift' : 'kubernetes',
    monitors: monitorsOf(settings),
    alerts: settings.prometheusRules,
    monitoringLabels: Object.fromEntries(
      settings.monitoringLabels.map((label) => label.split('=', 2) as [string, string]),
    ),
    networkPolicies: !settings.noNetworkPolicies,
    apiPorts,
    externalNamespace: settings.externalNamespace,
    frrFromNetworkOperator: settings.frrFromNetworkOperator,
    memberlistSecret: 'metallb-memberlist',
    managedBy: 'metallb-operator',
    version: facts.version,
  };
}

/** With our image goes our policy; an image named by itself is pulled as the cluster does by default. */
function ownPullPolicy(settings: OperatorSettings, facts: Facts): RenderOptions['imagePullPolicy'] {
  const policy = settings.image === '' ? facts.own.pullPolicy : '';
  return policy === 'Always' || policy === 'IfNotPresent' || policy === 'Never' ? policy : '';
}

function monitorsOf(settings: OperatorSettings): RenderOptions['monitors'] {
  if (settings.serviceMonitors) return 'service';
  return settings.podMonitors ? 'pod' : 'none';
}
