/**
 * The verdict on manifests before, or beside, a cluster: schema, unknown fields, and every rule of compile, told of
 * the manifest they are about. Used by `metallb validate`.
 */
import type { ConfigKind } from '#core/api/ingest.ts';
import type { ResourceVersion } from '#core/api/define.ts';
import { METALLB_GROUP } from '#core/api/group.ts';
import { resourceDefinitions } from '#core/api/definitions.ts';
import { structureOf } from '#core/api/structure.ts';
import { compile } from '#core/config/compile.ts';
import { validateMetalLB, wrongName, wrongNamespace } from '#core/config/metallb-rules.ts';
import type { MetalLBSpec } from '#core/config/metallb.ts';
import { namespaceFindings } from '#core/config/namespace-rule.ts';
import { fieldPath, parseResource } from '#core/config/parse.ts';
import { isOpenReference, problemsOf, type Finding, type ObjectRef } from '#core/config/problems.ts';
import { noResources, type ClusterResources } from '#core/config/resources.ts';
import { unknownFields } from '#core/config/unknown-fields.ts';
import type { Problem } from '#core/model/config.ts';
import {
  FRR_EXTRAS,
  projectExtras,
  projectNamespace,
  projectNode,
  projectSecret,
  type RawObject,
} from '#core/model/projections.ts';
import type { NodeView } from '#core/model/views.ts';

export interface Manifest extends RawObject {
  readonly apiVersion: string;
  readonly kind: string;
}

export interface ValidateOptions {
  /** Where the configuration lives. */
  readonly namespace: string;
  /** True when the manifests are all there is: then a reference to something that is not among them is an error. */
  readonly complete: boolean;
}

export interface Verdict {
  readonly severity: 'error' | 'warning';
  readonly problem: Problem;
}

const CONFIG_KINDS = new Set<string>([
  'IPAddressPool', 'L2Advertisement', 'BGPAdvertisement', 'BGPPeer', 'BFDProfile', 'Community',
]);
/** Stands for the nodes when none are among the manifests: what has no node selector meets there. */
const SOME_NODE: NodeView = {
  name: 'node',
  labels: { 'kubernetes.io/os': 'linux' },
  networkUnavailable: false,
  internalIPs: [],
};

/** All verdicts on the manifests of our group; manifests of other groups are read only where rules look at them. */
export function validate(manifests: readonly Manifest[], options: ValidateOptions): Verdict[] {
  const ours = manifests.filter(({ apiVersion }) => apiVersion.startsWith(`${METALLB_GROUP}/`));
  const alone = ours.flatMap((manifest) => validateAlone(manifest, options));
  const { problems, warnings } = compile(resourcesOf(manifests, options), { kind: 'cluster' });
  const schema = new Set(alone.map(({ problem }) => keyOf(problem)));
  const together = problems
    .filter((problem) => !schema.has(keyOf(problem)))
    .map((problem): Verdict => {
      const open = !options.complete && isOpenReference(problem);
      return { severity: open ? 'warning' : 'error', problem };
    });
  return [...alone, ...together, ...warnings.map((problem): Verdict => ({ severity: 'warning', problem }))];
}

const keyOf = ({ object, field, code }: Problem): string => JSON.stringify([object.kind, object.name, field, code]);

/** What a manifest shows without any other: version, unknown fields, schema, namespace, rules of MetalLB objects. */
function validateAlone(manifest: Manifest, options: ValidateOptions): Verdict[] {
  const { kind, apiVersion, metadata } = manifest;
  const ref = { kind, namespace: metadata.namespace ?? options.namespace, name: metadata.name };
  const definition = resourceDefinitions.find((known) => known.kind === kind);
  const version = definition?.versions.find(({ name }) => `${METALLB_GROUP}/${name}` === apiVersion);
  const tell = (severity: Verdict['severity'], findings: readonly Finding[]): Verdict[] =>
    problemsOf(ref, findings).map((problem) => ({ severity, problem }));
  if (version === undefined) return tell('error', [unknownKind(manifest)]);
  // compile parses what it reads itself, and knows the rules that stand behind the bounds.
  const issues = version.storage && CONFIG_KINDS.has(kind) ? [] : issuesOf(version.schema, manifest);
  return [
    ...tell('error', unknownFields(manifest, structureOf(version.schema))),
    ...tell('error', issues),
    ...tell('error', namespaceFindings(ref, options)),
    ...tell('warning', deprecations(version.deprecationWarning)),
    ...(kind === 'MetalLB' && issues.length === 0 ? tell('error', operatorFindings(manifest, ref, options)) : []),
  ];
}

