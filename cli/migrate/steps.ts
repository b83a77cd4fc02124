/** Takes the steps of a migration, one after the other; each waits until its work is done. */
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '#core/errors.ts';
import { metallbResources } from '#core/api/resources.ts';
import { isOurs } from '#core/doctor/cluster-facts.ts';
import { describeStep, ourLabels, type Step } from '#core/migrate/plan.ts';
import { labelsText } from '#core/model/selector.ts';
import { podFact, serviceFact } from '#cli/doctor/views.ts';
import { leftoverKinds, unlabelled } from '#cli/migrate/kinds.ts';
import { apiVersion } from '#runtime/kube/paths.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import { KubeError, type KubeClient, type KubeObject, type ResourceType } from '#runtime/kube/types.ts';
import { unless } from '#runtime/kube/unless.ts';

const FIELD_MANAGER = 'metallb-migrate';
const LOOK_EVERY = 200;

export interface Migration {
  readonly client: KubeClient;
  readonly namespace: string;
  /** Our CRDs, and everything that installs our operator. */
  readonly crds: readonly KubeObject[];
  readonly operator: readonly KubeObject[];
  /** How long one step may take, in ms. */
  readonly timeoutMs: number;
  readonly write: (text: string) => void;
}

/** Takes them all. Throws MigrationError naming the step that did not come to its end. */
export async function takeSteps(migration: Migration, steps: readonly Step[]): Promise<void> {
  const before = await addresses(migration.client);
  for (const [index, step] of steps.entries()) {
    const text = `${index + 1}/${steps.length} ${describeStep(step, migration.namespace)}`;
    const started = performance.now();
    try {
      if (step.do === 'compare-addresses') await compare(migration, before);
      else await take(migration, step);
    } catch (error) {
      throw new MigrationError(`step ${text}: ${messageOf(error)}`, { cause: error });
    }
    migration.write(`${text}: done (${((performance.now() - started) / 1_000).toFixed(1)} s)\n`);
  }
}

/** A step failed; what is done so far stays, and the backup has what was there. */
export class MigrationError extends Error {}

async function take(migration: Migration, step: Exclude<Step, { do: 'compare-addresses' }>): Promise<void> {
  const { client, namespace } = migration;
  switch (step.do) {
    case 'replace-crds':
      return replaceCrds(migration);
    case 'delete': {
      const type = kinds[step.kind];
      const ref = { type, namespace, name: step.name };
      const propagationPolicy = step.pods === 'keep' ? 'Orphan' : 'Background';
      await unless(404, client.delete(ref, { propagationPolicy }));
      return waitFor(
        migration,
        `${step.kind} ${step.name} to be gone`,
        async () => (await unless(404, client.get(ref))) === undefined,
      );
    }
    case 'wait-gone':
      return waitFor(
        migration,
        'the pods to be gone',
        async () => (await podsOf(migration, step.labels)).length === 0,
      );
    case 'label-pods':
      for (const { metadata } of await podsOf(migration, step.from))
        await client.patch(
          { type: kinds.Pod, namespace, name: metadata.name },
          { metadata: { labels: step.labels } },
        );
      return;
    case 'install-operator':
      return installOperator(migration);
    case 'apply-metallb':
      return applyMetalLB(migration, step);
    case 'swap-node':
      return swapNode(migration, step);
    case 'remove-leftovers':
      return removeLeftovers(migration);
  }
}

/** PUT, since a conversion webhook that another one has set would survive a merge. Labels and annotations stay. */
async function replaceCrds(migration: Migration): Promise<void> {
  const { client, crds, namespace } = migration;
  const type = kinds.CustomResourceDefinition;
  for (const crd of crds) {
    const { name } = crd.metadata;
    const live = await unless(404, client.get({ type, name }));
    if (live === undefined) {
      await client.create(type, crd, { fieldManager: FIELD_MANAGER });
      continue;
    }
    const metadata = { ...live.metadata, labels: { ...live.metadata.labels, ...crd.metadata.labels } };
    const replaced = { ...crd, metadata, status: live['status'] };
    await client.replace({ type, name }, replaced, { fieldManager: FIELD_MANAGER });
  }
  // A kind whose CRD has just been replaced is not served for a moment.
  for (const own of Object.values(metallbResources))
    await waitFor(
      migration,
      `${own.plural} to be served`,
      async () => (await unless(404, client.list(own, { namespace }))) !== undefined,
    );
}

async function installOperator(migration: Migration): Promise<void> {
  const { client, operator } = migration;
  const all = operator.toSorted((a, b) => Number(b.kind === 'Namespace') - Number(a.kind === 'Namespace'));
  for (const object of all) {
    const { name, namespace } = object.metadata;
    await client.apply({ type: typeOf(object), namespace, name }, object, { fieldManager: FIELD_MANAGER });
  }
  const deployment = operator.find(({ kind }) => kind === 'Deployment');
  await waitReady(migration, deployment?.metadata.name ?? '');
}

/** Kinds that an installation of the operator consists of. */
function typeOf({ kind = '', apiVersion: version = '' }: KubeObject): ResourceType {
  const types = [...leftoverKinds, kinds.Namespace, kinds.Deployment];
  const found = types.find((type) => type.kind === kind && apiVersion(type) === version);
  if (found === undefined)
    throw new Error(`the manifest of the operator has a ${version} ${kind}, which is not expected there`);
  return found;
}

