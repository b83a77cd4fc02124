import { afterAll, beforeAll, describe } from 'vitest';
import { plainCredentials } from '#runtime/kube/credentials.ts';
import { createTransport, type Transport } from '#runtime/kube/transport.ts';
import { silent } from '#runtime/log/logger.ts';
import { FakeApiServer } from '#tests/support/fake-apiserver/server.ts';
import { reflectorContract } from './reflector-contract.ts';

describe.each([true, false])('with streaming lists: %s', (streamingLists) => {
  let fake: FakeApiServer;
  let transport: Transport;

  beforeAll(async () => {
    fake = await FakeApiServer.start({ streamingLists });
    transport = createTransport(plainCredentials(fake.url), { logger: silent });
  });
  afterAll(() => fake.close());

  reflectorContract(() => transport);
});
