/**
 * The values of the chart: the one source of values.yaml, values.schema.json and the table in the README. Names are
 * those of MetalLB's chart (operator-packaging.md §6.3) wherever that has one for the thing.
 */
import { z } from 'zod';
import { metallbV1beta1, updateStrategy } from '#core/api/metallb.ts';
import { resourceRequirements, toleration } from '#core/api/pod-fields.ts';

const levels = ['all', 'debug', 'info', 'warn', 'error', 'none'] as const;

const text = (description: string, value = '') => z.string().default(value).describe(description);
const yes = (description: string) => z.boolean().default(true).describe(description);
const no = (description: string) => z.boolean().default(false).describe(description);
const port = (value: number, description: string) =>
  z.int().min(1).max(65_535).default(value).describe(description);
const labels = (description: string, value: Record<string, string> = {}) =>
  z.record(z.string(), z.string()).default(value).describe(description);

/** What every workload has. */
const placement = (who: string) => ({
  nodeSelector: labels(`Labels of the nodes on which ${who} may run.`),
  tolerations: z.array(toleration()).default([]).describe(`Taints that ${who} tolerates.`),
  affinity: z.record(z.string(), z.unknown()).default({}).describe(`Affinity of ${who}, as of any pod.`),
  resources: resourceRequirements().default({}).describe(`Resources of ${who}.`),
  priorityClassName: text(`Priority class of ${who}.`),
  podAnnotations: labels(`Annotations of the pods of ${who}.`),
});

/** What the pods of controller and speakers have beside. */
const podLabels = (who: string) => labels(`Labels of the pods of ${who}, beside ours.`);

const logLevel = (description: string) => z.enum(['', ...levels]).default('').describe(description);

const controlPlane = { key: 'node-role.kubernetes.io/control-plane', operator: 'Exists', effect: 'NoSchedule' };

const operator = z
  .object({
    ...placement('the operator'),
    replicas: z.int().min(0).default(1).describe('More than one: the others wait for the Lease.'),
    logLevel: z.enum(levels).default('info').describe('How much the operator itself writes to its log.'),
    resources: resourceRequirements()
      .default({ requests: { cpu: '50m', memory: '128Mi' } })
      .describe('Resources of the operator.'),
    nodeSelector: labels('Labels of the nodes on which the operator may run.', { 'kubernetes.io/os': 'linux' }),
    tolerations: z.array(toleration()).default([controlPlane]).describe('Taints that the operator tolerates.'),
  })
  .describe('The operator itself.');

const metallb = z
  .object({
    enabled: yes('Make the MetalLB object, so that controller and speakers are installed.'),
    spec: metallbV1beta1.shape.spec
      .unwrap()
      .default({})
      .describe('Its spec as it is (docs/api/metallb.md); wins over the values below.'),
  })
  .describe('The MetalLB object.');

const speaker = z
  .object({
    ...placement('the speakers'),
    logLevel: logLevel('Taken when controller.logLevel is empty: there is one level for both.'),
    runtimeClassName: text('Runtime class of the speakers.'),
    labels: podLabels('the speakers'),
    updateStrategy: updateStrategy.default({}).describe('How a change reaches the speakers; empty: node by node.'),
    ignoreExcludeLB: no(
      'Announce also from nodes with the label node.kubernetes.io/exclude-from-external-load-balancers.',
    ),
    excludeInterfaces: z
      .object({
        enabled: yes('Leave bridges and links of container networks out of Layer 2. Off: every interface answers.'),
      })
      .describe('Interfaces that never answer; metallb.spec.speakerConfig.excludedInterfaces names others.'),
    frr: z
      .object({
        enabled: no('Write bgpBackend frr into the MetalLB object; it is what is used without it, too.'),
        metricsPort: port(9121, 'HTTPS metrics of FRR.'),
        resources: resourceRequirements().default({}).describe('Resources of container frr.'),
      })
      .describe('FRR beside the speaker.'),
    memberlist: z
      .object({ mlBindPort: port(7946, 'Liveness between speakers, TCP and UDP.') })
      .describe('Liveness between speakers.'),
  })
  .describe('The speakers.');

