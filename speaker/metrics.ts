/** The speaker's own metrics (speaker-l2.md §7.1, speaker-bgp.md §6.3). FRR's are in speaker/frr/metrics.ts. */
import type { Gauge, Metrics } from '#runtime/metrics/types.ts';
import type { L2Port, MembersPort } from '#speaker/ports.ts';

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
