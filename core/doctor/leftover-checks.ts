/** What is left of another MetalLB, or of another installation of ours (operator-packaging.md §7, §9; contract.md). */
import type { Check, Finding } from '#core/doctor/check.ts';
import {
  componentOf,
  isOurs,
  nameOf,
  type ClusterFacts,
  type WorkloadFact,
} from '#core/doctor/cluster-facts.ts';
import { metallbResources } from '#core/api/resources.ts';
import { METALLB_GROUP } from '#core/api/group.ts';

/** Kinds of the group that releases before 0.13 configured MetalLB with; nobody reads them any more. */
const OLD_KINDS: ReadonlySet<string> = new Set([`addresspools.${METALLB_GROUP}`]);

const others: Check<ClusterFacts> = {
  id: 'other-metallb',
  fine: 'no MetalLB but ours, and that once, is installed',
  needs: ['workloads'],
  run: ({ workloads }) => {
    const metallb = workloads.filter((workload) => componentOf(workload) !== undefined);
    return [
      ...metallb.filter((workload) => !isOurs(workload) && componentOf(workload) !== 'frr-k8s').map(original),
      ...second(metallb),
    ];
  },
};

function original(workload: WorkloadFact): Finding {
  return {
    severity: 'error',
    object: nameOf(workload),
    field: 'spec.template',
    message: `a MetalLB that is not ours runs here (${workload.images[0] ?? 'no image'}): two of them give addresses to the same Services`,
    remedy: 'Take it over with metallb migrate, or remove it before installing.',
  };
}

/** Controllers in several namespaces that serve the same class of Services. */
function second(metallb: readonly WorkloadFact[]): Finding[] {
  const classOf = ({ args }: WorkloadFact): string =>
    args.find((arg) => arg.startsWith('--lb-class='))?.slice('--lb-class='.length) ?? '';
  const controllers = metallb.filter((workload) => componentOf(workload) === 'controller');
  return controllers.flatMap((workload, index) => {
    const twin = controllers.slice(0, index).find((before) => classOf(before) === classOf(workload));
    if (twin === undefined) return [];
    return [
      {
        severity: 'error',
        object: nameOf(workload),
        field: 'spec.template.spec.containers[0].args --lb-class',
        message: `it serves the same Services as ${nameOf(twin)}: each takes away what the other gives`,
        remedy: 'Remove one of the two, or give them different values of spec.loadBalancerClass.',
      } satisfies Finding,
    ];
  });
}

const kinds: Check<ClusterFacts> = {
  id: 'kinds',
  fine: "the group's kinds are all there and current, or none of them yet",
  needs: ['crds', 'workloads'],
  run: ({ crds, workloads }) => {
    const own = crds.filter(({ group }) => group === METALLB_GROUP);
    const isInstalled = workloads.some((workload) => isOurs(workload) && componentOf(workload) === 'speaker');
    return [...own.flatMap(outdated), ...(isInstalled ? missing(own.map(({ name }) => name)) : [])];
  },
};

function outdated({ name, stored, served }: ClusterFacts['crds'][number]): Finding[] {
  const object = `CustomResourceDefinition ${name}`;
  if (OLD_KINDS.has(name))
    return [
      {
        severity: 'warning',
        object,
        field: 'metadata.name',
        message: 'objects of this kind of MetalLB before 0.13 are read by nobody',
        remedy:
          'Write them as IPAddressPool and L2Advertisement or BGPAdvertisement, then delete the definition.',
      },
    ];
  return stored
    .filter((version) => !served.includes(version))
    .map((version) => ({
      severity: 'error',
      object,
      field: 'status.storedVersions',
      message: `objects may be stored as ${version}, which is not served any more`,
      remedy: `Serve ${version} again, write every object once (kubectl get ${name} -A -o json | kubectl replace -f -), then take ${version} off the list.`,
    }));
}

/** Kinds that may be absent: what they are for is off then. */
const OPTIONAL: ReadonlySet<string> = new Set(['MetalLB', 'IPReservation', 'BGPSessionState']);

function missing(names: readonly string[]): Finding[] {
  return Object.values(metallbResources)
    .filter(({ kind, plural }) => !OPTIONAL.has(kind) && !names.includes(`${plural}.${METALLB_GROUP}`))
    .map(({ plural }) => ({
      severity: 'error',
      object: `CustomResourceDefinition ${plural}.${METALLB_GROUP}`,
      field: 'metadata.name',
      message: 'the kind is not installed, although speakers run',
      remedy: 'kubectl apply --server-side -f config/crd',
    }));
}

export const leftoverChecks: readonly Check<ClusterFacts>[] = [others, kinds];
