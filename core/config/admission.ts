/**
 * The answer of the validating webhook to one request (api.md §6, §7, §9.1): the rules of compile, with the object
 * as if it were stored. What an object has in store for others is a warning, never a refusal; and what may be put
 * right by a later object (a BFD profile, a Secret, an alias) is no reason to refuse.
 */
import type { ConfigKind } from '#core/api/ingest.ts';
import { compile } from '#core/config/compile.ts';
import { asNewest } from '#core/config/keep.ts';
import { namespaceFindings } from '#core/config/namespace-rule.ts';
import { parseResource, type Parsed } from '#core/config/parse.ts';
import { isOpenReference, type ObjectRef } from '#core/config/problems.ts';
import { type ClusterResources } from '#core/config/resources.ts';
import type { Problem } from '#core/model/config.ts';
import type { RawObject } from '#core/model/projections.ts';

export interface AdmissionRequest {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE';
  readonly kind: ConfigKind;
  readonly namespace: string;
  readonly name: string;
  /** Absent for DELETE. */
  readonly object: RawObject | undefined;
  /** Absent for CREATE. */
  readonly oldObject: RawObject | undefined;
}

export interface AdmissionAnswer {
  readonly allowed: boolean;
  /** Why not: all problems of the object, each with field and remedy. */
  readonly message: string;
  /** Shown by kubectl. */
  readonly warnings: readonly string[];
}

/** The list of resources that holds a kind. */
export const listOf = {
  IPAddressPool: 'pools',
  L2Advertisement: 'l2Advertisements',
  BGPAdvertisement: 'bgpAdvertisements',
  BGPPeer: 'peers',
  BFDProfile: 'bfdProfiles',
  Community: 'communities',
} as const satisfies Record<ConfigKind, keyof ClusterResources>;

type ResourceList = (typeof listOf)[ConfigKind] | 'nodes';

/** What has to be known to judge an object of a kind; the lists that are not named may be empty. */
export const needed: Readonly<Record<ConfigKind, readonly ResourceList[]>> = {
  IPAddressPool: ['pools'],
  L2Advertisement: ['l2Advertisements', 'pools'],
  BGPAdvertisement: ['bgpAdvertisements', 'pools', 'communities', 'peers', 'nodes'],
  BGPPeer: ['peers', 'bfdProfiles', 'nodes'],
  BFDProfile: ['peers'],
  Community: ['communities'],
};

const allow = (...warnings: string[]): AdmissionAnswer => ({ allowed: true, message: '', warnings });
const deny = (message: string): AdmissionAnswer => ({ allowed: false, message, warnings: [] });
const sentence = ({ field, message, remedy }: Pick<Problem, 'field' | 'message' | 'remedy'>): string =>
  `${field}: ${message}. ${remedy}`;

/**
 * Requests that need no look at other objects are answered at once; undefined means: read what is `needed` and
 * call `admit`. The namespace comes first, before anything else that may be wrong (api.md §6.4).
 */
export function admitAtOnce(request: AdmissionRequest, namespace: string): AdmissionAnswer | undefined {
  const { operation, object, oldObject } = request;
  if (operation === 'DELETE') return request.kind === 'BFDProfile' && request.namespace === namespace ? undefined : allow();
  if (operation === 'CREATE') {
    const [elsewhere] = namespaceFindings(request, { namespace });
    if (elsewhere !== undefined) return deny(`${elsewhere.message}: nothing outside it is read. ${elsewhere.remedy}`);
  }
  if (request.namespace !== namespace || object === undefined) return allow();
  if (object.metadata['deletionTimestamp'] !== undefined) return allow();
  return oldObject !== undefined && sameContent(object, oldObject) ? allow() : undefined;
}

/** A change of status, annotations or finalizers is nobody's business here, whatever else the object holds. */
function sameContent(a: RawObject, b: RawObject): boolean {
  const content = (raw: RawObject): string => JSON.stringify([raw['spec'], raw.metadata['labels']]);
  return content(a) === content(b);
}

/** The answer, with the objects of our namespace as they are stored. */
export function admit(request: AdmissionRequest, stored: ClusterResources): AdmissionAnswer {
  if (request.operation === 'DELETE') return admitDeletion(request, stored);
  if (request.object === undefined) return allow();
  const candidate = asNewest(parseResource(request.kind, request.object));
  const { problems, warnings } = compile(withCandidate(stored, request, candidate), { kind: 'cluster' });
  const own = problems.filter(({ object }) => isSame(object, request));
  const refused = own.filter((problem) => problem.code !== 'X-1' && !isOpenReference(problem));
  if (refused.length > 0) return deny(refused.map(sentence).join('; '));
  const open = own.filter(({ code }) => code !== 'PEER-16');
  const told = warnings.filter(({ object }) => isSame(object, request));
  return allow(
    ...[...open, ...told].map(sentence),
    ...effects(stored, problems.filter(({ object }) => !isSame(object, request))),
  );
}

const isSame = (object: ObjectRef, { kind, name }: AdmissionRequest): boolean =>
  object.kind === kind && object.name === name;

/** Warnings of problems that other objects have with the candidate and have not without it. */
function effects(stored: ClusterResources, problems: readonly Problem[]): string[] {
  if (problems.length === 0) return [];
  const textOf = ({ object, ...problem }: Problem): string =>
    `${object.kind} ${object.name}: ${sentence(problem)}`;
  const before = new Set(compile(stored, { kind: 'cluster' }).problems.map(textOf));
  return problems.filter(({ code }) => code !== 'PEER-16').map(textOf).filter((text) => !before.has(text));
}

function withCandidate<K extends ConfigKind>(
  stored: ClusterResources,
  { kind, name }: AdmissionRequest,
  candidate: Parsed<K>,
): ClusterResources {
  const list = listOf[kind];
  const others = stored[list].filter((entry) => entry.ref.name !== name);
  return { ...stored, [list]: [...others, candidate] };
}

/** BFD-8. */
function admitDeletion({ kind, name }: AdmissionRequest, { peers }: ClusterResources): AdmissionAnswer {
  if (kind !== 'BFDProfile') return allow();
  const users = peers.flatMap((peer) =>
    peer.ok && peer.object.spec?.bfdProfile === name ? [peer.ref.name] : [],
  );
  if (users.length === 0) return allow();
  return deny(
    `failed to delete BFDProfile ${name}: used by BGPPeer ${users.sort().join(', ')}. Change these peers first.`,
  );
}
