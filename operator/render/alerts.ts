/**
 * The alerts, as data: PrometheusRule, documentation and the unit tests of promtool are made of this list. Names that
 * MetalLB's chart has are kept (operator-packaging.md §6.5), but nothing here filters by `job`: that label depends on how
 * one installs, and an expression that filters on the wrong one never fires.
 */

export interface Alert {
  readonly name: string;
  readonly expr: string;
  /** How long it has to hold. */
  readonly for: string;
  readonly severity: 'critical' | 'warning';
  readonly summary: string;
  /** What it means and what to do. */
  readonly description: string;
}

/** Of several controllers only the one that works has figures that count. */
const ofPools = (name: string): string => `max by (namespace, pool) (metallb_allocator_${name})`;

/** The same question for both families: a pool of both is not half full when all of its IPv4 addresses are gone. */
function perFamily(expression: (family: 'ipv4' | 'ipv6') => string): string {
  const of = (family: 'ipv4' | 'ipv6', name: string): string =>
    `label_replace(${expression(family)}, "family", "${name}", "", "")`;
  return `${of('ipv4', 'IPv4')} or ${of('ipv6', 'IPv6')}`;
}

const used = (family: string): string => ofPools(`${family}_addresses_in_use_total`);
const usable = (family: string): string => ofPools(`${family}_addresses_total`);

function poolUsage(percent: number, severity: Alert['severity']): Alert {
  return {
    name: `MetalLBAddressPoolUsage${percent}Percent`,
    expr: perFamily((family) => `100 * ${used(family)} / ${usable(family)} > ${percent}`),
    for: '1m',
    severity,
    summary: `More than ${percent} % of the {{ $labels.family }} addresses of pool {{ $labels.pool }} are in use`,
    description:
      '{{ printf "%.0f" $value }} % are in use. Add addresses to the IPAddressPool before new Services have to wait.',
  };
}

const configuration: readonly Alert[] = [
  {
    name: 'MetalLBStaleConfig',
    expr: 'metallb_k8s_client_config_stale_bool == 1',
    for: '1m',
    severity: 'warning',
    summary: '{{ $labels.pod }} has an object in its configuration that cannot be used',
    description:
      'What worked before goes on working; the object itself has no effect. `kubectl get configurationstates -A` names it, and so does an Event on it.',
  },
  {
    name: 'MetalLBConfigNotLoaded',
    // A controller that waits for the lease has not loaded anything, and need not.
    expr: [
      'metallb_k8s_client_config_loaded_bool{container="speaker"} == 0',
      'max by (namespace, job) (metallb_k8s_client_config_loaded_bool{container!="speaker"}) == 0',
    ].join(' or '),
    for: '1m',
    severity: 'warning',
    summary: 'No configuration is in force in {{ $labels.pod }}{{ $labels.job }}',
    description: 'It runs without pools and peers. Its log says what it waits for.',
  },
];

const addresses: readonly Alert[] = [
  {
    name: 'MetalLBAddressPoolExhausted',
    expr: perFamily((family) => `(${used(family)} >= ${usable(family)}) > 0`),
    for: '1m',
    severity: 'critical',
    summary: 'All {{ $labels.family }} addresses of pool {{ $labels.pool }} are in use',
    description: 'New Services that need this pool wait. Add addresses to it, or another pool.',
  },
  poolUsage(75, 'warning'),
  poolUsage(85, 'warning'),
  poolUsage(95, 'critical'),
  {
    name: 'MetalLBServicesWaiting',
    expr: 'max by (namespace, reason) (metallb_allocator_services_waiting) > 0',
    for: '10m',
    severity: 'warning',
    summary: '{{ $value }} Services have no address ({{ $labels.reason }})',
    description:
      'Events on the Services (reason AllocationFailed) name the rule and the remedy; `metallb simulate --live` shows all of them.',
  },
  {
    name: 'MetalLBSlowAllocation',
    expr: 'histogram_quantile(0.99, sum by (namespace, le) (rate(metallb_allocator_allocation_duration_seconds_bucket[5m]))) > 1',
    for: '10m',
    severity: 'warning',
    summary: 'Services wait longer than a second for their addresses',
    description: 'One in a hundred waits {{ $value }} s. Look at the latency of the API server first.',
  },
];

