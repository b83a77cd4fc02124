/**
 * FRR's sessions and counters under MetalLB's metric names (speaker-bgp.md §6.2). Series belong to configured
 * peers: they are there from the start, carry the configured port, and stay while a session is down or FRR does
 * not answer; they go when the peer goes.
 */
import { neighborWord } from '#core/frr/grammar.ts';
import {
  parseBfdCounters,
  parseBfdPeers,
  parseNeighbors,
  type BfdCounters,
  type BfdEnd,
  type BfdSession,
  type BgpMessages,
  type BgpSession,
} from '#core/frr/parse.ts';
import type { BgpPeer } from '#core/model/config.ts';
import type { Counter, Gauge, LabelValues, Metrics, MetricSpec } from '#runtime/metrics/types.ts';
import type { FrrPort } from '#speaker/ports.ts';

const LABELS = ['peer', 'vrf'] as const;

const MESSAGES: readonly (readonly [name: string, field: keyof BgpMessages, help: string])[] = [
  ['opens_sent', 'opensSent', 'BGP open messages sent.'],
  ['opens_received', 'opensReceived', 'BGP open messages received.'],
  ['notifications_sent', 'notificationsSent', 'BGP notification messages sent.'],
  ['updates_total', 'updatesSent', 'BGP update messages sent.'],
  ['updates_total_received', 'updatesReceived', 'BGP update messages received.'],
  ['keepalives_sent', 'keepalivesSent', 'BGP keepalive messages sent.'],
  ['keepalives_received', 'keepalivesReceived', 'BGP keepalive messages received.'],
  ['route_refresh_sent', 'routeRefreshSent', 'BGP route refresh messages sent.'],
  ['total_sent', 'totalSent', 'BGP messages sent.'],
  ['total_received', 'totalReceived', 'BGP messages received.'],
];

type BfdField = Exclude<keyof BfdCounters, keyof BfdEnd>;

const BFD: readonly (readonly [name: string, field: BfdField, help: string])[] = [
  ['control_packet_input', 'controlInput', 'BFD control packets received.'],
  ['control_packet_output', 'controlOutput', 'BFD control packets sent.'],
  ['echo_packet_input', 'echoInput', 'BFD echo packets received.'],
  ['echo_packet_output', 'echoOutput', 'BFD echo packets sent.'],
  ['session_up_events', 'upEvents', 'Times the BFD session came up.'],
  ['session_down_events', 'downEvents', 'Times the BFD session went down.'],
  ['zebra_notifications', 'zebraNotifications', 'Notifications of the BFD session to zebra.'],
];

/** A metric with the series it has now. */
class Series {
  readonly #metric: Counter | Gauge;
  #present = new Map<string, LabelValues>();

  constructor(metric: Counter | Gauge) {
    this.#metric = metric;
  }

  /** Makes these the only series. */
  replace(values: Iterable<readonly [LabelValues, number]>): void {
    const before = this.#present;
    this.#present = new Map();
    for (const [labels, value] of values) {
      const key = JSON.stringify(labels);
      before.delete(key);
      this.#present.set(key, labels);
      this.#metric.set(labels, value);
    }
    for (const labels of before.values()) this.#metric.remove(labels);
  }
}

export interface FrrMetrics {
  /** Asks FRR and sets all series. Never throws: a failure shows as `metallb_frr_up` 0. */
  poll(): Promise<void>;
}