async function applyMetalLB(
  migration: Migration,
  { spec, phase }: Extract<Step, { do: 'apply-metallb' }>,
): Promise<void> {
  const { client, namespace } = migration;
  const type = metallbResources.MetalLB;
  const ref = { type, namespace, name: 'metallb' };
  const found = await unless(404, client.get(ref));
  const object = { metadata: { name: 'metallb', namespace }, spec } as unknown as KubeObject;
  const written =
    found === undefined
      ? await client.create(type, object, { fieldManager: FIELD_MANAGER })
      : await client.replace(ref, { ...found, spec }, { fieldManager: FIELD_MANAGER });
  if (phase === 'final') return waitAvailable(migration, written.metadata.generation ?? 0);
  await waitReady(migration, 'controller');
  await waitFor(migration, 'our DaemonSet speaker', async () => {
    const daemon = await unless(404, client.get({ type: kinds.DaemonSet, namespace, name: 'speaker' }));
    const { observedGeneration } = (daemon?.['status'] ?? {}) as { observedGeneration?: number };
    return (
      daemon !== undefined &&
      isOurs({ labels: daemon.metadata.labels ?? {} }) &&
      observedGeneration !== undefined
    );
  });
}

async function waitAvailable(migration: Migration, generation: number): Promise<void> {
  const ref = { type: metallbResources.MetalLB, namespace: migration.namespace, name: 'metallb' };
  let last = '';
  await waitFor(
    migration,
    'MetalLB metallb to be Available',
    async () => {
      const { conditions = [] } = ((await migration.client.get(ref))['status'] ?? {}) as {
        conditions?: { type: string; status: string; message: string; observedGeneration?: number }[];
      };
      last = conditions.map(({ type, status, message }) => `${type}=${status} ${message}`).join('; ');
      return conditions.some(
        ({ type, status, observedGeneration = 0 }) =>
          type === 'Available' && status === 'True' && observedGeneration >= generation,
      );
    },
    () => last,
  );
}

async function waitReady(migration: Migration, name: string): Promise<void> {
  const { client, namespace } = migration;
  await waitFor(migration, `Deployment ${name} to be ready`, async () => {
    const found = await unless(404, client.get({ type: kinds.Deployment, namespace, name }));
    const { observedGeneration, readyReplicas = 0 } = (found?.['status'] ?? {}) as Record<string, number>;
    return observedGeneration === found?.metadata.generation && readyReplicas > 0;
  });
}

async function swapNode(
  migration: Migration,
  { node, alsoEnd }: Extract<Step, { do: 'swap-node' }>,
): Promise<void> {
  const { client, namespace } = migration;
  const onNode = async (labels: Readonly<Record<string, string>>) =>
    (await podsOf(migration, labels)).filter((pod) => podFact(pod).node === node);
  const old = await Promise.all([ourLabels, ...alsoEnd].map(onNode));
  const ended = old.flat().map(({ metadata }) => metadata);
  for (const { name, uid } of ended)
    await unless(404, client.delete({ type: kinds.Pod, namespace, name }, uid === undefined ? {} : { uid }));
  await waitFor(migration, `our speaker on node ${node} to be ready`, async () => {
    const now = await onNode(ourLabels);
    return now.some((pod) => !ended.some(({ uid }) => uid === pod.metadata.uid) && podFact(pod).ready);
  });
}

/** Objects with the original's labels or names that our operator has not made its own. */
async function removeLeftovers({ client, namespace, write }: Migration): Promise<void> {
  for (const type of leftoverKinds) {
    const listed = await client.list(type, { namespace });
    const old = listed.filter((object) => isLeftover(type, object, namespace));
    for (const { metadata } of old) {
      await unless(404, client.delete({ type, namespace, name: metadata.name }));
      write(`    ${type.kind} ${metadata.name}\n`);
    }
  }
}

function isLeftover(type: ResourceType, { metadata }: KubeObject, namespace: string): boolean {
  const { name, labels = {} } = metadata;
  if (isOurs({ labels })) return false;
  if (type.namespaced && unlabelled.has(`${type.kind} ${name}`)) return true;
  const isOfMetallb =
    labels['app'] === 'metallb' ||
    labels['app'] === 'frr-k8s' ||
    labels['app.kubernetes.io/name'] === 'metallb';
  return isOfMetallb && (type.namespaced || name.startsWith(`${namespace}:`) || /metallb|frr-k8s/.test(name));
}

async function podsOf({ client, namespace }: Migration, labels: Readonly<Record<string, string>>) {
  return client.list(kinds.Pod, { namespace, labelSelector: labelsText(labels) });
}

/** Addresses of all Services that have some, by `namespace/name`. */
async function addresses(client: KubeClient): Promise<Map<string, string>> {
  const services = await client.list(kinds.Service);
  const entries = services
    .map(serviceFact)
    .map(({ namespace, name, ingress }) => [`${namespace}/${name}`, ingress.join(',')] as const);
  return new Map(entries.filter(([, text]) => text !== ''));
}

async function compare({ client, write }: Migration, before: ReadonlyMap<string, string>): Promise<void> {
  const now = await addresses(client);
  const moved = [...before].filter(([service, text]) => now.has(service) && now.get(service) !== text);
  if (moved.length > 0)
    throw new Error(
      moved.map(([service, text]) => `${service} had ${text}, has ${now.get(service)}`).join('; '),
    );
  write(`    ${before.size} Services had addresses, and have them still\n`);
}

async function waitFor(
  { timeoutMs }: Migration,
  what: string,
  done: () => Promise<boolean>,
  explain: () => string = () => '',
): Promise<void> {
  const started = performance.now();
  let last = '';
  for (;;) {
    try {
      if (await done()) return;
      last = explain();
    } catch (error) {
      // The API server may be slow or away for a moment.
      if (!(error instanceof KubeError) || error.retry === 'never') throw error;
      last = error.message;
    }
    if (performance.now() - started > timeoutMs)
      throw new Error(
        `waited ${Math.round(timeoutMs / 1_000)} s for ${what}${last === '' ? '' : `: ${last}`}`,
      );
    await sleep(LOOK_EVERY);
  }
}
