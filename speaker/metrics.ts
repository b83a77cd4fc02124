/** The speaker's own metrics (speaker-l2.md §7.1, speaker-bgp.md §6.3). FRR's are in speaker/frr/metrics.ts. */
import type { Counter, Gauge, Metrics } from '#runtime/metrics/types.ts';
import type { L2Port, MembersPort } from '#speaker/ports.ts';

/** Decisions about single Services and about the configuration. None of them can fail: the counter of errors stays 0. */
export function updatesCounter(metrics: Metrics): Counter {
  const updates = metrics.counter({
    name: 'metallb_k8s_client_updates_total',
    help: 'Decisions about single Services and about the configuration.',
  });
  const errors = metrics.counter({
    name: 'metallb_k8s_client_update_errors_total',
    help: 'Decisions that failed.',
  });
  updates.inc({}, 0);
  errors.inc({}, 0);
  return updates;
}

/** metallb_speaker_announced: 1 per announced address of a Service. */
export function announcedGauge(metrics: Metrics): Gauge {
  return metrics.gauge({
    name: 'metallb_speaker_announced',
    help: 'Services announced from this node, by protocol and address.',
    labels: ['service', 'protocol', 'node', 'ip'],
  });
}

/** The responder's counters by address, read at each scrape. */
export function l2Metrics(metrics: Metrics, l2: L2Port): void {
  const labels = ['ip'];
  const requests = metrics.counter({
    name: 'metallb_layer2_requests_received',
    help: 'ARP requests and neighbour solicitations for held addresses.',
    labels,
  });
  const responses = metrics.counter({ name: 'metallb_layer2_responses_sent', help: 'Answers sent.', labels });
  const gratuitous = metrics.counter({
    name: 'metallb_layer2_gratuitous_sent',
    help: 'Unasked announcements sent.',
    labels,
  });
  const conflicts = metrics.counter({
    name: 'metallb_layer2_conflicts',
    help: 'Frames by which a machine outside the cluster showed that it uses an address of ours.',
    labels,
  });
  const withheld = metrics.gauge({
    name: 'metallb_layer2_address_withheld_bool',
    help: '1 while an address is not announced because a machine outside the cluster uses it.',
    labels,
  });
  const dropped = metrics.counter({
    name: 'metallb_layer2_frames_dropped',
    help: 'Frames that were not answered, by reason.',
    labels: ['reason'],
  });
  metrics.onCollect(() => {
    for (const [ip, counts] of l2.counts) {
      requests.set({ ip }, counts.requests);
      responses.set({ ip }, counts.responses);
      gratuitous.set({ ip }, counts.gratuitous);
      conflicts.set({ ip }, counts.conflicts);
      withheld.set({ ip }, l2.withheld.has(ip) ? 1 : 0);
    }
    for (const [reason, count] of l2.drops) dropped.set({ reason }, count);
  });
}

/** How many speakers this one hears, and whether it takes part itself. */
export function memberMetrics(metrics: Metrics, members: MembersPort): void {
  const alive = metrics.gauge({
    name: 'metallb_speaker_members_alive',
    help: 'Speakers that are alive, this one included.',
  });
  const member = metrics.gauge({
    name: 'metallb_speaker_member_bool',
    help: '1 while this speaker takes part in the mesh.',
  });
  metrics.onCollect(() => {
    alive.set({}, members.alive.size);
    member.set({}, members.phase === 'member' ? 1 : 0);
  });
}
