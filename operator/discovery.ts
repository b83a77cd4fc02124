/** What the API server has of what not every cluster has. */
import { optionalKinds } from '#operator/render/kinds.ts';
import type { KubeClient, ResourceType } from '#runtime/kube/types.ts';
import { unless } from '#runtime/kube/unless.ts';

export interface Discovery {
  /** Names of API groups. */
  readonly groups: ReadonlySet<string>;
  /** Those of `optionalKinds` that are there: a group can be there with some of its kinds. */
  readonly kinds: readonly ResourceType[];
}

type Client = Pick<KubeClient, 'request'>;

export async function discover(client: Client, signal: AbortSignal): Promise<Discovery> {
  const answer = (await client.request('GET', '/apis', undefined, signal)) as {
    readonly groups?: readonly { readonly name: string }[];
  };
  const groups = new Set((answer.groups ?? []).map(({ name }) => name));
  const versions = Map.groupBy(
    optionalKinds.filter(({ group }) => groups.has(group)),
    ({ group, version }) => `/apis/${group}/${version}`,
  );
  const found: ResourceType[] = [];
  for (const [path, candidates] of versions) {
    const there = await resourcesAt(client, path, signal);
    found.push(...candidates.filter(({ plural }) => there.has(plural)));
  }
  return { groups, kinds: found };
}

/** Plural names of the resources of a version. */
async function resourcesAt(client: Client, path: string, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const answer = (await unless(404, client.request('GET', path, undefined, signal))) as
    { readonly resources?: readonly { readonly name: string }[] } | undefined;
  return new Set((answer?.resources ?? []).map(({ name }) => name));
}
