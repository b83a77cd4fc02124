/**
 * BGPPeer between v1beta1 and v1beta2 (api.md §5), for CRDs whose conversion stanza names our webhook; ours say `None`
 * (ADR 3). What is not set stays unset: the original writes zero timers, which switches them off.
 */
import { bgpPeerV1beta1 } from '#core/api/bgp-peer.ts';
import { METALLB_GROUP } from '#core/api/group.ts';

type Fields = Readonly<Record<string, unknown>>;

export interface ConvertibleObject {
  readonly apiVersion?: unknown;
  readonly kind?: unknown;
  readonly metadata?: unknown;
  readonly spec?: unknown;
  readonly status?: unknown;
}

/** Fields that both versions have, under one name and with one meaning: all of v1beta1's. */
const COMMON = Object.keys(bgpPeerV1beta1.shape.spec.unwrap().shape);
/** What v1beta1 requires, and how it says that nothing is set. */
const REQUIRED: Fields = { myASN: 0, peerASN: 0, peerAddress: '' };

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The object in the wanted version, with its metadata untouched. Returns a text that says why when the object is no
 * BGPPeer or one of the two versions is unknown.
 */
export function convertPeer(object: ConvertibleObject, wanted: string): ConvertibleObject | string {
  const from = String(object.apiVersion);
  const versions = ['v1beta1', 'v1beta2'].map((version) => `${METALLB_GROUP}/${version}`);
  if (object.kind !== 'BGPPeer') return `a ${String(object.kind)} is not converted here, only a BGPPeer is`;
  for (const version of [from, wanted])
    if (!versions.includes(version))
      return `there is no BGPPeer in ${version}, only in ${versions.join(' and ')}`;
  if (from === wanted || !isFields(object.spec)) return { ...object, apiVersion: wanted };
  const spec = wanted === versions[0] ? toV1beta1(object.spec) : toV1beta2(object.spec);
  return { ...object, apiVersion: wanted, spec };
}

function common(spec: Fields): Record<string, unknown> {
  return Object.fromEntries(
    COMMON.filter((name) => spec[name] !== undefined).map((name) => [name, spec[name]]),
  );
}

/** v1beta1 requires `values` in every expression. */
function toV1beta1(spec: Fields): Fields {
  const { nodeSelectors } = spec;
  const selectors = Array.isArray(nodeSelectors) ? { nodeSelectors: nodeSelectors.map(withValues) } : {};
  return { ...REQUIRED, ...common(spec), ...selectors };
}

function withValues(selector: unknown): unknown {
  if (!isFields(selector) || !Array.isArray(selector['matchExpressions'])) return selector;
  const expressions = selector['matchExpressions'] as readonly unknown[];
  return {
    ...selector,
    matchExpressions: expressions.map((entry) => (isFields(entry) ? { values: [], ...entry } : entry)),
  };
}

/** Port 0 and the empty address of v1beta1 mean "not set"; `peerASN: 0` says so in both versions. */
function toV1beta2(spec: Fields): Fields {
  return Object.fromEntries(
    Object.entries(common(spec)).filter(
      ([name, value]) => !(name === 'peerPort' && value === 0) && !(name === 'peerAddress' && value === ''),
    ),
  );
}