const frrk8s = z
  .object({
    enabled: no('Write bgpBackend frr-k8s into the MetalLB object; our own FRR serves it.'),
    external: no('BGP by a frr-k8s that somebody else runs.'),
    namespace: text('Its namespace; needed with external.'),
    secretPassthrough: no('Hand it references to password Secrets instead of passwords.'),
  })
  .describe('frr-k8s.');

export const chartValues = z.object({
  image: z
    .object({
      repository: text('One image serves the operator and everything it makes.', 'ghcr.io/metallb-ts/metallb-ts'),
      tag: text("Empty: the chart's appVersion."),
      digest: z.string().regex(/^(sha256:[0-9a-f]{64})?$/).default('').describe('sha256:…; wins over the tag.'),
      pullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).default('IfNotPresent').describe('Pull policy.'),
    })
    .describe('The image of all containers.'),
  imagePullSecrets: z
    .array(z.object({ name: z.string().describe('Name of the Secret.') }))
    .default([])
    .describe('Secrets that the image is pulled with, by the operator and by what it makes.'),
  operator,
  metallb,
  loadBalancerClass: text('Handle only Services of this class; empty: only Services without a class.'),
  controller: z
    .object({
      ...placement('the controller'),
      logLevel: logLevel('How much controller and speakers write to their logs; empty: info.'),
      runtimeClassName: text('Runtime class of the controller.'),
      labels: podLabels('the controller'),
      replicas: z
        .int()
        .min(0)
        .default(0)
        .describe('How many controllers run, of which one works; 0: one, or what the Deployment was scaled to.'),
    })
    .describe('The controller.'),
  speaker,
  frrk8s,
  prometheus: z
    .object({
      metricsPort: port(9120, 'HTTPS metrics of controller and speakers.'),
      serviceMonitor: z
        .object({ enabled: no('ServiceMonitors, and the Services they need.') })
        .describe('For the Prometheus operator; not together with podMonitor.'),
      podMonitor: z
        .object({ enabled: no('PodMonitors, with a token of their own that may read metrics only.') })
        .describe('The same without Services.'),
      prometheusRule: z.object({ enabled: no('A PrometheusRule with all alerts.') }).describe('Alerts (docs/metrics.md).'),
      labels: labels('Labels of monitors and rules: a Prometheus selects by them, such as release: kube-prometheus-stack.'),
      dashboard: z
        .object({
          enabled: no('A ConfigMap with a Grafana dashboard.'),
          labels: labels("Labels of the ConfigMap, by which Grafana's sidecar finds it.", { grafana_dashboard: '1' }),
        })
        .describe('A dashboard for Grafana.'),
    })
    .describe('Monitoring.'),
  networkpolicies: z
    .object({
      enabled: yes('NetworkPolicies for the operator and the controller.'),
      defaultDeny: no('Cut off whatever else runs in the namespace.'),
      apiPorts: z
        .array(z.int().min(1).max(65_535))
        .default([443, 6443])
        .describe('Ports of the API server that the policy lets the controller out to.'),
      apiPort: z
        .int()
        .min(0)
        .max(65_535)
        .default(0)
        .describe("The one port, as MetalLB's chart has it; 0: apiPorts counts."),
    })
    .describe('Network policies.'),
  tls: z
    .object({
      cipherSuites: text('IANA names separated by commas, for TLS 1.2.'),
      curvePreferences: text('Numbers of curves separated by commas.'),
      minVersion: z
        .enum(['', 'VersionTLS12', 'VersionTLS13'])
        .default('')
        .describe('Lowest TLS version; empty: 1.3.'),
    })
    .describe('TLS of the metrics.'),
  crds: z
    .object({
      enabled: yes(
        'Refuse an upgrade while the CRDs in the cluster are not those of this chart. Helm installs CRDs once and never changes them.',
      ),
    })
    .describe('The CRDs.'),
});

/**
 * Values of MetalLB's chart that have no effect here, and why. They are accepted, so that a values file goes on
 * working, and the notes name those that are set.
 */
