/** From the users' objects to what FRR is told, for tests of speaker-bgp.md §9: the model of one node, and short views of it. */
import { nodeModel, type NodeModel } from '#core/frr/node-model.ts';
import { formatCidr } from '#core/model/ip.ts';
import type { EndpointSliceView, NodeView, SecretView, ServiceView } from '#core/model/views.ts';
import { loadTemplates } from '#speaker/frr/templates.ts';
import { endpoint, service } from '#tests/support/bgp-factories.ts';
import { node, peer, pool, resources, type TestObject } from '#tests/support/config-factories.ts';

export const render = loadTemplates('frr-templates');
const flags = { lbClass: '', ignoreExcludeLb: false, frrLog: 'informational' };
export const NODES = [node('node1'), node('node2')];
export const on = (...names: string[]) => ({
  nodeSelectors: names.map((name) => ({ matchLabels: { 'kubernetes.io/hostname': name } })),
});
export const tor = peer('tor', { peerAddress: '192.0.2.1' });
export const v4 = pool('a', ['198.51.100.0/24'], {}, { labels: { tier: 'gold' } });
export const dual = pool('a', ['198.51.100.0/24', '2001:db8:1::/120']);

/** A Service of that name and address, with its endpoint on node1. */
export function web(
  name: string,
  ip: string | readonly string[],
  part: Partial<ServiceView> = {},
): ServiceView {
  return service(typeof ip === 'string' ? [ip] : ip, { key: `default/${name}`, name, uid: name, ...part });
}

export interface Given {
  readonly services?: readonly ServiceView[];
  readonly nodes?: readonly NodeView[];
  readonly secrets?: readonly SecretView[];
  readonly slices?: (service: ServiceView) => EndpointSliceView[];
  readonly before?: NodeModel;
}

const oneEndpoint = ({ key }: ServiceView): EndpointSliceView[] => [
  { key: `${key}-1`, serviceKey: key, endpoints: [endpoint({ nodeName: 'node1' })] },
];

/** The model of a node. `before` is what its speaker had in force. */
export function model(objects: readonly TestObject[], given: Given = {}, on = 'node1'): NodeModel {
  const { services = [web('web', '198.51.100.10')], nodes = NODES, slices = oneEndpoint, before } = given;
  const own = nodes.find(({ name }) => name === on) ?? node(on);
  const snapshot = {
    resources: resources(objects, { nodes, secrets: given.secrets ?? [] }),
    services,
    slices: services.flatMap(slices),
  };
  return nodeModel(snapshot, own, flags, before?.lastGood);
}

/** `prefix > peer,peer lp=… community…`, one line for each grant; lp is left out when it is not set. */
export function told({ model }: NodeModel): string[] {
  return model.routers.flatMap(({ networks, classes }) =>
    networks.flatMap(({ prefix, tag }) =>
      (classes.find((each) => each.tag === tag)?.grants ?? []).map((grant) =>
        [
          formatCidr(prefix),
          '>',
          grant.peers.join(','),
          ...(grant.localPref === 0 ? [] : [`lp=${grant.localPref}`]),
          ...grant.communities.map(({ value }) => value),
        ].join(' '),
      ),
    ),
  );
}

export const prefixes = (made: NodeModel): string[] =>
  made.model.routers.flatMap(({ networks }) => networks.map(({ prefix }) => formatCidr(prefix)));
export const sessions = ({ model }: NodeModel): string[] =>
  model.routers.flatMap(({ neighbors }) => neighbors.map(({ name }) => name));
/** Names of the nodes that announce something. */
export const announcers = (objects: readonly TestObject[], given: Given = {}): string[] =>
  (given.nodes ?? NODES)
    .map(({ name }) => name)
    .filter((name) => prefixes(model(objects, given, name)).length > 0);
export const problems = (made: NodeModel): string[] =>
  made.problems.map(({ code, object }) => `${code} ${object.name}`);
