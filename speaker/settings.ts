/** Flags and environment of the speaker: MetalLB's names (speaker-l2.md §1.2, speaker-bgp.md §5.6), then our own. */
import { SettingsError } from '#core/errors.ts';
import { MAX_GRACEFUL_SHUTDOWN } from '#core/api/metallb.ts';
import { FRR_LOG_WORDS } from '#core/frr/build.ts';
import { logLevels } from '#runtime/log/winston.ts';
import {
  boolean,
  choice,
  integer,
  list,
  port,
  required,
  text,
  type SettingsOf,
} from '#runtime/settings/settings.ts';

export const speakerOptions = {
  nodeName: required({
    flag: 'node-name',
    env: 'METALLB_NODE_NAME',
    help: 'name of the Node this speaker runs on',
  }),
  podName: text({
    flag: 'pod-name',
    env: 'METALLB_POD_NAME',
    help: 'own pod; owner of the status objects. Empty: they have no owner',
  }),
  namespace: text({
    flag: 'namespace',
    env: 'METALLB_NAMESPACE',
    help: 'namespace of the configuration; by default that of the service account',
  }),
  kubeconfig: text({
    flag: 'kubeconfig',
    env: 'KUBECONFIG',
    help: 'kubeconfig file; by default the credentials of the pod',
  }),
  logLevel: choice({
    flag: 'log-level',
    choices: logLevels,
    default: 'info',
    help: 'all, debug, info, warn, error or none; FRR logs at the same level',
  }),
  frrLoggingLevel: choice({
    env: 'FRR_LOGGING_LEVEL',
    choices: ['', ...FRR_LOG_WORDS],
    default: '',
    help: "FRR's log level in its own word; empty: that of --log-level",
  }),
  lbClass: text({
    flag: 'lb-class',
    help: 'handle only Services of this spec.loadBalancerClass; empty: only those without a class',
  }),
  ignoreExcludeLb: boolean({
    flag: 'ignore-exclude-lb',
    default: false,
    help: 'announce also from nodes labelled node.kubernetes.io/exclude-from-external-load-balancers',
  }),
  port: port({ flag: 'port', default: 9120, help: 'HTTPS port of /metrics; 0: off' }),
  frrMetricsPort: port({
    flag: 'frr-metrics-port',
    env: 'FRR_METRICS_PORT',
    default: 9121,
    help: 'HTTPS port of the FRR metrics; 0: off',
  }),
  metricsCertDir: text({
    flag: 'metrics-cert-dir',
    help: 'folder with tls.crt and tls.key for /metrics; empty: a certificate made at start',
  }),
  healthProbePort: port({
    flag: 'health-probe-port',
    default: 17472,
    help: 'port of /healthz and /readyz on 127.0.0.1; 0: off',
  }),
  mlBindAddr: text({
    flag: 'ml-bindaddr',
    env: 'METALLB_ML_BIND_ADDR',
    help: 'address of the liveness mesh; empty: liveness is off and every Node counts as alive',
  }),
  mlBindPort: integer({
    flag: 'ml-bindport',
    env: 'METALLB_ML_BIND_PORT',
    default: 7946,
    min: 1,
    max: 65_535,
    help: 'UDP port of the liveness mesh',
  }),
  mlLabels: text({ flag: 'ml-labels', env: 'METALLB_ML_LABELS', help: 'label selector of the speaker pods' }),
  mlPeers: choice({
    flag: 'ml-peers',
    choices: ['pods', 'nodes'],
    default: 'pods',
    help: 'where the other speakers are found: their pods (ml-labels), or the InternalIP of every Node',
  }),
  mlSecretKeyPath: text({
    flag: 'ml-secret-key-path',
    env: 'METALLB_ML_SECRET_KEY_PATH',
    help: 'folder with the file secretkey that authenticates the mesh',
  }),
  excludeL2Config: text({
    flag: 'excludel2-config',
    default: '/etc/metallb/excludel2.yaml',
    help: 'file with announcedInterfacesToExclude; may be missing',
  }),
  l2Duplicates: choice({
    flag: 'l2-duplicates',
    env: 'METALLB_L2_DUPLICATES',
    choices: ['withhold', 'report', 'off'],
    default: 'withhold',
    help: 'an address nobody of the cluster held is probed before it is claimed; when another machine uses it: do not claim it, claim it and report, or do not even ask',
  }),
  gratuitousArpInterval: integer({
    flag: 'gratuitous-arp-interval',
    env: 'METALLB_GRATUITOUS_ARP_INTERVAL',
    default: 0,
    min: 0,
    max: 86_400,
    help: 'seconds after which a held address is announced again unasked, by ARP and NDP; 0: only when it is gained',
  }),
  vtysh: list({
    flag: 'vtysh',
    env: 'METALLB_VTYSH',
    default: ['vtysh'],
    help: 'the vtysh command as comma-separated words',
  }),
  frrConfigDir: text({
    flag: 'frr-config-dir',
    env: 'METALLB_FRR_CONFIG_DIR',
    default: '/etc/frr',
    help: 'folder in which frr.conf is kept',
  }),
  frrRunDir: text({
    flag: 'frr-run-dir',
    env: 'METALLB_FRR_RUN_DIR',
    default: '/var/run/frr',
    help: 'folder of the FRR sockets',
  }),
  frrTemplates: text({
    flag: 'frr-templates',
    env: 'METALLB_FRR_TEMPLATES',
    help: 'folder with the templates of frr.conf; by default those of the image',
  }),
  bgpType: choice({
    env: 'METALLB_BGP_TYPE',
    choices: ['frr', 'native', 'frr-k8s'],
    default: 'frr',
    help: 'all values are served by the FRR beside the speaker; frr-k8s together with --frrk8s-namespace by an external frr-k8s',
  }),
  host: text({ flag: 'host', env: 'METALLB_HOST', help: 'accepted and ignored' }),
  bgpDebounceTimeout: text({
    flag: 'bgp-debounce-timeout',
    env: 'METALLB_BGP_DEBOUNCE_TIMEOUT',
    help: 'accepted and ignored: changes are applied at once',
  }),
  tlsMinVersion: text({
    flag: 'tls-min-version',
    help: 'oldest TLS version served: VersionTLS12 or VersionTLS13 (the default)',
  }),
  tlsCipherSuites: list({
    flag: 'tls-cipher-suites',
    help: 'TLS 1.2 cipher suites served, by IANA name; only with --tls-min-version=VersionTLS12',
  }),
  tlsCurvePreferences: list({
    flag: 'tls-curve-preferences',
    help: 'key exchange groups served, by number, best first',
  }),
  mlWanConfig: boolean({
    flag: 'ml-wan-config',
    default: false,
    help: 'accepted and ignored: the mesh adapts itself',
  }),
  gracefulShutdownSeconds: integer({
    flag: 'graceful-shutdown-seconds',
    env: 'METALLB_GRACEFUL_SHUTDOWN_SECONDS',
    default: 0,
    max: MAX_GRACEFUL_SHUTDOWN,
    help: 'before this speaker ends, and while its Node carries metallb.io/drain: announce with community graceful-shutdown for so long, then withdraw what other nodes announce too; 0: off',
  }),
  daemonSet: text({
    env: 'METALLB_DAEMONSET',
    help: 'name of our own DaemonSet: once it is gone, routes are withdrawn before the sessions end. Empty: the sessions just end',
  }),
  frrk8sNamespace: text({
    flag: 'frrk8s-namespace',
    env: 'FRRK8S_NAMESPACE',
    help: 'namespace of an external frr-k8s, with METALLB_BGP_TYPE=frr-k8s: it does BGP, by the FRRConfiguration that the speaker writes there',
  }),
  frrk8sSecretPassthrough: boolean({
    flag: 'frrk8s-secret-passthrough',
    default: false,
    help: 'hand references to password Secrets to the external frr-k8s, which has them beside it, instead of passwords',
  }),
  pprofBindAddress: text({ flag: 'pprof-bind-address', help: 'accepted and ignored' }),
} as const;

