/** What a reflector promises, whatever API server is behind it. Run against the fake and the real one. */
import { afterEach, describe, expect, it } from 'vitest';
import { createKubeClient } from '#runtime/kube/client.ts';
import type { Transport } from '#runtime/kube/transport.ts';
import type { KubeObject, Store, StoreChange, WatchOptions } from '#runtime/kube/types.ts';
import { watchStore } from '#runtime/kube/watch-store.ts';
import { silent } from '#runtime/log/logger.ts';
import { eventually } from '#tests/support/eventually.ts';
import { configMap, configMaps } from './client-contract.ts';

export interface View {
  readonly uid: string;
  readonly data: Readonly<Record<string, string>>;
}

export const project = (raw: KubeObject): View => ({
  uid: raw.metadata.uid ?? '',
  data: (raw['data'] ?? {}) as Record<string, string>,
});

const namespace = 'default';
const ref = (name: string) => ({ type: configMaps, namespace, name });

export function reflectorContract(transport: () => Transport): void {
  let abort = new AbortController();
  const client = () => createKubeClient(transport());
  const follow = (options: Partial<WatchOptions<View>> = {}): Store<View> =>
    watchStore(
      transport(),
      { type: configMaps, namespace, project, ...options },
      { logger: silent, signal: abort.signal },
    );
  const record = (store: Store<View>) => {
    const changes: StoreChange<View>[] = [];
    store.onChange((change) => changes.push(change));
    return changes;
  };

  afterEach(() => {
    abort.abort();
    abort = new AbortController();
  });

  describe('watchStore', () => {
    it('has all objects when synced, and follows additions, changes and deletions', async () => {
      await client().create(configMaps, configMap('r1', { v: '1' }));
      const store = follow();
      await store.synced;
      expect(store.get('default/r1')?.data).toEqual({ v: '1' });
      await client().patch(ref('r1'), { data: { v: '2' } });
      await eventually(() => expect(store.get('default/r1')?.data).toEqual({ v: '2' }));
      await client().create(configMaps, configMap('r2'));
      await eventually(() => expect(store.has('default/r2')).toBe(true));
      await client().delete(ref('r1'));
      await client().delete(ref('r2'));
      await eventually(() => expect(store.has('default/r1') || store.has('default/r2')).toBe(false));
    });

    it('keeps to its label selector, also when an object leaves it', async () => {
      await client().create(configMaps, configMap('r3', {}, { watched: 'yes' }));
      await client().create(configMaps, configMap('r4', {}, { watched: 'no' }));
      const store = follow({ labelSelector: 'watched=yes' });
      await store.synced;
      expect([...store.keys()]).toEqual(['default/r3']);
      await client().patch(ref('r3'), { metadata: { labels: { watched: 'no' } } });
      await eventually(() => expect(store.size).toBe(0));
      await client().delete(ref('r3'));
      await client().delete(ref('r4'));
    });

    it('tells nothing about changes that the view does not show', async () => {
      await client().create(configMaps, configMap('r5', { v: '1' }));
      const store = follow();
      await store.synced;
      const changes = record(store);
      const { version } = store;
      await client().patch(ref('r5'), { metadata: { annotations: { seen: 'no' } } });
      await client().patch(ref('r5'), { data: { v: '2' } });
      await eventually(() => expect(store.get('default/r5')?.data).toEqual({ v: '2' }));
      expect(changes).toHaveLength(1);
      expect(store.version).toBe(version + 1);
      await client().delete(ref('r5'));
    });

    it('shows an object made anew under the same name as deleted and added', async () => {
      await client().create(configMaps, configMap('r6'));
      const store = follow();
      await store.synced;
      const changes = record(store);
      await client().delete(ref('r6'));
      await client().create(configMaps, configMap('r6'));
      await eventually(() => expect(changes).toHaveLength(2));
      expect(changes.map(({ old, now }) => [old === undefined, now === undefined])).toEqual([
        [false, true],
        [true, false],
      ]);
      await client().delete(ref('r6'));
    });

    it('ends with its signal and keeps what it has', async () => {
      await client().create(configMaps, configMap('r7'));
      const store = follow();
      await store.synced;
      abort.abort();
      await client().delete(ref('r7'));
      expect(store.has('default/r7')).toBe(true);
    });
  });
}
