import { expect, it } from 'vitest';
import { discover } from '#operator/discovery.ts';
import { KubeError } from '#runtime/kube/types.ts';

const never = AbortSignal.timeout(60_000);

/** An API server that has these resources, by version of a group. */
function having(versions: Readonly<Record<string, readonly string[]>>) {
  const groups = Object.keys(versions).map((path) => ({ name: path.split('/')[0] }));
  return {
    request: async (_: string, path: string): Promise<unknown> => {
      if (path === '/apis') return { groups };
      const resources = versions[path.slice('/apis/'.length)];
      if (resources === undefined) throw new KubeError('none', { status: 404, reason: 'NotFound' });
      return { resources: resources.map((name) => ({ name })) };
    },
  };
}

it('a group that is there with some of its kinds has no others', async () => {
  const client = having({
    'monitoring.coreos.com/v1': ['servicemonitors', 'servicemonitors/status'],
    'apps/v1': [],
  });
  const { groups, kinds } = await discover(client, never);
  expect([...groups]).toEqual(['monitoring.coreos.com', 'apps']);
  expect(kinds.map(({ kind }) => kind)).toEqual(['ServiceMonitor']);
});

it('a group that is there in another version only has none', async () => {
  const client = having({ 'security.openshift.io/v2': ['securitycontextconstraints'] });
  expect((await discover(client, never)).kinds).toEqual([]);
});

it('a server that fails is no server without kinds', async () => {
  const client = {
    request: (_: string, path: string) =>
      path === '/apis'
        ? Promise.resolve({ groups: [{ name: 'monitoring.coreos.com' }] })
        : Promise.reject(new KubeError('down', { status: 503, reason: 'ServiceUnavailable' })),
  };
  await expect(discover(client, never)).rejects.toThrow('down');
});