const bgp: readonly Alert[] = [
  {
    name: 'MetalLBBGPSessionDown',
    expr: 'metallb_bgp_session_up == 0 or frrk8s_bgp_session_up == 0',
    for: '1m',
    severity: 'critical',
    summary: 'The BGP session of {{ $labels.pod }} with {{ $labels.peer }} is down',
    description: '`kubectl get bgpsessionstates -A -o wide` says why, and what to do.',
  },
  {
    name: 'MetalLBBGPSessionOutOfSync',
    expr: 'metallb_bgp_session_in_sync_bool == 0 unless metallb_bgp_session_up == 0',
    for: '5m',
    severity: 'warning',
    summary: '{{ $labels.peer }} was not sent what it should have from {{ $labels.pod }}',
    description:
      'The session is up, but routes differ from what is intended although FRR was asked to send them again. `kubectl describe bgpsessionstates -A` names them.',
  },
  {
    name: 'MetalLBBFDSessionDown',
    expr: 'metallb_bfd_session_up == 0',
    for: '1m',
    severity: 'warning',
    summary: 'The BFD session of {{ $labels.pod }} with {{ $labels.peer }} is down',
    description: 'Is BFD on at the router, and does a firewall let UDP 3784 and 4784 through?',
  },
  {
    name: 'MetalLBFRRDown',
    expr: 'metallb_frr_up == 0',
    for: '2m',
    severity: 'critical',
    summary: 'FRR beside {{ $labels.pod }} does not answer',
    description: 'Look at the log of container frr. Routes that were announced stay while FRR runs.',
  },
  {
    name: 'MetalLBFRRApplyFailing',
    expr: 'metallb_frr_apply_failing == 1',
    for: '2m',
    severity: 'critical',
    summary: 'FRR beside {{ $labels.pod }} does not take its configuration',
    description: 'The last good one is in force. The log of container speaker has what FRR said.',
  },
  {
    name: 'MetalLBFRRNeighborRefused',
    expr: 'metallb_frr_refused_neighbors > 0',
    for: '2m',
    severity: 'warning',
    summary: '{{ $value }} neighbours are left out of the FRR beside {{ $labels.pod }}',
    description: 'FRR refuses them; Events on the BGPPeers say why. All others work.',
  },
];

const external: readonly Alert[] = [
  {
    name: 'MetalLBFRRK8sWriteFailing',
    expr: 'metallb_frrk8s_write_failing == 1',
    for: '2m',
    severity: 'critical',
    summary: '{{ $labels.pod }} cannot write its FRRConfiguration',
    description: 'The one that is stored stays in force. Its log has what the API server said.',
  },
];

const nodes: readonly Alert[] = [
  {
    name: 'MetalLBAddressUsedElsewhere',
    expr: 'metallb_layer2_address_withheld_bool == 1',
    for: '1m',
    severity: 'critical',
    summary: 'A machine outside of the cluster uses {{ $labels.ip }}',
    description: 'The address is not announced. An Event on the Service has the MAC address of that machine.',
  },
  {
    name: 'MetalLBSpeakerApart',
    expr: 'metallb_speaker_member_bool == 0',
    for: '2m',
    severity: 'warning',
    summary: '{{ $labels.pod }} hears too few of the other speakers and announces nothing on the LAN',
    description: 'UDP 7946 has to be open between the nodes. Its log says whom it misses.',
  },
  {
    name: 'MetalLBEventLoopBlocked',
    expr: 'nodejs_eventloop_lag_p99_seconds > 0.2 and on (namespace, pod, instance) metallb_k8s_client_updates_total',
    for: '5m',
    severity: 'warning',
    summary: '{{ $labels.pod }} is held up for {{ $value }} s at a time',
    description: 'It has too little CPU for the size of the cluster: raise its limit.',
  },
  {
    name: 'MetalLBWatchSilent',
    expr: 'time() - max by (namespace, pod, kind) (metallb_k8s_client_watch_last_event_timestamp_seconds) > 600',
    for: '5m',
    severity: 'warning',
    summary: '{{ $labels.pod }} has heard nothing of {{ $labels.kind }} objects for ten minutes',
    description: 'Can it reach the API server? What is announced stays announced meanwhile.',
  },
];

const operator: readonly Alert[] = [
  {
    name: 'MetalLBDegraded',
    expr: 'metallb_operator_condition{type="Degraded"} == 1',
    for: '5m',
    severity: 'critical',
    summary: 'The MetalLB object is Degraded',
    description: '`kubectl describe metallb -A` names the object or the pod, and the reason.',
  },
  {
    name: 'MetalLBNotAvailable',
    expr: 'metallb_operator_condition{type="Available"} == 0',
    for: '15m',
    severity: 'warning',
    summary: 'The MetalLB object has not been Available for a quarter of an hour',
    description: '`kubectl describe metallb -A` says what is waited for.',
  },
];

export const alerts: readonly Alert[] = [
  ...configuration,
  ...addresses,
  ...bgp,
  ...external,
  ...nodes,
  ...operator,
];
