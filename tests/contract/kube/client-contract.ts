/** What KubeClient promises, whatever API server is behind it. Run against the fake and the real one. */
import { describe, expect, it } from 'vitest';
import type { KubeClient, KubeObject, ResourceType } from '#runtime/kube/types.ts';

export const configMaps: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
};

export const services: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'services',
  kind: 'Service',
  namespaced: true,
};

const namespace = 'default';

export function configMap(name: string, data: Record<string, string> = {}, labels = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, labels }, data };
}

export function clientContract(client: () => KubeClient): void {
  const ref = (name: string) => ({ type: configMaps, namespace, name });

  describe('KubeClient', () => {
    it('creates, reads and deletes an object', async () => {
      const created = await client().create(configMaps, configMap('c1', { a: '1' }));
      expect(created.metadata.uid).toBeDefined();
      const read = await client().get(ref('c1'));
      expect(read['data']).toEqual({ a: '1' });
      expect(read.kind).toBe('ConfigMap');
      await client().delete(ref('c1'));
      await expect(client().get(ref('c1'))).rejects.toMatchObject({
        status: 404,
        reason: 'NotFound',
        retry: 'never',
      });
    });

    it('says AlreadyExists on a second create', async () => {
      await client().create(configMaps, configMap('c2'));
      await expect(client().create(configMaps, configMap('c2'))).rejects.toMatchObject({
        status: 409,
        reason: 'AlreadyExists',
      });
    });

    it('refuses a replace from a stale resource version with a conflict to be tried again soon', async () => {
      const old = await client().create(configMaps, configMap('c3', { a: '1' }));
      await client().replace(ref('c3'), { ...old, data: { a: '2' } });
      await expect(client().replace(ref('c3'), { ...old, data: { a: '3' } })).rejects.toMatchObject({
        status: 409,
        reason: 'Conflict',
        retry: 'soon',
      });
      expect((await client().get(ref('c3')))['data']).toEqual({ a: '2' });
    });

    it('merges a patch and removes what is null', async () => {
      await client().create(configMaps, configMap('c4', { a: '1', b: '2' }));
      const patched = await client().patch(ref('c4'), { data: { a: null, c: '3' } });
      expect(patched['data']).toEqual({ b: '2', c: '3' });
    });

    it('applies on the server: creates, keeps what others own, removes what it no longer says', async () => {
      const fieldManager = 'contract';
      const apply = (data: Record<string, string>) =>
        client().apply(
          ref('c5'),
          { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c5' }, data },
          { fieldManager },
        );
      await apply({ a: '1', b: '2' });
      await client().patch(ref('c5'), { data: { other: 'x' } }, { fieldManager: 'somebody' });
      const applied = await apply({ a: '9' });
      expect(applied['data']).toEqual({ a: '9', other: 'x' });
    });

    it('writes the status through its sub-resource only', async () => {
      const spec = { type: 'LoadBalancer', ports: [{ port: 80, protocol: 'TCP' }] };
      await client().create(services, { metadata: { name: 's1', namespace }, spec });
      const service = { type: services, namespace, name: 's1' };
      const status = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } };
      await client().patch(service, { status });
      expect((await client().get(service))['status']).not.toMatchObject(status);
      await client().patch(service, { status }, { subresource: 'status' });
      expect((await client().get(service))['status']).toMatchObject(status);
      await client().delete(service);
    });

    it('deletes only the object it means', async () => {
      await client().create(configMaps, configMap('c6'));
      await expect(
        client().delete(ref('c6'), { uid: '00000000-0000-0000-0000-000000000000' }),
      ).rejects.toMatchObject({ status: 409 });
      await client().delete(ref('c6'));
    });

    it('lists all pages, with kind and apiVersion on each item', async () => {
      const names = Array.from({ length: 620 }, (_, index) => `page-${String(index).padStart(4, '0')}`);
      for (let start = 0; start < names.length; start += 20) {
        const batch = names.slice(start, start + 20);
        await Promise.all(
          batch.map((name) => client().create(configMaps, configMap(name, {}, { page: 'yes' }))),
        );
      }
      const listed = await client().list(configMaps, { namespace, labelSelector: 'page=yes' });
      expect(listed.map(({ metadata }) => metadata.name)).toEqual(names);
      expect(new Set(listed.map(({ kind, apiVersion }) => `${kind} ${apiVersion}`))).toEqual(
        new Set(['ConfigMap v1']),
      );
    });

    it('throws KubeError with status 0 when the caller gives up', async () => {
      await expect(client().get(ref('c1'), AbortSignal.abort())).rejects.toMatchObject({
        status: 0,
        retry: 'backoff',
      });
    });
  });
}
