/** What a speaker's main thread does with many Services: text to objects, views, decisions, a plan for the responder. */
import { planL2 } from '#core/announce/l2-plan.ts';
import { decideAnnouncement, type DecisionContext } from '#core/announce/verdict.ts';
import { bgpContext } from '#core/bgp/gates.ts';
import { projectEndpointSlice, projectService, type RawObject } from '#core/model/projections.ts';
import type { L2Port } from '#speaker/ports.ts';
import { compiled, l2Adv, node, pool } from './config-factories.ts';

interface Texts {
  readonly service: string;
  readonly slice: string;
}

/** Address number `index` of 10.64.0.0/10. */
export function addressOf(index: number): string {
  return `10.${64 + (index >> 16)}.${(index >> 8) & 0xff}.${index & 0xff}`;
}

function textsOf(index: number): Texts {
  const name = `service-${index}`;
  const labels = { app: name, team: 'x'.repeat(20) };
  const ports = Array.from({ length: 3 }, (_, port) => ({
    name: `p${port}`,
    port: 80 + port,
    protocol: 'TCP',
  }));
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default', uid: name, labels, annotations: { note: 'y'.repeat(200) } },
    spec: { type: 'LoadBalancer', clusterIPs: ['10.96.0.1'], selector: labels, ports },
    status: { loadBalancer: { ingress: [{ ip: addressOf(index) }] } },
  };
  const endpoints = Array.from({ length: 3 }, (_, at) => ({
    addresses: [`10.1.0.${at}`],
    nodeName: 'node1',
    conditions: { ready: true, serving: true, terminating: false },
  }));
  const slice = {
    metadata: { name, namespace: 'default', labels: { 'kubernetes.io/service-name': name } },
    endpoints,
  };
  return { service: JSON.stringify(service), slice: JSON.stringify(slice) };
}

/** Goes over so many Services until `ms` have passed; `held` are held all the time. Returns how many passes it made. */
export function digest(
  port: L2Port,
  { services, ms, held }: { services: number; ms: number; held: readonly string[] },
): number {
  const texts = Array.from({ length: services }, (_, index) => textsOf(index));
  const { config } = compiled([pool('pool', ['10.64.0.0/10']), l2Adv('ad')]);
  const me = node('node1');
  const l2 = { me: 'node1', advertisements: config.l2Advertisements, nodes: new Map([['node1', me]]) };
  const context: DecisionContext = {
    bgp: bgpContext(config, me, false),
    l2: { ...l2, alive: new Set(['node1']), ignoreExcludeLabel: false },
  };
  const until = performance.now() + ms;
  let passes = 0;
  while (performance.now() < until) {
    const plan = planL2(texts.map((text) => verdictOf(context, text)));
    port.setPlan([...plan, ...held.map((ip) => ({ ip, interfaces: undefined }))]);
    passes += 1;
  }
  return passes;
}

function verdictOf(context: DecisionContext, { service, slice }: Texts) {
  const view = projectEndpointSlice(JSON.parse(slice) as RawObject);
  return decideAnnouncement(
    context,
    projectService(JSON.parse(service) as RawObject),
    view === undefined ? [] : [view],
  );
}
