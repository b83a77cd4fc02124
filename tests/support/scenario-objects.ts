/** What scenarios of frr.conf are made of: objects as users write them, and the model of a node that follows. */
import { nodeModel } from '#core/frr/node-model.ts';
import { frrLogLevel } from '#core/frr/build.ts';
import type { FrrModel } from '#core/frr/model.ts';
import type { NodeView, SecretView, ServiceView } from '#core/model/views.ts';
import { endpoint, service } from '#tests/support/bgp-factories.ts';
import { bgpAdv, node, peer, pool, resources, type TestObject } from '#tests/support/config-factories.ts';

export interface Given {
  /** Addresses of each Service; one Service on 198.51.100.10 unless told. */
  readonly services?: readonly (readonly string[])[];
  /** What the first Service is like. */
  readonly first?: Partial<ServiceView>;
  readonly node?: Partial<NodeView>;
  readonly secrets?: readonly SecretView[];
  readonly extras?: string;
  /** The speaker's. */
  readonly logLevel?: string;
}

export type Scene = readonly [objects: readonly TestObject[], given?: Given];
export type ObjectScenario = readonly [name: string, ...scene: Scene];

/** The model of the scenario's node. Throws when an object is faulty or a peer refused: a golden file has no gaps. */
export function objectModel([name, objects, given = {}]: ObjectScenario): FrrModel {
  const own = { ...node('node-a'), internalIPs: ['10.0.0.42'], ...given.node };
  const services = (given.services ?? [['198.51.100.10']]).map((ips, index) =>
    service(ips, { key: `default/s${index}`, name: `s${index}`, ...(index === 0 ? given.first : {}) }),
  );
  const slices = services.map(({ key }) => ({ key: `${key}-1`, serviceKey: key, endpoints: [endpoint()] }));
  const around = { nodes: [own], secrets: given.secrets ?? [] };
  const snapshot = {
    resources: { ...resources(objects, around), frrExtras: given.extras ?? '' },
    services,
    slices,
  };
  const flags = { lbClass: '', ignoreExcludeLb: false, frrLog: frrLogLevel(given.logLevel ?? 'info') };
  const { model, problems, refused } = nodeModel(snapshot, own, flags);
  if (problems.length + refused.length > 0)
    throw new Error(`${name}: ${JSON.stringify([problems, refused])}`);
  return model;
}

export const v4 = pool('a', ['198.51.100.0/24']);
export const dual = pool('a', ['198.51.100.0/24', '2001:db8:100::/112']);
export const two = [['198.51.100.10'], ['198.51.100.11']];
export const both = { services: [['198.51.100.10', '2001:db8:100::a']] };
/** A peer that is the only one, with a pool and an advertisement. */
export const only = (spec: object, given: Given = {}, ...more: TestObject[]): Scene => [
  [dual, bgpAdv('all'), peer('tor', spec), ...more],
  given,
];
export const six = { peerAddress: '2001:db8::1' };
export const own = { peerASN: 64512 };
