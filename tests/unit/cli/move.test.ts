import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { emptyNode, moveService, type Cluster } from '#cli/move/move.ts';
import { moveCommand } from '#cli/move/command.ts';
import { metallbResources } from '#core/api/resources.ts';
import { createKubeClient } from '#runtime/kube/client.ts';
import { plainCredentials } from '#runtime/kube/credentials.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import { createTransport } from '#runtime/kube/transport.ts';
import { silent } from '#runtime/log/logger.ts';
import { eventually } from '#tests/support/eventually.ts';
import { FakeApiServer } from '#tests/support/fake-apiserver/server.ts';

let fake: FakeApiServer;
let cluster: Cluster;
let written: string;
const web = { namespace: 'default', name: 'web' };

/** What the speaker of a node says it announces. */
function announcedBy(node: string): void {
  const name = 'l2-1';
  const key = `metallb-system/${name}`;
  if (fake.find(metallbResources.ServiceL2Status, key) !== undefined)
    fake.remove(metallbResources.ServiceL2Status, key);
  const labels = {
    'metallb.io/node': node,
    'metallb.io/service-name': 'web',
    'metallb.io/service-namespace': 'default',
  };
  fake.put(metallbResources.ServiceL2Status, { metadata: { name, namespace: 'metallb-system', labels } });
}

beforeEach(async () => {
  fake = await FakeApiServer.start();
  written = '';
  cluster = {
    client: createKubeClient(createTransport(plainCredentials(fake.url), { logger: silent })),
    metallbNamespace: 'metallb-system',
    dryRun: false,
    timeoutMs: 5_000,
    write: (text) => (written += text),
  };
  for (const name of ['n1', 'n2']) fake.put(kinds.Node, { metadata: { name } });
  fake.put(kinds.Service, { metadata: { ...web } });
  announcedBy('n1');
});

afterEach(() => fake.close());

const annotations = () => fake.find(kinds.Service, 'default/web')?.metadata.annotations ?? {};
const labels = () => fake.find(kinds.Node, 'n1')?.metadata.labels ?? {};

describe('metallb move', () => {
  it('asks for the node and waits until it announces', async () => {
    const moved = moveService(cluster, web, 'n2');
    await eventually(() => expect(annotations()).toEqual({ 'metallb.io/l2-node': 'n2' }));
    announcedBy('n2');
    expect(await moved).toBe('done');
    expect(written).toMatch(
      /^default\/web, announced by n1, moves to node n2\ndefault\/web is announced by node n2 after \d+ ms\n$/,
    );
    expect(await moveService(cluster, web, undefined)).toBe('done');
    expect(annotations()).toEqual({});
  });

  it('empties a node, and lets it come back', async () => {
    const emptied = emptyNode(cluster, 'n1', true);
    await eventually(() => expect(labels()).toEqual({ 'metallb.io/drain': 'true' }));
    announcedBy('n2');
    expect(await emptied).toBe('done');
    expect(await emptyNode(cluster, 'n1', false)).toBe('done');
    expect(labels()).toEqual({});
  });

  it('changes nothing in a dry run', async () => {
    const dry = { ...cluster, dryRun: true };
    expect(await moveService(dry, web, 'n2')).toBe('done');
    expect(await emptyNode(dry, 'n1', true)).toBe('done');
    expect(annotations()).toEqual({});
    expect(labels()).toEqual({});
    expect(written).toContain('node n1, which announces default/web, is emptied (dry run)');
  });

  it('says what is missing when the time is up', async () => {
    expect(await moveService({ ...cluster, timeoutMs: 1 }, web, 'n2')).toBe('timeout');
    expect(written).toMatch(/not done after \d+ ms: announced by n1\n$/);
  });

  it('refuses nodes and Services that do not exist, before anything is written', async () => {
    await expect(moveService(cluster, web, 'n9')).rejects.toMatchObject({ status: 404 });
    await expect(moveService(cluster, { ...web, name: 'x' }, 'n2')).rejects.toMatchObject({ status: 404 });
    await expect(emptyNode(cluster, 'n9', true)).rejects.toMatchObject({ status: 404 });
    expect(annotations()).toEqual({});
  });

  it.each([
    [[]],
    [['web']],
    [['web', '--to', 'n2', '--undo']],
    [['web', '--node', 'n1', '--away']],
    [['--node', 'n1']],
    [['--node', 'n1', '--away', '--undo']],
    [['a', 'b', '--to', 'n2']],
    [['web', '--to', 'n2', '--timeout', 'soon']],
  ])('refuses %j', async (argv) => {
    await expect(moveCommand(argv, { env: {}, write: () => undefined })).rejects.toMatchObject({
      name: 'SettingsError',
    });
  });
});
