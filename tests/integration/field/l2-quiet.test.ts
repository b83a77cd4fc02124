/** field-cases.md B22: status objects of Layer 2 are quiet in steady state, and mended once when somebody else changes them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NAMESPACE } from '#lab/demo/stage.ts';
import { eventually } from '#tests/support/eventually.ts';
import { L2Field, leaderOf } from '#tests/support/l2-field.ts';

const QUIET_MS = 180_000;
const SERVICES = ['s1', 's2', 's3', 's4', 's5'];
/** The third node is not selected: its speaker leads nothing. */
const LEADING = ['node1', 'node2'];
const STATUSES = `/apis/metallb.io/v1beta1/namespaces/${NAMESPACE}/servicel2statuses`;
let l2: L2Field;
const leaders = new Map<string, string>();

beforeAll(async () => {
  l2 = await L2Field.start('mlb-t-l2quiet');
  await l2.field.pool('p', ['192.0.2.64-192.0.2.79']);
  const hosts = { key: 'kubernetes.io/hostname', operator: 'In', values: LEADING };
  await l2.advertise('l2', { interfaces: ['eth0'], nodeSelectors: [{ matchExpressions: [hosts] }] });
  for (const [index, name] of SERVICES.entries()) {
    await l2.field.service(name);
    await l2.field.expectIps(name, [`192.0.2.${64 + index}`]);
    leaders.set(name, leaderOf(`192.0.2.${64 + index}`, LEADING));
  }
  for (const [name, node] of leaders) await l2.ledBy(name, node);
  l2.field.lab.spawn('control', {
    name: 'watch',
    argv: l2.field.lab.kubectlCommand([
      '-n',
      NAMESPACE,
      'get',
      'servicel2statuses',
      '-w',
      '--output-watch-events',
      '-o',
      'jsonpath={.type} {.object.metadata.name} {.object.status.node}{"\\n"}',
    ]).argv,
  });
  await eventually(() => expect(events().length).toBe(SERVICES.length), 20_000);
});
afterAll(() => l2?.[Symbol.asyncDispose]());

/** Events of the watch so far; it begins with one for each object that exists. */
function events(): string[] {
  const text = l2.field.lab.daemons.find('watch')?.logText() ?? '';
  return text.split('\n').filter((line) => line.trim() !== '');
}

/** Write requests to these objects that the API server has counted. */
async function writes(): Promise<number> {
  const { text } = await l2.field.lab.api.send('GET', '/metrics');
  const lines = text
    .split('\n')
    .filter(
      (line) => line.startsWith('apiserver_request_total{') && line.includes('resource="servicel2statuses"'),
    )
    .filter((line) => /verb="(POST|PUT|PATCH|DELETE|APPLY)"/.test(line));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

async function restart(node: string): Promise<void> {
  const index = Number(node.slice(4));
  await l2.field.lab.daemons.find(`speaker-${node}`)?.stop('SIGTERM');
  await l2.field.stage.startSpeaker(index);
  await l2.field.stage.speakerReady(index);
}

describe('B22: status objects of L2 Services', () => {
  it(
    'B22 E1: no event on the watch in three minutes',
    async () => {
      const before = events();
      await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
      expect(events()).toEqual(before);
    },
    QUIET_MS + 30_000,
  );

  it('B22 E2: one that is deleted by hand comes back within 5 s, created once', async () => {
    const [status] = await l2.statuses('s1');
    const before = events().length;
    await l2.field.lab.api.delete(`${STATUSES}/${status?.name}`);
    await l2.ledBy('s1', leaders.get('s1') ?? '', 5_000);
    await eventually(() => expect(events().length).toBeGreaterThanOrEqual(before + 3));
    await l2.ledBy('s1', leaders.get('s1') ?? '');
    expect(
      events()
        .slice(before)
        .map((line) => line.split(' ')[0]),
    ).toEqual(['DELETED', 'ADDED', 'MODIFIED']);
  });

  it('B22 E3: one that is edited by hand is repaired once', async () => {
    const [status] = await l2.statuses('s2');
    const before = events().length;
    await l2.field.lab.kubectl([
      '-n',
      NAMESPACE,
      'patch',
      'servicel2status',
      status?.name ?? '',
      '--subresource=status',
      '--type=merge',
      '-p',
      '{"status":{"interfaces":[{"name":"other"}]}}',
    ]);
    await eventually(async () => expect(await l2.statuses('s2')).toEqual([status]), 5_000);
    await eventually(() => expect(events().length).toBe(before + 2));
  });

  it('B22 E4: the restart of a speaker that leads nothing writes nothing', async () => {
    const before = await writes();
    await restart('node3');
    for (const [name, node] of leaders) await l2.ledBy(name, node);
    expect((await writes()) - before).toBe(0);
  });

  it('B22 E4: of one that leads: at most one write for each Service it leads', async () => {
    const mine = [...leaders].filter(([, node]) => node === 'node1').map(([name]) => name);
    expect(mine.length).toBeGreaterThan(0);
    const before = await writes();
    await restart('node1');
    for (const [name, node] of leaders) await l2.ledBy(name, node);
    for (const name of mine) {
      const [ip = ''] = await l2.field.ips(name);
      await l2.answers(ip, 'node1');
    }
    expect((await writes()) - before).toBeLessThanOrEqual(mine.length);
  });

  it('B22 E5: with the Service its object goes within 5 s, and does not come back', async () => {
    await l2.field.delete('s3');
    await eventually(async () => expect(await l2.statuses('s3')).toEqual([]), 5_000);
    const before = events();
    await restart('node3');
    expect(await l2.statuses('s3')).toEqual([]);
    expect(events()).toEqual(before);
  });

  it('B22 E6: never more than one for each Service and node, and the labels say which', async () => {
    const { items } = await l2.field.lab.api.get<{
      items: { metadata: { labels: Record<string, string> }; status: Record<string, string> }[];
    }>(STATUSES);
    const pairs = items.map(
      ({ status }) => `${status['serviceNamespace']}/${status['serviceName']} ${status['node']}`,
    );
    expect(new Set(pairs).size).toBe(pairs.length);
    expect(pairs).toHaveLength(SERVICES.length - 1);
    for (const { metadata, status } of items)
      expect(metadata.labels).toEqual({
        'metallb.io/node': status['node'],
        'metallb.io/service-name': status['serviceName'],
        'metallb.io/service-namespace': status['serviceNamespace'],
      });
  });
});
