/** Answers and events of one object may come in any order; the stores have the last word. */
import { expect, it } from 'vitest';
import { Syncer } from '#operator/loops/sync.ts';
import { coreKinds } from '#operator/render/kinds.ts';
import type { Manifest } from '#operator/render/manifest.ts';
import type { KubeClient, KubeObject } from '#runtime/kube/types.ts';
import { silent } from '#runtime/log/logger.ts';
import { createMetrics } from '#runtime/metrics/registry.ts';

const type = coreKinds.filter(({ kind }) => kind === 'ConfigMap');
const manifest: Manifest = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'one', namespace: 'metallb-system' },
  data: { key: 'value' },
};
const signal = new AbortController().signal;

/** A store of one object that changes when told, and a client whose answer waits for `before`. */
function setUp(before: () => void) {
  let stored: KubeObject | undefined;
  let applied = 0;
  const client = {
    apply: () => {
      applied += 1;
      before();
      return Promise.resolve(manifest);
    },
  } as Partial<KubeClient> as KubeClient;
  const writes = createMetrics({ processMetrics: false }).counter({ name: 'writes_total', help: 'x' });
  const inventory = { types: type, find: () => stored, all: () => [] };
  const syncer = new Syncer({
    client,
    inventory,
    logger: silent,
    writes: { ...writes, inc: () => undefined },
  });
  const store = (object: KubeObject | undefined): void => {
    stored = object;
    syncer.seen('ConfigMap', 'one');
  };
  return { syncer, store, applied: () => applied };
}

it('an answer that the store does not have yet counts: no second write', async () => {
  const { syncer, applied } = setUp(() => undefined);
  await syncer.sync([manifest], signal);
  await syncer.sync([manifest], signal);
  expect(applied()).toBe(1);
});

it('a deletion seen while the answer was under way is not forgotten', async () => {
  const parts = setUp(() => {
    if (parts.applied() > 1) return;
    parts.store(manifest);
    parts.store(undefined);
  });
  await parts.syncer.sync([manifest], signal);
  await parts.syncer.sync([manifest], signal);
  expect(parts.applied()).toBe(2);
});

it('a change seen after the answer counts', async () => {
  const { syncer, store, applied } = setUp(() => undefined);
  await syncer.sync([manifest], signal);
  store({ ...manifest, data: { key: 'other' } });
  await syncer.sync([manifest], signal);
  expect(applied()).toBe(2);
});
