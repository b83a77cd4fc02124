/** Everything that an API server has, by discovery, to be compared before and after. */
import type { LabApi } from '#lab/control/api.ts';
import { waitFor } from '#lab/process/wait.ts';

interface ResourceList {
  readonly resources?: readonly {
    readonly name: string;
    readonly namespaced: boolean;
    readonly verbs: readonly string[];
  }[];
}

interface Groups {
  readonly groups: readonly {
    readonly name: string;
    readonly versions: readonly { readonly groupVersion: string }[];
  }[];
}

/** What comes and goes by itself: events, heartbeats of nodes and leaders, measurements. */
const PASSING =
  /^(events|events\.k8s\.io\/events|metrics\.k8s\.io\/.*) |^coordination\.k8s\.io\/leases kube-/;

/** `group/resource namespace/name` of every object of every kind that can be listed, sorted. */
export async function apiDump(api: LabApi): Promise<string[]> {
  const { groups } = await api.get<Groups>('/apis');
  const roots = [
    { group: '', path: '/api/v1' },
    ...groups.flatMap(({ name, versions }) =>
      versions.map(({ groupVersion }) => ({ group: name, path: `/apis/${groupVersion}` })),
    ),
  ];
  const lists = await Promise.all(
    roots.map(async (root) => ({ ...root, ...(await listOf(api, root.path)) })),
  );
  const objects = await Promise.all(
    lists.flatMap(({ group, path, resources = [] }) =>
      resources
        .filter(({ name, verbs }) => verbs.includes('list') && !name.includes('/'))
        .map(({ name }) => namesOf(api, `${path}/${name}`, group === '' ? name : `${group}/${name}`)),
    ),
  );
  const names = objects.flat().filter((name) => !PASSING.test(name));
  // Kinds that several versions serve are met several times.
  return [...new Set(names)].sort();
}

/** A group or kind that is gone since has nothing. */
async function listOf(api: LabApi, path: string): Promise<ResourceList> {
  return (await read<ResourceList>(api, path)) ?? {};
}

async function read<T>(api: LabApi, path: string): Promise<T | undefined> {
  // Where a kind has just changed, the API server asks for patience (429).
  const { status, text } = await waitFor(`${path} to be served`, async () => {
    const answer = await api.send('GET', path);
    return answer.status === 429 ? undefined : answer;
  });
  if (status === 200) return JSON.parse(text) as T;
  if (status === 404 || status === 405) return undefined;
  throw new Error(`GET ${path}: ${status} ${text.slice(0, 200)}`);
}

async function namesOf(api: LabApi, path: string, kind: string): Promise<string[]> {
  const list = await read<{ items?: readonly { metadata: { name: string; namespace?: string } }[] }>(
    api,
    path,
  );
  return (list?.items ?? []).map(
    ({ metadata: { name, namespace } }) => `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`,
  );
}
