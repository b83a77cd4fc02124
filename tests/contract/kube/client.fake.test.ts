import { afterAll, beforeAll } from 'vitest';
import { createKubeClient } from '#runtime/kube/client.ts';
import { plainCredentials } from '#runtime/kube/credentials.ts';
import { createTransport } from '#runtime/kube/transport.ts';
import type { KubeClient } from '#runtime/kube/types.ts';
import { silent } from '#runtime/log/logger.ts';
import { FakeApiServer } from '#tests/support/fake-apiserver/server.ts';
import { clientContract } from './client-contract.ts';

let fake: FakeApiServer;
let client: KubeClient;

beforeAll(async () => {
  fake = await FakeApiServer.start();
  client = createKubeClient(createTransport(plainCredentials(fake.url), { logger: silent }));
});
afterAll(() => fake.close());

clientContract(() => client);
