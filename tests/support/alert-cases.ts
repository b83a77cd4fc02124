/** For each alert, series that make it fire and series that do not: what promtool is given. */

export interface Series {
  /** Name and labels as Prometheus writes them. */
  readonly series: string;
  /** In promtool's notation, one value a minute: `0x30`, `0+60x30`. */
  readonly values: string;
}

export interface AlertCase {
  readonly alert: string;
  readonly fires: readonly Series[];
  /** Labels of the alert that fires, without severity. */
  readonly labels: Readonly<Record<string, string>>;
  /** What `$value` is in the texts. */
  readonly value: string;
  readonly quiet: readonly Series[];
}

const MINUTES = 30;
const speaker = { namespace: 'metallb-system', pod: 'speaker-a', container: 'speaker' };
const controller = {
  namespace: 'metallb-system',
  pod: 'controller-a',
  container: 'controller',
  job: 'metallb',
};
const standby = { ...controller, pod: 'controller-b' };

type Labels = Readonly<Record<string, string>>;

function series(name: string, labels: Labels, values: number | string): Series {
  const text = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const all = typeof values === 'number' ? `${values}x${MINUTES}` : values;
  return { series: `${name}{${text.join(', ')}}`, values: all };
}

/** A gauge of one pod that is 0 or 1: fires on one value and not on the other. */
function flag(alert: string, metric: string, labels: Labels, fires: 0 | 1): AlertCase {
  return {
    alert,
    fires: [series(metric, labels, fires)],
    labels,
    value: String(fires),
    quiet: [series(metric, labels, 1 - fires)],
  };
}

/** Used and usable addresses of a pool, by family. */
function pool(
  [used4, of4]: readonly [number, number],
  [used6, of6]: readonly [number, number],
  labels = controller,
): Series[] {
  const of = (name: string, value: number): Series =>
    series(`metallb_allocator_${name}`, { ...labels, pool: 'p' }, value);
  return [
    of('ipv4_addresses_in_use_total', used4),
    of('ipv4_addresses_total', of4),
    of('ipv6_addresses_in_use_total', used6),
    of('ipv6_addresses_total', of6),
  ];
}

const ipv4OfPool = { family: 'IPv4', namespace: 'metallb-system', pool: 'p' };
/** The controller that waits for the lease has no figures of its own. */
const idle = pool([0, 0], [0, 0], standby);

function usage(percent: number): AlertCase {
  return {
    alert: `MetalLBAddressPoolUsage${percent}Percent`,
    fires: [...pool([percent + 1, 100], [5, 1_000_000]), ...idle],
    labels: ipv4OfPool,
    value: String(percent + 1),
    quiet: [...pool([percent, 100], [5, 1_000_000]), ...idle],
  };
}

const session = { ...speaker, peer: '10.0.0.1:179', vrf: 'default' };
const bucket = (le: string, values: string): Series =>
  series('metallb_allocator_allocation_duration_seconds_bucket', { ...controller, le }, values);

