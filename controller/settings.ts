/** The controller's flags and environment: MetalLB's (controller.md §1.1, §1.2), and leader election. */
import { logLevels } from '#runtime/log/winston.ts';
import { boolean, choice, duration, list, port, text } from '#runtime/settings/settings.ts';
import type { SettingsOf } from '#runtime/settings/settings.ts';

export const options = {
  port: port({
    flag: 'port',
    default: 9120,
    help: 'HTTPS port of /metrics on all interfaces; 0 switches it off.',
  }),
  namespace: text({
    flag: 'namespace',
    env: 'METALLB_NAMESPACE',
    help: "Namespace of the configuration; by default the pod's own.",
  }),
  memberlistSecret: text({
    flag: 'ml-secret-name',
    env: 'METALLB_ML_SECRET_NAME',
    help: "Name of the Secret with the speakers' membership key, created at start if it is absent.",
  }),
  deployment: text({
    flag: 'deployment',
    env: 'METALLB_DEPLOYMENT',
    help: "Name of the controller's own Deployment, which owns that Secret.",
  }),
  logLevel: choice({
    flag: 'log-level',
    choices: logLevels,
    default: 'info',
    help: `How much to log: ${logLevels.join(', ')}.`,
  }),
  healthPort: port({
    flag: 'health-probe-port',
    default: 17472,
    help: 'HTTP port of /healthz and /readyz on all interfaces; 0 switches them off.',
  }),
  lbClass: text({
    flag: 'lb-class',
    help: 'Handle only Services of this load balancer class; by default those without a class.',
  }),
  podName: text({ flag: 'pod-name', env: 'METALLB_POD_NAME', help: "The controller's own pod." }),
  tlsMinVersion: text({
    flag: 'tls-min-version',
    help: 'Oldest TLS version served: VersionTLS12 or VersionTLS13 (the default).',
  }),
  tlsCipherSuites: list({
    flag: 'tls-cipher-suites',
    help: 'TLS 1.2 cipher suites served, by IANA name; only together with --tls-min-version=VersionTLS12.',
  }),
  tlsCurvePreferences: list({
    flag: 'tls-curve-preferences',
    help: 'Key exchange groups served, by number, best first.',
  }),
  metricsCertDir: text({
    flag: 'metrics-cert-dir',
    help: 'Folder with tls.crt and tls.key for /metrics; without the files a certificate is made in memory.',
  }),
  kubeconfig: text({
    flag: 'kubeconfig',
    env: 'KUBECONFIG',
    help: "Path of a kubeconfig; by default the pod's own credentials.",
  }),
  leaderElect: boolean({
    flag: 'leader-elect',
    default: false,
    help: 'Compete for a Lease and act only while holding it: for more than one replica.',
  }),
  leaseDuration: duration({
    flag: 'leader-elect-lease-duration',
    default: '15s',
    help: 'How long a leader that is silent keeps others from taking over.',
  }),
  renewDeadline: duration({
    flag: 'leader-elect-renew-deadline',
    default: '10s',
    help: 'How long a leader goes on without having renewed its Lease; shorter than the lease duration.',
  }),
  retryPeriod: duration({
    flag: 'leader-elect-retry-period',
    default: '2s',
    help: 'How often the Lease is renewed, or tried for.',
  }),
  secretPassthrough: boolean({
    flag: 'frrk8s-secret-passthrough',
    default: false,
    help: 'as with the speakers: an external frr-k8s reads the Secrets of peers, so what is in them is not judged',
  }),
  bgpType: text({
    env: 'METALLB_BGP_TYPE',
    help: 'The BGP backend whose rules the configuration must keep.',
  }),
  webhookMode: choice({
    flag: 'webhook-mode',
    choices: ['enabled', 'disabled', 'onlywebhook'],
    default: 'disabled',
    help: 'Whether to serve the admission webhooks beside the controller, not at all, or nothing else.',
  }),
  webhookSecret: text({
    flag: 'webhook-secret',
    default: 'metallb-webhook-cert',
    help: "Secret with the webhooks' certificates, made and renewed by us.",
  }),
  webhookHttp2: boolean({ flag: 'webhook-http2', default: false, help: 'Accepted for compatibility.' }),
  webhookPort: port({ flag: 'webhook-port', default: 9443, help: 'HTTPS port of the admission webhooks.' }),
  disableCertRotation: boolean({
    flag: 'disable-cert-rotation',
    default: false,
    help: 'Take the certificate of the webhooks from --cert-dir and leave the CA bundle to others.',
  }),
  certDir: text({
    flag: 'cert-dir',
    default: '/tmp/k8s-webhook-server/serving-certs',
    help: 'Folder with tls.crt and tls.key for the webhooks, with --disable-cert-rotation.',
  }),
  certServiceName: text({
    flag: 'cert-service-name',
    default: 'metallb-webhook-service',
    help: 'Service under which the API server calls the webhooks.',
  }),
  pprofBindAddress: text({ flag: 'pprof-bind-address', help: 'Accepted for compatibility; has no effect.' }),
};

/** What the single settings cannot say: problems of their combination. */
export function settingsProblems({ leaseDuration, renewDeadline, retryPeriod }: Settings): string[] {
  if (leaseDuration > renewDeadline && renewDeadline > retryPeriod && retryPeriod > 0) return [];
  return [
    '--leader-elect-lease-duration must be longer than --leader-elect-renew-deadline, and that longer than --leader-elect-retry-period',
  ];
}

export type Settings = SettingsOf<typeof options>;
