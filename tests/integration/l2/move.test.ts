/** Addresses are moved by hand and by failover mode on a lab with real speakers, while a client never stops asking for them. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LightStage } from '#lab/demo/light.ts';
import { Lab } from '#lab/lab.ts';
import { run } from '#lab/process/run.ts';
import { waitFor } from '#lab/process/wait.ts';
import { quiet } from '#lab/report.ts';
import { ingressOf } from '#lab/workload/service.ts';
import { startProbe, type Probe } from '#tests/support/l2-processes.ts';

const root = join(import.meta.dirname, '..', '..', '..');
let lab: Lab;
let probe: Probe;
let stage: LightStage;
let address = '';

beforeAll(async () => {
  lab = await Lab.up({ name: 'mlb-t-move', level: 'light', nodes: 3, report: quiet });
  stage = new LightStage(lab);
  for (const step of stage.deploy) await step.run(() => undefined);
  await stage.startWorkload();
  await lab.kubectl(['apply', '-f', join(root, 'lab/demo/manifests/l2.yaml')]);
  await stage.createService('web', { pool: 'lan' });
  address = await waitFor('an IPv4 address', async () =>
    (await ingressOf(lab.api, 'web')).find((ip) => !ip.includes(':')),
  );
  probe = await startProbe(lab.netns('lan'));
  await waitFor('a node to announce', async () => (await announcers()).length === 1);
});

afterAll(async () => {
  await probe?.kill('SIGKILL');
  await lab?.down();
});

async function announcers(): Promise<string[]> {
  const list = JSON.parse(
    await lab.kubectl(['-n', 'metallb-system', 'get', 'servicel2statuses', '-o', 'json']),
  ) as { items: { metadata: { labels: Record<string, string> } }[] };
  return list.items.map(({ metadata }) => metadata.labels['metallb.io/node'] ?? '');
}

async function metallb(...args: readonly string[]): Promise<string> {
  const kubeconfig = await lab.hostKubeconfig();
  return run([process.execPath, join(root, 'cli/main.ts'), ...args, `--kubeconfig=${kubeconfig}`]);
}

/** Asks without a pause while something is done; how many questions were asked, and how many got no answer within a second. */
async function askedDuring(
  work: () => Promise<unknown>,
): Promise<{ asked: number; lost: number; worst: number }> {
  probe.forget();
  probe.send({ kind: 'measure', ip: address, count: 15_000 });
  await work();
  const measured = await probe.expect((message) => message.kind === 'measured', 60_000);
  if (measured.kind !== 'measured') throw new Error('unreachable');
  const { micros, lost } = measured;
  return { asked: micros.length + lost, lost, worst: Math.max(...micros) / 1_000 };
}

describe('metallb move on a running cluster', () => {
  it('moves a Service to another node and back; every question is answered meanwhile', async () => {
    const [from = ''] = await announcers();
    const to = ['node1', 'node2', 'node3'].find((name) => name !== from) ?? '';
    const seen = await askedDuring(async () => {
      expect(await metallb('move', 'default/web', '--to', to)).toMatch(
        new RegExp(`default/web is announced by node ${to} after \\d+ ms`),
      );
    });
    expect(seen.lost).toBe(0);
    expect(await announcers()).toEqual([to]);
    await metallb('move', 'default/web', '--undo');
    await waitFor('the address to come back', async () => (await announcers()).join() === from);
  });

  it('empties a node and lets it come back', async () => {
    const [from = ''] = await announcers();
    const seen = await askedDuring(async () => {
      expect(await metallb('move', '--node', from, '--away')).toContain(
        `node ${from} announces nothing by Layer 2`,
      );
    });
    expect(seen.lost).toBe(0);
    expect(await announcers()).not.toContain(from);
    await metallb('move', '--node', from, '--undo');
    await waitFor('the address to come back', async () => (await announcers()).join() === from);
  });
});

describe('failover modes on a running cluster', () => {
  const mode = (failover: string) =>
    lab.kubectl([
      '-n',
      'metallb-system',
      'patch',
      'l2advertisement',
      'lan',
      '--type=merge',
      `--patch=${JSON.stringify({ spec: { failover } })}`,
    ]);
  const number = (node: string) => Number(node.replace('node', ''));

  it('Sticky: stays where it went when its node was cut off, until Default takes it back', async () => {
    const [home = ''] = await announcers();
    await mode('Sticky');
    // The wish is taken back and nothing moves: so the one who would take it knows the mode.
    const away = ['node1', 'node2', 'node3'].find((name) => name !== home) ?? '';
    await waitFor('all speakers to know the mode', async () => {
      await metallb('move', 'default/web', '--to', away);
      await metallb('move', 'default/web', '--undo');
      await askedDuring(() => Promise.resolve());
      return (await announcers()).join() === away;
    });
    await metallb('move', 'default/web', '--to', home);
    await metallb('move', 'default/web', '--undo');
    await lab.cutNode(number(home));
    // The cut node cannot withdraw its status object: the new one appears beside it.
    const next = await waitFor('another node to announce', async () =>
      (await announcers()).find((name) => name !== home),
    );
    await lab.healNode(number(home));
    await waitFor('one announcer', async () => (await announcers()).join() === next, { deadlineMs: 30_000 });
    const seen = await askedDuring(() => Promise.resolve());
    expect(seen.lost).toBe(0);
    expect(await announcers()).toEqual([next]);
    await mode('Default');
    await waitFor('the address to come back', async () => (await announcers()).join() === home);
  });

  it('Spread: no node holds more than ceil(n/m) + 1, also after one died and came back', async () => {
    await mode('Spread');
    const names = Array.from({ length: 8 }, (_, index) => `web${index}`);
    for (const name of names) await stage.createService(name, { pool: 'lan' });
    await waitFor('all to be announced', async () => (await announcers()).length === 9, {
      deadlineMs: 20_000,
    });
    const most = async () => {
      const all = await announcers();
      return Math.max(...[1, 2, 3].map((index) => all.filter((name) => name === `node${index}`).length));
    };
    expect(await most()).toBeLessThanOrEqual(4);
    await lab.cutNode(1);
    await waitFor(
      'the two others to hold all',
      async () => (await announcers()).filter((name) => name !== 'node1').length === 9,
      { deadlineMs: 30_000 },
    );
    await lab.healNode(1);
    await waitFor('nine announcements', async () => (await announcers()).length === 9, {
      deadlineMs: 30_000,
    });
    await waitFor('bounded loads', async () => (await most()) <= 4, { deadlineMs: 30_000 });
  });
});