export const alertCases: readonly AlertCase[] = [
  flag('MetalLBStaleConfig', 'metallb_k8s_client_config_stale_bool', speaker, 1),
  flag('MetalLBConfigNotLoaded', 'metallb_k8s_client_config_loaded_bool', speaker, 0),
  {
    alert: 'MetalLBConfigNotLoaded',
    fires: [
      series('metallb_k8s_client_config_loaded_bool', controller, 0),
      series('metallb_k8s_client_config_loaded_bool', standby, 0),
    ],
    labels: { namespace: 'metallb-system', job: 'metallb' },
    value: '0',
    quiet: [
      series('metallb_k8s_client_config_loaded_bool', controller, 1),
      series('metallb_k8s_client_config_loaded_bool', standby, 0),
    ],
  },
  {
    alert: 'MetalLBAddressPoolExhausted',
    fires: [...pool([4, 4], [4, 1_000_000]), ...idle],
    labels: ipv4OfPool,
    value: '4',
    // Nothing is exhausted that has no addresses of a family.
    quiet: [...pool([0, 0], [3, 4]), ...idle],
  },
  usage(75),
  usage(85),
  usage(95),
  {
    alert: 'MetalLBServicesWaiting',
    fires: [series('metallb_allocator_services_waiting', { ...controller, reason: 'noAddress' }, 3)],
    labels: { namespace: 'metallb-system', reason: 'noAddress' },
    value: '3',
    quiet: [series('metallb_allocator_services_waiting', { ...controller, reason: 'noAddress' }, '3x5 0x30')],
  },
  {
    alert: 'MetalLBSlowAllocation',
    fires: [bucket('1', '0x30'), bucket('5', '0+60x30'), bucket('+Inf', '0+60x30')],
    labels: { namespace: 'metallb-system' },
    value: '4.96',
    quiet: [bucket('1', '0+60x30'), bucket('5', '0+60x30'), bucket('+Inf', '0+60x30')],
  },
  flag('MetalLBBGPSessionDown', 'metallb_bgp_session_up', session, 0),
  flag('MetalLBBGPSessionDown', 'frrk8s_bgp_session_up', session, 0),
  {
    alert: 'MetalLBBGPSessionOutOfSync',
    fires: [
      series('metallb_bgp_session_in_sync_bool', session, 0),
      series('metallb_bgp_session_up', session, 1),
    ],
    labels: session,
    value: '0',
    // A session that is down is told as that.
    quiet: [
      series('metallb_bgp_session_in_sync_bool', session, 0),
      series('metallb_bgp_session_up', session, 0),
    ],
  },
  flag('MetalLBBFDSessionDown', 'metallb_bfd_session_up', { ...session, peer: '10.0.0.1' }, 0),
  flag('MetalLBFRRDown', 'metallb_frr_up', speaker, 0),
  flag('MetalLBFRRApplyFailing', 'metallb_frr_apply_failing', speaker, 1),
  {
    alert: 'MetalLBFRRNeighborRefused',
    fires: [series('metallb_frr_refused_neighbors', speaker, 2)],
    labels: speaker,
    value: '2',
    quiet: [series('metallb_frr_refused_neighbors', speaker, 0)],
  },
  flag('MetalLBFRRK8sWriteFailing', 'metallb_frrk8s_write_failing', speaker, 1),
  flag(
    'MetalLBAddressUsedElsewhere',
    'metallb_layer2_address_withheld_bool',
    { ...speaker, ip: '10.0.0.9' },
    1,
  ),
  flag('MetalLBSpeakerApart', 'metallb_speaker_member_bool', speaker, 0),
  {
    alert: 'MetalLBEventLoopBlocked',
    fires: [
      series('nodejs_eventloop_lag_p99_seconds', { ...speaker, instance: 'a' }, 0.5),
      series('metallb_k8s_client_updates_total', { ...speaker, instance: 'a' }, 7),
    ],
    labels: { ...speaker, instance: 'a' },
    value: '0.5',
    // Somebody else's Node.js.
    quiet: [
      series('nodejs_eventloop_lag_p99_seconds', { ...speaker, pod: 'shop', instance: 'b' }, 0.5),
      series('metallb_k8s_client_updates_total', { ...speaker, instance: 'a' }, 7),
    ],
  },
  {
    alert: 'MetalLBWatchSilent',
    fires: [series('metallb_k8s_client_watch_last_event_timestamp_seconds', { ...speaker, kind: 'Node' }, 0)],
    labels: { kind: 'Node', namespace: 'metallb-system', pod: 'speaker-a' },
    value: '1800',
    quiet: [
      series(
        'metallb_k8s_client_watch_last_event_timestamp_seconds',
        { ...speaker, kind: 'Node' },
        '0+60x30',
      ),
    ],
  },
  flag('MetalLBDegraded', 'metallb_operator_condition', { namespace: 'metallb-system', type: 'Degraded' }, 1),
  flag(
    'MetalLBNotAvailable',
    'metallb_operator_condition',
    { namespace: 'metallb-system', type: 'Available' },
    0,
  ),
];
