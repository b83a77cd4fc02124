/** From manifests, of files and of a cluster, to what the simulation starts from. */
import { createdBeside } from '#cli/validate/overlay.ts';
import { compile } from '#core/config/compile.ts';
import { resourcesOf, type Manifest } from '#core/config/validate.ts';
import { brokenPools } from '#core/ipam/broken.ts';
import { reservationOf } from '#core/ipam/reservation-plan.ts';
import { projectReservation } from '#core/ipam/reservation-view.ts';
import type { SimulationInput } from '#core/ipam/simulate.ts';
import { projectService } from '#core/model/projections.ts';
import type { ServiceView } from '#core/model/views.ts';

export interface Inputs {
  readonly files: readonly Manifest[];
  readonly cluster: readonly Manifest[];
  /** Of the configuration. */
  readonly namespace: string;
  readonly lbClass: string;
  readonly singleStack: boolean;
}

/** The input, and what is wrong with the configuration. */
export function simulationOf(inputs: Inputs): { input: SimulationInput; problems: string[] } {
  const { files, cluster, namespace, lbClass, singleStack } = inputs;
  const keyOf = ({ kind, metadata }: Manifest): string => {
    const usual = kind === 'Service' ? 'default' : namespace;
    return `${kind} ${metadata.namespace ?? usual}/${metadata.name}`;
  };
  const merged = new Map(cluster.map((manifest) => [keyOf(manifest), manifest]));
  for (const manifest of files)
    merged.set(keyOf(manifest), onTop(manifest, merged.get(keyOf(manifest)), cluster.length > 0));
  const manifests = [...merged.values()];
  const { config, problems } = compile(resourcesOf(manifests, { namespace, complete: true }), {
    kind: 'controller',
  });
  const services = manifests
    .filter(({ kind, apiVersion }) => kind === 'Service' && apiVersion === 'v1')
    .map((manifest, index) => asStored(projectService(inNamespace(manifest)), index, singleStack));
  const reservations = reservationsOf(manifests, namespace);
  const told = problems.map(
    ({ code, object, field, message, remedy }) =>
      `${code} ${object.kind} ${object.name} ${field}: ${message}. ${remedy}`,
  );
  return {
    input: {
      pools: config.pools,
      broken: brokenPools(problems),
      services,
      reservations: reservations.filter((one) => typeof one !== 'string'),
      lbClass,
    },
    problems: [...told, ...reservations.filter((one) => typeof one === 'string')],
  };
}

/** A file in place of its namesake: identity, status and what the API server filled in stay. */
function onTop(file: Manifest, live: Manifest | undefined, beside: boolean): Manifest {
  const created = beside ? { creationTimestamp: createdBeside(file, live) } : {};
  if (live === undefined) return { ...file, metadata: { ...file.metadata, ...created } };
  const { spec, status } = live as { spec?: object; status?: unknown };
  const { clusterIPs, clusterIP } = (spec ?? {}) as Record<string, unknown>;
  const filled = file.kind === 'Service' ? { clusterIPs, clusterIP } : {};
  const annotations = {
    ...(live.metadata['annotations'] as object | undefined),
    ...(file.metadata['annotations'] as object | undefined),
  };
  return {
    ...file,
    metadata: {
      ...live.metadata,
      ...file.metadata,
      annotations,
      ...(file.kind === 'Service' ? {} : created),
    },
    spec: { ...filled, ...(file['spec'] as object | undefined) },
    status,
  };
}

function inNamespace(manifest: Manifest): Manifest {
  return {
    ...manifest,
    metadata: { ...manifest.metadata, namespace: manifest.metadata.namespace ?? 'default' },
  };
}

const STAND_IN = { IPv4: '10.96.0.1', IPv6: 'fd00::1' } as const;

/** Later than anything that exists, and in the order of the files, as they would be applied. */
const createdAs = (index: number): string => new Date(Date.UTC(9999, 0, 1, 0, 0, index)).toISOString();

/** A Service of a file as the API server would store it: cluster IPs (stand-ins) and an age. */
function asStored(view: ServiceView, index: number, singleStack: boolean): ServiceView {
  const creationTimestamp = view.creationTimestamp === '' ? createdAs(index) : view.creationTimestamp;
  if (view.clusterIPs.length > 0) return { ...view, creationTimestamp };
  const { ipFamilyPolicy: policy, ipFamilies } = view;
  const two = policy === 'RequireDualStack' || (policy === 'PreferDualStack' && !singleStack);
  const first = ipFamilies[0] === 'IPv6' ? 'IPv6' : 'IPv4';
  const second = first === 'IPv4' ? 'IPv6' : 'IPv4';
  const families = two ? ([first, second] as const) : ([first] as const);
  return {
    ...view,
    creationTimestamp,
    ipFamilies: [...families],
    clusterIPs: families.map((family) => STAND_IN[family]),
  };
}

function reservationsOf(manifests: readonly Manifest[], namespace: string) {
  return manifests
    .filter(
      ({ kind, metadata }) => kind === 'IPReservation' && (metadata.namespace ?? namespace) === namespace,
    )
    .map((manifest) => {
      const view = projectReservation(manifest);
      const name = manifest.metadata.name;
      const made = view === undefined ? 'it does not fit its schema' : reservationOf(name, view.spec);
      return typeof made === 'string' ? `IPReservation ${name}: ${made}` : made;
    });
}
