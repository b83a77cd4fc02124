/**
 * What the configuration asks for and a FRRConfiguration has no field for. The routes are announced all the same;
 * each loss is told on its object, with what can be done (rules FRRK8S-1 and FRRK8S-2 of ours, X-4 of MetalLB).
 */
import { MAX_LOCAL_PREF } from '#core/frrk8s/configuration.ts';
import type { BgpAdvertisement, Config, Problem } from '#core/model/config.ts';
import { FRR_EXTRAS } from '#core/model/projections.ts';

interface Attribute {
  readonly field: string;
  readonly isLost: (ad: BgpAdvertisement) => boolean;
  readonly what: string;
}

const NO_FIELD = 'has no effect: FRRConfiguration has no such field';

const ATTRIBUTES: readonly Attribute[] = [
  { field: 'med', isLost: ({ med }) => med > 0, what: NO_FIELD },
  { field: 'asPathPrepend', isLost: ({ asPathPrepend }) => asPathPrepend > 0, what: NO_FIELD },
  { field: 'weightByEndpoints', isLost: ({ weightByEndpoints }) => weightByEndpoints, what: NO_FIELD },
  {
    field: 'localPref',
    isLost: ({ localPref }) => localPref > MAX_LOCAL_PREF,
    what: `is announced as ${MAX_LOCAL_PREF}, the largest that FRRConfiguration takes`,
  },
];

/** The problems of a configuration whose routers are driven by an external frr-k8s. */
export function losses(config: Config, namespace: string): Problem[] {
  const told = new Set<string>();
  const attributes = config.bgpAdvertisements.flatMap((advertisement) =>
    ATTRIBUTES.filter(({ isLost }) => isLost(advertisement)).flatMap((attribute) => {
      // One object may be in two parts.
      const key = `${advertisement.name} ${attribute.field}`;
      if (told.has(key)) return [];
      told.add(key);
      return [attributeProblem(advertisement.name, attribute, namespace)];
    }),
  );
  return [...attributes, ...extrasProblem(config, namespace)];
}

function attributeProblem(name: string, { field, what }: Attribute, namespace: string): Problem {
  const message = `with bgpBackend frr-k8s-external ${field} ${what}`;
  return {
    code: 'FRRK8S-1',
    object: { kind: 'BGPAdvertisement', namespace, name },
    field: `spec.${field}`,
    message,
    remedy: 'Change it, use communities that the routers know instead, or use another bgpBackend.',
    summary: `BGPAdvertisement ${name}: ${message}`,
  };
}

function extrasProblem({ frrExtras }: Config, namespace: string): Problem[] {
  if (frrExtras.trim() === '') return [];
  const message = 'extra info not supported in frr-k8s mode';
  return [
    {
      code: 'X-4',
      object: { kind: 'ConfigMap', namespace, name: FRR_EXTRAS },
      field: 'data.extras',
      message,
      remedy:
        'Move the lines into an FRRConfiguration of your own (toReceive, or raw), and delete the ConfigMap.',
      summary: message,
    },
  ];
}

/** Paths below `spec` that the installed kind dropped, as notes on the peers they belong to, or on the whole object. */
export function droppedNotes(
  paths: readonly string[],
  peers: readonly (readonly string[])[],
): {
  readonly peers: readonly { readonly peer: string; readonly message: string }[];
  readonly rest: string[];
} {
  const byPeer = new Map<string, Set<string>>();
  const rest = new Set<string>();
  for (const path of paths) {
    const [, router, neighbor, field = ''] =
      /^spec\.bgp\.routers\[(\d+)\]\.neighbors\[(\d+)\]\.([^[.]+)/.exec(path) ?? [];
    const peer = router === undefined ? undefined : peers[Number(router)]?.[Number(neighbor)];
    if (peer === undefined) rest.add(path.replaceAll(/\[\d+\]/g, '[]'));
    else byPeer.set(peer, (byPeer.get(peer) ?? new Set()).add(field));
  }
  return {
    rest: [...rest].sort(),
    peers: [...byPeer].map(([peer, fields]) => ({
      peer,
      message: `the FRRConfiguration kind in this cluster has no ${[...fields].sort().join(', ')}; install a newer frr-k8s`,
    })),
  };
}