export const inert: Readonly<Record<string, string>> = {
  nameOverride: 'names are fixed',
  fullnameOverride: 'names are fixed',
  'rbac.create': 'the operator grants what its workloads use, and nothing else',
  'controller.enabled': 'there is always a controller',
  'controller.command': 'the operator makes the Deployment',
  'controller.extraContainers': 'the operator makes the Deployment',
  'controller.image': 'one image serves all: image.repository',
  'controller.livenessProbe': 'probes are fixed',
  'controller.readinessProbe': 'probes are fixed',
  'controller.securityContext': 'the least that works, always',
  'controller.serviceAccount': 'accounts are fixed',
  'controller.strategy': 'a rolling update, always',
  'controller.webhookMode': 'no webhook has to be up; config/webhook has the optional one',
  'speaker.enabled': 'there are always speakers; see metallb.enabled',
  'speaker.command': 'the operator makes the DaemonSet',
  'speaker.extraContainers': 'the operator makes the DaemonSet',
  'speaker.image': 'one image serves all: image.repository',
  'speaker.livenessProbe': 'probes are fixed',
  'speaker.readinessProbe': 'probes are fixed',
  'speaker.startupProbe': 'probes are fixed',
  'speaker.securityContext': 'the least that works, always',
  'speaker.serviceAccount': 'accounts are fixed',
  'speaker.tolerateMaster': 'always',
  'speaker.bgpDebounceTimeout': 'changes reach FRR at once',
  'speaker.secretName': 'always metallb-memberlist',
  'speaker.reloader': 'there is no reloader',
  'speaker.frrMetrics': 'there is no such container',
  'speaker.initContainers': 'there are none of these',
  'speaker.frr.image': 'one image serves all: image.repository',
  'speaker.memberlist.enabled': 'always',
  'speaker.memberlist.mlBindAddrOverride': 'always the address of the pod',
  'speaker.memberlist.mlSecretKeyPath': 'fixed',
  'crds.validationFailurePolicy': 'no webhook has to be up',
  'frr-k8s': 'frr-k8s is not installed: our FRR serves that backend',
  'prometheus.scrapeAnnotations': 'use a ServiceMonitor or PodMonitor',
  'prometheus.rbacPrometheus': 'bind the right to GET /metrics yourself',
  'prometheus.serviceAccount': 'bind the right to GET /metrics yourself',
  'prometheus.namespace': 'bind the right to GET /metrics yourself',
  'prometheus.prometheusRule.additionalLabels': 'prometheus.labels counts',
  'prometheus.prometheusRule.annotations': 'not a setting of the operator',
  'prometheus.prometheusRule.staleConfig': 'all alerts, or none: silence one in the Alertmanager',
  'prometheus.prometheusRule.configNotLoaded': 'all alerts, or none: silence one in the Alertmanager',
  'prometheus.prometheusRule.addressPoolExhausted': 'all alerts, or none: silence one in the Alertmanager',
  'prometheus.prometheusRule.addressPoolUsage': 'all alerts, or none: silence one in the Alertmanager',
  'prometheus.prometheusRule.bgpSessionDown': 'all alerts, or none: silence one in the Alertmanager',
  'prometheus.prometheusRule.extraAlerts': 'make a PrometheusRule of your own',
  'prometheus.podMonitor.additionalLabels': 'prometheus.labels counts',
  'prometheus.podMonitor.annotations': 'not a setting of the operator',
  'prometheus.podMonitor.jobLabel': 'not a setting of the operator',
  'prometheus.podMonitor.interval': 'not a setting of the operator',
  'prometheus.podMonitor.metricRelabelings': 'not a setting of the operator',
  'prometheus.podMonitor.relabelings': 'not a setting of the operator',
  'prometheus.podMonitor.tlsConfig': 'not a setting of the operator',
  'prometheus.serviceMonitor.speaker': 'not a setting of the operator',
  'prometheus.serviceMonitor.controller': 'not a setting of the operator',
  'prometheus.serviceMonitor.jobLabel': 'not a setting of the operator',
  'prometheus.serviceMonitor.interval': 'not a setting of the operator',
  'prometheus.serviceMonitor.metricRelabelings': 'not a setting of the operator',
  'prometheus.serviceMonitor.relabelings': 'not a setting of the operator',
  'tls.controllerMetricsTLSSecret': 'not a setting of the operator',
  'tls.speakerMetricsTLSSecret': 'not a setting of the operator',
};
