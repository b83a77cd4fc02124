import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReflectedStore } from '#runtime/kube/store.ts';
import type { KubeObject, StoreChange } from '#runtime/kube/types.ts';

interface View {
  readonly name: string;
  readonly tags: readonly string[];
}

const object = (name: string, tags: string[] = [], uid = `uid-${name}`): KubeObject => ({
  metadata: { namespace: 'ns', name, uid },
  tags,
});

function setUp() {
  const errors: unknown[] = [];
  const changes: StoreChange<View>[] = [];
  const store = new ReflectedStore<View>({
    project: (raw) => {
      const tags = raw['tags'] as string[];
      if (tags.includes('bad')) throw new Error('bad');
      return tags.includes('skip') ? undefined : { name: raw.metadata.name, tags: [...tags] };
    },
    indexes: { tag: (view) => view.tags },
    onError: (error) => errors.push(error),
  });
  store.onChange((change) => changes.push(change));
  return { store, changes, errors };
}

function replace(store: ReflectedStore<View>, ...objects: KubeObject[]): void {
  store.beginReplace();
  for (const one of objects) store.stage(one);
  store.endReplace();
}

describe('ReflectedStore', () => {
  it('shows a list only when it is complete, then says what changed', async () => {
    const { store, changes } = setUp();
    store.beginReplace();
    store.stage(object('a'));
    expect(store.size).toBe(0);
    expect(store.isSynced).toBe(false);
    store.endReplace();
    await store.synced;
    expect([...store.keys()]).toEqual(['ns/a']);
    expect(changes.map(({ key }) => key)).toEqual(['ns/a']);
  });

  it('finds out what was deleted, added and changed between two lists', () => {
    const { store, changes } = setUp();
    replace(store, object('gone'), object('same', ['x']), object('changed', ['x']));
    changes.length = 0;
    replace(store, object('same', ['x']), object('changed', ['y']), object('new'));
    expect(changes.map(({ key, old, now }) => [key, old !== undefined, now !== undefined])).toEqual([
      ['ns/gone', true, false],
      ['ns/changed', true, true],
      ['ns/new', false, true],
    ]);
  });

  it('shows all of a new list to the listener of its first difference', () => {
    const { store } = setUp();
    replace(store, object('a'));
    const sizes: number[] = [];
    store.onChange(() => sizes.push(store.size));
    replace(store, object('b'), object('c'), object('d'));
    expect(sizes).toEqual([3, 3, 3, 3]);
  });

  it('keeps the same view, version and silence when nothing in the view changed', () => {
    const { store, changes } = setUp();
    replace(store, object('a', ['x']));
    const view = store.get('ns/a');
    const { version } = store;
    changes.length = 0;
    store.put(object('a', ['x']));
    replace(store, object('a', ['x']));
    expect(store.get('ns/a')).toBe(view);
    expect(store.version).toBe(version);
    expect(changes).toEqual([]);
  });

  it('shows another uid under the same name as delete and add, in a list too', () => {
    const { store, changes } = setUp();
    replace(store, object('a', [], 'one'));
    changes.length = 0;
    replace(store, object('a', [], 'two'));
    store.put(object('a', [], 'three'));
    const shapes = changes.map(
      ({ old, now }) => `${old === undefined ? '-' : 'old'} ${now === undefined ? '-' : 'now'}`,
    );
    expect(shapes).toEqual(['old -', '- now', 'old -', '- now']);
  });

  it('drops an object that the projection no longer wants', () => {
    const { store } = setUp();
    replace(store, object('a'));
    store.put(object('a', ['skip']));
    expect(store.has('ns/a')).toBe(false);
    replace(store, object('a', ['skip']));
    expect(store.size).toBe(0);
  });

  it('keeps the last good view of an object whose projection throws, and only of that very object', () => {
    const { store, errors } = setUp();
    replace(store, object('a', ['x']), object('b', ['x']));
    store.put(object('a', ['bad']));
    expect(store.get('ns/a')?.tags).toEqual(['x']);
    replace(store, object('a', ['bad']), object('b', ['bad'], 'another'));
    expect(store.get('ns/a')?.tags).toEqual(['x']);
    expect(store.has('ns/b')).toBe(false);
    expect(errors).toHaveLength(3);
  });

  it('goes on when a listener throws', () => {
    const { store, errors } = setUp();
    const seen: string[] = [];
    store.onChange(() => {
      throw new Error('listener');
    });
    store.onChange(({ key }) => seen.push(key));
    replace(store, object('a'), object('b'));
    expect(seen).toEqual(['ns/a', 'ns/b']);
    expect(errors).toHaveLength(2);
  });

  it('names an index that was not declared', () => {
    expect(() => setUp().store.byIndex('color', 'red')).toThrow(RangeError);
  });

  it('keeps indexes and changes true to its content through any history', () => {
    const operation = fc.record({
      kind: fc.constantFrom('put' as const, 'remove' as const, 'replace' as const),
      objects: fc.array(
        fc.record({
          name: fc.constantFrom('a', 'b', 'c', 'd'),
          uid: fc.constantFrom('1', '2'),
          tags: fc.uniqueArray(fc.constantFrom('x', 'y', 'skip')),
        }),
        { maxLength: 4 },
      ),
    });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 20 }), (operations) => {
        const { store, changes } = setUp();
        for (const { kind, objects } of operations) {
          const raws = objects.map(({ name, tags, uid }) => object(name, tags, uid));
          if (kind === 'replace') replace(store, ...raws);
          else for (const raw of raws) store[kind](raw);
        }
        const replayed = new Map<string, View>();
        for (const { key, old, now } of changes) {
          expect(old).toEqual(replayed.get(key));
          if (now === undefined) replayed.delete(key);
          else replayed.set(key, now);
        }
        expect(new Map(store)).toEqual(replayed);
        for (const tag of ['x', 'y']) {
          const expected = [...store.values()].filter(({ tags }) => tags.includes(tag));
          expect(new Set(store.byIndex('tag', tag))).toEqual(new Set(expected));
        }
      }),
    );
  });
});