function issuesOf(schema: ResourceVersion['schema'], manifest: Manifest): Finding[] {
  const parsed = schema.safeParse(manifest);
  if (parsed.success) return [];
  return parsed.error.issues.map(({ path, message }) => ({
    code: 'SCHEMA',
    field: fieldPath(path),
    message: `invalid value of ${fieldPath(path)}: ${message}`,
    remedy: 'Correct the field.',
  }));
}

function unknownKind({ apiVersion, kind }: Manifest): Finding {
  const remedy =
    kind === 'AddressPool'
      ? 'Write an IPAddressPool, and an L2Advertisement or a BGPAdvertisement for it.'
      : `Use one of ${resourceDefinitions.map((known) => known.kind).join(', ')} in a version that is served.`;
  return { code: 'KIND', field: 'kind', message: `there is no ${kind} in ${apiVersion}`, remedy };
}

function deprecations(message: string | undefined): Finding[] {
  if (message === undefined) return [];
  return [{ code: 'DEPRECATED', field: 'apiVersion', message, remedy: 'Change apiVersion: the fields are the same.' }];
}

function operatorFindings(manifest: Manifest, ref: ObjectRef, { namespace }: ValidateOptions): Finding[] {
  const context = { namespace: ref.namespace, name: ref.name, externalNamespace: '' };
  const spec = (manifest['spec'] ?? {}) as MetalLBSpec;
  const about = [wrongNamespace(context, namespace), wrongName(context)];
  return [...about.filter((problem) => problem !== undefined), ...validateMetalLB(spec, context)];
}

/** The manifests as compile reads them; objects of other namespaces are not there. */
export function resourcesOf(manifests: readonly Manifest[], { namespace }: ValidateOptions): ClusterResources {
  const here = manifests
    .filter(({ metadata }) => (metadata.namespace ?? namespace) === namespace)
    .map((manifest) => ({ ...manifest, metadata: { ...manifest.metadata, namespace } }));
  const parsed = <K extends ConfigKind>(kind: K) =>
    here
      .filter((manifest) => manifest.kind === kind && manifest.apiVersion.startsWith(`${METALLB_GROUP}/`))
      .map((manifest) => parseResource(kind, manifest));
  const core = (kind: string, list: readonly Manifest[]) =>
    list.filter((manifest) => manifest.kind === kind && manifest.apiVersion === 'v1');
  const nodes = core('Node', manifests).map(projectNode);
  return {
    ...noResources(namespace),
    pools: parsed('IPAddressPool'),
    l2Advertisements: parsed('L2Advertisement'),
    bgpAdvertisements: parsed('BGPAdvertisement'),
    peers: parsed('BGPPeer'),
    bfdProfiles: parsed('BFDProfile'),
    communities: parsed('Community'),
    namespaces: core('Namespace', manifests).map(projectNamespace),
    nodes: nodes.length === 0 ? [SOME_NODE] : nodes,
    secrets: core('Secret', here).map((manifest) => projectSecret(withStringData(manifest))),
    frrExtras: core('ConfigMap', here)
      .filter(({ metadata }) => metadata.name === FRR_EXTRAS)
      .map(projectExtras)
      .join('\n'),
  };
}

/** `stringData` is what people write; the API server makes `data` of it. */
function withStringData(manifest: Manifest): RawObject {
  const { password } = (manifest['stringData'] ?? {}) as { password?: unknown };
  if (typeof password !== 'string') return manifest;
  const bytes = new TextEncoder().encode(password);
  return { ...manifest, data: { password: btoa(String.fromCharCode(...bytes)) } };
}