/** Registers the metrics. `peers` returns the peers of this node as configured. */
export function frrMetrics(metrics: Metrics, port: FrrPort, peers: () => readonly BgpPeer[]): FrrMetrics {
  const counter = (name: string, help: string): Series => new Series(metrics.counter(spec(name, help)));
  const gauge = (name: string, help: string): Series => new Series(metrics.gauge(spec(name, help)));
  const bgpUp = gauge('metallb_bgp_session_up', 'BGP session state: 1 is established.');
  const prefixes = gauge('metallb_bgp_announced_prefixes_total', 'Prefixes announced to the peer.');
  const messages = MESSAGES.map(
    ([name, field, help]) => [field, counter(`metallb_bgp_${name}`, help)] as const,
  );
  const bfdUp = gauge('metallb_bfd_session_up', 'BFD session state: 1 is up.');
  const bfd = BFD.map(([name, field, help]) => [field, counter(`metallb_bfd_${name}`, help)] as const);
  const up = metrics.gauge({ name: 'metallb_frr_up', help: 'Whether FRR answered the last time: 1 is yes.' });
  stateMetrics(metrics, port);

  const setBgp = (sessions: readonly BgpSession[]): void => {
    const all = peers().map((peer) => [bgpLabels(peer), sessionOf(sessions, peer)] as const);
    bgpUp.replace(all.map(([labels, session]) => [labels, session?.state === 'Established' ? 1 : 0]));
    prefixes.replace(all.map(([labels, session]) => [labels, session?.sentPrefixes ?? 0]));
    for (const [field, series] of messages)
      series.replace(all.map(([labels, session]) => [labels, session?.messages[field] ?? 0]));
  };

  const setBfd = async (): Promise<void> => {
    const guarded = peers().filter((peer) => peer.bfdProfile !== undefined);
    const [states, counts] = guarded.length === 0 ? [[], []] : await readBfd(port, guarded);
    bfdUp.replace(guarded.map((peer) => [bfdLabels(peer), bfdOf(states, peer)?.isUp === true ? 1 : 0]));
    for (const [field, series] of bfd)
      series.replace(guarded.map((peer) => [bfdLabels(peer), bfdOf(counts, peer)?.[field] ?? 0]));
  };

  return {
    poll: async () => {
      try {
        setBgp(parseNeighbors(await port.show('show bgp vrf all neighbors json')));
        await setBfd();
        up.set({}, 1);
      } catch {
        up.set({}, 0);
      }
    },
  };
}

function spec(name: string, help: string): MetricSpec {
  return { name, help, labels: LABELS };
}

function vrfLabel(peer: BgpPeer): string {
  return peer.vrf === '' ? 'default' : peer.vrf;
}

function bgpLabels(peer: BgpPeer): LabelValues {
  return { peer: `${neighborWord(peer)}:${peer.port}`, vrf: vrfLabel(peer) };
}

function bfdLabels(peer: BgpPeer): LabelValues {
  return { peer: neighborWord(peer), vrf: vrfLabel(peer) };
}

function sessionOf(sessions: readonly BgpSession[], peer: BgpPeer): BgpSession | undefined {
  return sessions.find(({ vrf, neighbor }) => vrf === peer.vrf && neighbor === neighborWord(peer));
}

/** BFD knows an unnumbered neighbour by its interface and link-local address. */
function bfdOf<T extends BfdEnd>(ends: readonly T[], peer: BgpPeer): T | undefined {
  const word = neighborWord(peer);
  const isNamed = peer.endpoint.kind === 'interface';
  return ends.find((end) => end.vrf === peer.vrf && (isNamed ? end.interface : end.peer) === word);
}

/** BFD answers for one VRF at a time. */
async function readBfd(port: FrrPort, peers: readonly BgpPeer[]): Promise<[BfdSession[], BfdCounters[]]> {
  const states: BfdSession[] = [];
  const counts: BfdCounters[] = [];
  for (const vrf of new Set(peers.map((peer) => peer.vrf))) {
    const command = vrf === '' ? 'show bfd peers' : `show bfd vrf ${vrf} peers`;
    states.push(...parseBfdPeers(await port.show(`${command} json`)));
    counts.push(...parseBfdCounters(await port.show(`${command} counters json`)));
  }
  return [states, counts];
}

function stateMetrics(metrics: Metrics, port: FrrPort): void {
  const gauge = (name: string, help: string): Gauge => metrics.gauge({ name: `metallb_frr_${name}`, help });
  const desired = gauge('desired_generation', 'Configurations FRR was asked to run.');
  const applied = gauge('applied_generation', 'The newest configuration FRR is proved to run.');
  const failing = gauge('apply_failing', 'Whether the last application failed: 1 is yes.');
  const refused = gauge('refused_neighbors', 'Neighbours FRR refuses, left out of its configuration.');
  const duration = gauge('apply_duration_seconds', 'How long the last application took, proof included.');
  metrics.onCollect(() => {
    const { state } = port;
    desired.set({}, state.desired);
    applied.set({}, state.applied);
    failing.set({}, state.lastError === undefined ? 0 : 1);
    refused.set({}, state.refused.length);
    duration.set({}, state.lastDurationMs / 1000);
  });
}
