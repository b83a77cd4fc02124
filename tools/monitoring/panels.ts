/** What the dashboard shows, as data: rows of panels, each with its expressions. */

export interface Query {
  readonly expr: string;
  /** How a series is named, with `{{label}}`. */
  readonly legend: string;
}

export interface Panel {
  readonly title: string;
  readonly description: string;
  readonly kind: 'stat' | 'table' | 'timeseries';
  /** Grafana's name of the unit. */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** From which value on a number is shown in red; none: it is never bad. */
  readonly badFrom?: number;
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

const here = 'namespace=~"$namespace"';
const rate = (metric: string, by: string): string =>
  `sum by (${by}) (rate(${metric}{${here}}[$__rate_interval]))`;
const ofPools = (name: string): string => `max by (pool) (metallb_allocator_${name}{${here}})`;

function stat(title: string, description: string, expr: string, badFrom?: number): Panel {
  const panel = { title, description, kind: 'stat', unit: 'short', queries: [{ expr, legend: '' }] } as const;
  return badFrom === undefined ? panel : { ...panel, badFrom };
}

function lines(title: string, description: string, unit: string, queries: readonly Query[]): Panel {
  return { title, description, kind: 'timeseries', unit, queries };
}

const overview: Row = {
  title: 'Overview',
  panels: [
    stat(
      'Services waiting',
      'Services of type LoadBalancer without an address.',
      `sum(max by (reason) (metallb_allocator_services_waiting{${here}})) or vector(0)`,
      1,
    ),
    stat(
      'Fullest pool',
      'The highest share of addresses in use, in percent, of any pool and family.',
      `100 * max(${ofPools('ipv4_addresses_in_use_total')} / (${ofPools('ipv4_addresses_total')} > 0) or ${ofPools('ipv6_addresses_in_use_total')} / (${ofPools('ipv6_addresses_total')} > 0))`,
      85,
    ),
    stat(
      'BGP sessions down',
      'Sessions that are configured and not established.',
      `count(metallb_bgp_session_up{${here}} == 0) or vector(0)`,
      1,
    ),
    stat(
      'Objects out of use',
      'Programs with an object in their configuration that cannot be used.',
      `count(metallb_k8s_client_config_stale_bool{${here}} == 1) or vector(0)`,
      1,
    ),
    stat(
      'Speakers',
      'Speakers that are scraped.',
      `count(metallb_speaker_members_alive{${here}}) or vector(0)`,
    ),
    stat(
      'Degraded',
      '1 while the MetalLB object is Degraded.',
      `max(metallb_operator_condition{${here}, type="Degraded"}) or vector(0)`,
      1,
    ),
  ],
};

const addresses: Row = {
  title: 'Addresses',
  panels: [
    lines('Addresses in use', 'By pool and family; a shared address counts once.', 'short', [
      { expr: ofPools('ipv4_addresses_in_use_total'), legend: '{{pool}} IPv4' },
      { expr: ofPools('ipv6_addresses_in_use_total'), legend: '{{pool}} IPv6' },
    ]),
    {
      title: 'Pools',
      description: 'Usable addresses, addresses in use, addresses reserved and unused, Services.',
      kind: 'table',
      unit: 'short',
      queries: [
        { expr: ofPools('addresses_total'), legend: 'usable' },
        { expr: ofPools('addresses_in_use_total'), legend: 'in use' },
        { expr: ofPools('addresses_reserved'), legend: 'reserved' },
        { expr: ofPools('services_allocated_total'), legend: 'Services' },
      ],
    },
    lines('Services waiting, by reason', 'Why Services have no address.', 'short', [
      { expr: `max by (reason) (metallb_allocator_services_waiting{${here}})`, legend: '{{reason}}' },
    ]),
    lines(
      'From a Service to its address',
      'Until the address is written; waiting for a free one does not count.',
      's',
      [
        {
          expr: `histogram_quantile(0.5, ${rate('metallb_allocator_allocation_duration_seconds_bucket', 'le')})`,
          legend: 'half',
        },
        {
          expr: `histogram_quantile(0.99, ${rate('metallb_allocator_allocation_duration_seconds_bucket', 'le')})`,
          legend: '99 of 100',
        },
      ],
    ),
  ],
};

const bgp: Row = {
  title: 'BGP',
  panels: [
    lines('Sessions', '1 is established.', 'short', [
      { expr: `metallb_bgp_session_up{${here}}`, legend: '{{pod}} {{peer}} {{vrf}}' },
    ]),
    lines('Prefixes', 'What is announced, and what should be.', 'short', [
      { expr: `metallb_bgp_announced_prefixes_total{${here}}`, legend: '{{pod}} {{peer}} announced' },
      { expr: `metallb_bgp_intended_prefixes_total{${here}}`, legend: '{{pod}} {{peer}} intended' },
    ]),
    lines('Updates sent', 'BGP update messages a second.', 'short', [
      { expr: rate('metallb_bgp_updates_total', 'pod, peer'), legend: '{{pod}} {{peer}}' },
    ]),
    lines('BFD', '1 is up.', 'short', [
      { expr: `metallb_bfd_session_up{${here}}`, legend: '{{pod}} {{peer}}' },
    ]),
    lines('FRR', 'How long its last change took; 0 generations behind is well.', 's', [
      { expr: `metallb_frr_apply_duration_seconds{${here}}`, legend: '{{pod}} last change' },
      {
        expr: `metallb_frr_desired_generation{${here}} - metallb_frr_applied_generation{${here}}`,
        legend: '{{pod}} generations behind',
      },
    ]),
    lines('Repairs', 'Times that FRR did not have what it was given.', 'short', [
      { expr: rate('metallb_frr_repairs_total', 'pod, what'), legend: '{{pod}} {{what}}' },
    ]),
  ],
};

const layer2: Row = {
  title: 'Layer 2',
  panels: [
    lines('Addresses announced', 'By node and protocol.', 'short', [
      {
        expr: `count by (node, protocol) (metallb_speaker_announced{${here}} == 1)`,
        legend: '{{node}} {{protocol}}',
      },
    ]),
    lines('Requests and answers', 'ARP and neighbour solicitations for our addresses a second.', 'short', [
      { expr: rate('metallb_layer2_requests_received', 'pod'), legend: '{{pod}} requests' },
      { expr: rate('metallb_layer2_responses_sent', 'pod'), legend: '{{pod}} answers' },
    ]),
    lines(
      'Moves and conflicts',
      'Unasked announcements; frames of others with an address of ours.',
      'short',
      [
        { expr: rate('metallb_layer2_gratuitous_sent', 'pod'), legend: '{{pod}} unasked' },
        { expr: rate('metallb_layer2_conflicts', 'ip'), legend: '{{ip}} conflicts' },
      ],
    ),
    lines(
      'Speakers alive',
      'As each speaker sees it; lines apart mean that they do not see the same.',
      'short',
      [{ expr: `metallb_speaker_members_alive{${here}}`, legend: '{{pod}}' }],
    ),
  ],
};

const programs: Row = {
  title: 'Programs',
  panels: [
    lines('Calls of the API server', 'By status code; 0 is no answer.', 'short', [
      { expr: rate('metallb_k8s_client_requests_total', 'code'), legend: '{{code}}' },
    ]),
    lines('Work queues', 'Keys that wait.', 'short', [
      { expr: `metallb_workqueue_depth{${here}}`, legend: '{{pod}} {{queue}}' },
    ]),
    lines('Memory', 'Resident set.', 'bytes', [
      {
        expr: `process_resident_memory_bytes{${here}} and on (namespace, pod, instance) metallb_workqueue_depth`,
        legend: '{{pod}}',
      },
    ]),
    lines('CPU', 'Cores.', 'short', [
      {
        expr: `rate(process_cpu_seconds_total{${here}}[$__rate_interval]) and on (namespace, pod, instance) metallb_workqueue_depth`,
        legend: '{{pod}}',
      },
    ]),
  ],
};

export const rows: readonly Row[] = [overview, addresses, bgp, layer2, programs];
