/** field-cases.md B17 and B20: hosts without IPv6, and pools that contain the address of a node. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNode } from '#lab/control/nodes.ts';
import { nodeAddresses } from '#lab/net/plan.ts';
import { run } from '#lab/process/run.ts';
import { eventually } from '#tests/support/eventually.ts';
import { L2Field, leaderOf } from '#tests/support/l2-field.ts';

const NODES = ['node1', 'node2', 'node3'] as const;
/** What cannot be opened is tried again after 10 s. */
const RETRIED_MS = 12_000;

/** Of B17. */
const IP = '192.0.2.64';

/** Lines about IPv6 in the log of each speaker. */
const linesAboutIPv6 = ({ field }: L2Field): readonly string[][] =>
  NODES.map((name) =>
    (field.lab.daemons.find(`speaker-${name}`)?.logText() ?? '')
      .split('\n')
      .filter((line) => /ipv6|\bndp\b|eafnosupport/i.test(line)),
  );

async function expectAnswered(l2: L2Field): Promise<void> {
  await l2.field.expectIps('s', [IP]);
  await l2.answers(IP, leaderOf(IP));
  for (const index of l2.field.stage.nodes) await l2.field.stage.speakerReady(index);
}

async function expectAnnouncedByBgp({ field }: L2Field): Promise<void> {
  await field.apply('BGPAdvertisement', 'bgp');
  await field.expectPaths(IP, NODES.length);
}

