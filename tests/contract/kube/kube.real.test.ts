import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKubeClient } from '#runtime/kube/client.ts';
import { loadCredentials, type Credentials } from '#runtime/kube/credentials.ts';
import { createTransport, type Transport } from '#runtime/kube/transport.ts';
import { silent } from '#runtime/log/logger.ts';
import { ControlPlane } from '#tests/support/control-plane.ts';
import { clientContract } from './client-contract.ts';
import { reflectorContract } from './reflector-contract.ts';

describe.each([
  { title: 'streaming lists', flags: [], streams: true },
  { title: 'paged lists', flags: ['--feature-gates=WatchList=false'], streams: false },
])('kube-apiserver with $title', ({ flags, streams }) => {
  let plane: ControlPlane;
  let credentials: Credentials;
  let transport: Transport;

  beforeAll(async () => {
    plane = await ControlPlane.start(flags);
    credentials = await loadCredentials({ kubeconfig: plane.kubeconfig });
    transport = createTransport(credentials, { logger: silent });
  });
  afterAll(async () => {
    await credentials?.[Symbol.asyncDispose]();
    await plane?.[Symbol.asyncDispose]();
  });

  it('takes the namespace from the kubeconfig', () => {
    expect(credentials.namespace).toBe('default');
  });

  it('streams lists only if so configured', async () => {
    const query = { watch: 'true', sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' };
    const lines = transport.watch('/api/v1/namespaces', query, AbortSignal.timeout(10_000));
    const first = lines.next();
    if (streams) await expect(first).resolves.toMatchObject({ done: false });
    else await expect(first).rejects.toMatchObject({ status: 422 });
    await lines.return(undefined);
  });

  clientContract(() => createKubeClient(transport));
  reflectorContract(() => transport);
});