export type SpeakerSettings = SettingsOf<typeof speakerOptions>;

/** How the external frr-k8s is reached; undefined: there is none, the FRR beside the speaker does BGP. */
export interface ExternalSettings {
  readonly namespace: string;
  /** It finds password Secrets by itself, in its own namespace. */
  readonly secretPassthrough: boolean;
  readonly passwords: 'reference' | 'clear';
}

/**
 * Which engine does BGP (architecture, decision 9). `own` is the speaker's namespace.
 * @throws SettingsError where secret references are to be passed to nobody, as in MetalLB.
 */
export function externalSettings(settings: SpeakerSettings, own: string): ExternalSettings | undefined {
  const { bgpType, frrk8sNamespace: namespace, frrk8sSecretPassthrough: secretPassthrough } = settings;
  const isExternal = bgpType === 'frr-k8s' && namespace !== '';
  if (secretPassthrough && !isExternal)
    throw new SettingsError([
      '--frrk8s-secret-passthrough: needs METALLB_BGP_TYPE=frr-k8s and --frrk8s-namespace',
    ]);
  if (!isExternal) return undefined;
  const isBeside = namespace === own;
  return {
    namespace,
    // Beside it the Secrets are ours too: they are still checked.
    secretPassthrough: secretPassthrough && !isBeside,
    passwords: secretPassthrough || isBeside ? 'reference' : 'clear',
  };
}