describe('B17: hosts with IPv6 switched off', () => {
  let l2: L2Field;
  const ipv6 = async (off: 0 | 1): Promise<void> => {
    for (const name of NODES)
      await run([
        'ip',
        'netns',
        'exec',
        `mlb-t-l2six-n${name.slice(4)}`,
        'sysctl',
        '-qw',
        `net.ipv6.conf.all.disable_ipv6=${off}`,
      ]);
  };
  const pids = () => NODES.map((name) => l2.field.lab.daemons.find(`speaker-${name}`)?.pid);
  let started: readonly (number | undefined)[];

  beforeAll(async () => {
    l2 = await L2Field.start('mlb-t-l2six', { before: () => ipv6(1) });
    started = pids();
    await l2.field.pool('p', ['192.0.2.64/29']);
    await l2.advertise('l2');
    await l2.field.service('s');
  });
  afterAll(() => l2?.[Symbol.asyncDispose]());

  it('B17 E1, B17 E2: the speakers are ready, and the address is answered for', async () => {
    await expectAnswered(l2);
    const { stdout } = await l2.field.lab.exec('node1', ['ip', '-6', 'addr', 'show', 'dev', 'eth0']);
    expect(stdout).toBe('');
  });

  it('B17 E3: at most one line of each log about it for each card, also after what failed was tried again', async () => {
    await new Promise((resolve) => setTimeout(resolve, RETRIED_MS));
    for (const lines of linesAboutIPv6(l2)) {
      expect(lines.filter((line) => line.includes('"level":"error"'))).toEqual([]);
      expect(lines.length).toBeLessThanOrEqual(1);
    }
  });

  it('B17 E4: BGP over IPv4 works', () => expectAnnouncedByBgp(l2));

  it('B17 E5: with IPv6 switched on an IPv6 address is announced without a restart, within 10 s', async () => {
    await ipv6(0);
    await l2.field.pool('six', ['2001:db8:0:1::64/126']);
    await l2.field.service('six', { spec: { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv6'] } });
    await l2.field.expectIps('six', ['2001:db8:0:1::64']);
    await l2.answers('2001:db8:0:1::64', leaderOf('2001:db8:0:1::64'), { withinMs: 10_000 });
    expect(pids()).toEqual(started);
  });
});

describe('B17 where the kernel has no IPv6: no socket of that family can be opened', () => {
  let l2: L2Field;

  beforeAll(async () => {
    const wrapper = [process.execPath, join(import.meta.dirname, '../../support/without-ipv6-process.ts')];
    l2 = await L2Field.start('mlb-t-l2nosix', { speakers: { wrapper } });
    await l2.field.pool('p', ['192.0.2.64/29', '2001:db8:0:1::64/126']);
    await l2.advertise('l2');
    await l2.field.service('s');
  });
  afterAll(() => l2?.[Symbol.asyncDispose]());

  it('B17 E1, B17 E2: the speakers are ready, and the address is answered for', async () => {
    await expectAnswered(l2);
    // Else this would show nothing: the speaker that runs has no socket of IPv6.
    const pid = l2.field.lab.daemons.find('speaker-node1')?.pid;
    expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/^Seccomp:\t2$/m);
  });

  it('B17 E4: BGP over IPv4 works', () => expectAnnouncedByBgp(l2));

  it('B17 E3: nothing is said of it before it is needed; an address of IPv6 costs one line for each card', async () => {
    for (const lines of linesAboutIPv6(l2)) expect(lines).toEqual([]);
    await l2.field.service('six', { spec: { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv6'] } });
    await l2.field.expectIps('six', ['2001:db8:0:1::64']);
    await eventually(() => expect(linesAboutIPv6(l2).flat()).not.toEqual([]), 30_000);
    await new Promise((resolve) => setTimeout(resolve, RETRIED_MS));
    for (const lines of linesAboutIPv6(l2)) expect(lines.length).toBeLessThanOrEqual(1);
    expect(linesAboutIPv6(l2).flat()[0]).toContain('EAFNOSUPPORT');
    await l2.answers(IP, leaderOf(IP));
  });
});

describe('B20: ranges beside, around and equal to the address of a single node', () => {
  const OWN = nodeAddresses(1).ipv4;
  /** node2 has no machine; node3 joins later, and would be elected for the address of node1. */
  const JOINS = 3;
  let l2: L2Field;

  beforeAll(async () => {
    l2 = await L2Field.start('mlb-t-l2own', {
      nodes: JOINS,
      speakers: { nodes: [1] },
      before: async (lab) => {
        await lab.kubectl(['delete', 'node', 'node2', 'node3']);
        await run(['ip', '-n', lab.netns('node2'), 'link', 'set', 'eth0', 'down']);
      },
    });
    const { field } = l2;
    await field.stage.startWorkload();
    for (const [port, name] of [
      [22, 'ssh'],
      [10250, 'kubelet'],
    ] as const)
      field.lab.spawn('node1', {
        name,
        argv: [
          process.execPath,
          join(import.meta.dirname, '../../../lab/workload/web.ts'),
          name,
          `${port}`,
          OWN,
        ],
      });
    await field.pool('beside', ['10.90.0.12-10.90.0.44'], { autoAssign: false });
    await field.pool('own', [`${OWN}/32`], { autoAssign: false });
    await l2.advertise('l2');
    const from = (pool: string) => ({ annotations: { 'metallb.io/address-pool': pool } });
    await field.service('b', from('beside'));
    await field.service('o', {
      ...from('own'),
      spec: { ports: [{ name: 'http', port: 8443, targetPort: 8080, protocol: 'TCP' }] },
    });
  });
  afterAll(() => l2?.[Symbol.asyncDispose]());

  const reachable = async (): Promise<void> => {
    for (const port of [22, 10250, 8443])
      await eventually(
        async () => expect((await l2.field.lab.lan.curl(`http://${OWN}:${port}/`)).ok, `${port}`).toBe(true),
        15_000,
      );
  };

  it('B20 E1, B20 E2, B20 E3: both pools are accepted; the address beside, and the own one with one MAC', async () => {
    expect(await l2.field.states()).toEqual(['controller Valid', 'speaker-node1 Valid']);
    await l2.field.expectIps('b', ['10.90.0.12']);
    await l2.answers('10.90.0.12', 'node1');
    await l2.field.expectIps('o', [OWN]);
    await l2.answers(OWN, 'node1');
    await l2.ledBy('o', 'node1');
  });

  it('B20 E4: the node stays reachable on the ports of its own, and on that of the Service', reachable);

  it('B20 E5: a node that joins and would be elected for it does not answer', async () => {
    expect(leaderOf(OWN, ['node1', 'node3'])).toBe('node3');
    await createNode(l2.field.lab.api, JOINS);
    await l2.field.stage.startSpeaker(JOINS);
    await l2.field.stage.speakerReady(JOINS);
    // It takes part: an address for which it is elected moves to it.
    await l2.field.service('probe', { annotations: { 'metallb.io/address-pool': 'beside' } });
    const moves = Array.from({ length: 33 }, (_, index) => `10.90.0.${12 + index}`).find(
      (ip) => leaderOf(ip, ['node1', 'node3']) === 'node3' && ip !== nodeAddresses(JOINS).ipv4,
    );
    await l2.field.patch('probe', { spec: { loadBalancerIP: moves } });
    await l2.answers(moves ?? '', 'node3');
    expect(await l2.field.responders(OWN)).toEqual(['node1']);
    await l2.ledBy('o', 'node1');
    await reachable();
  });
});
