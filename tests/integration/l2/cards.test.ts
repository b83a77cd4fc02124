/** Hosts with more than one card: which of them answers. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { tryRun } from '#lab/process/run.ts';
import type { ResponderArgument } from '#tests/integration/l2/responder-process.ts';
import { eventually } from '#tests/support/eventually.ts';
import { startResponder, type ResponderProcess } from '#tests/support/l2-processes.ts';
import { Segment } from '#tests/support/netns.ts';

const V4 = '192.0.2.77';
const V6 = '2001:db8::77';
const segment = new Segment('l2c');
let responder: ResponderProcess;
const macs = new Map<string, string>();

/** eth0 of node and client are on one LAN, eth1 of both on another one. */
beforeAll(async () => {
  await segment.up();
  await segment.bridge('br1');
  await segment.host('node', '192.0.2.11/24', '2001:db8::11/64');
  await segment.host('client', '192.0.2.1/24', '2001:db8::1/64');
  await segment.plug('node', 'eth1', 'node1', 'br1');
  await segment.plug('client', 'eth1', 'client1', 'br1');
  await segment.ip('client', 'addr', 'add', '198.51.100.1/24', 'dev', 'eth1');
  for (const device of ['eth0', 'eth1']) macs.set(await segment.mac('node', device), device);
});
afterAll(() => segment.down());
afterEach(async () => {
  await responder.kill('SIGKILL');
});

async function start(argument: ResponderArgument = {}): Promise<void> {
  responder = await startResponder(segment.netns('node'), argument);
}

function announce(...entries: readonly (readonly [string, ...string[]])[]): void {
  responder.send({
    kind: 'plan',
    entries: entries.map(([ip, ...names]) => ({ ip, interfaces: names.length === 0 ? undefined : names })),
  });
}

/** Cards of the node that answer a client that asks on its own card. */
async function answering(ip: string, on: string): Promise<string[]> {
  const argv = ip.includes(':')
    ? ['ndisc6', '-m', '-r', '2', '-w', '300', ip, on]
    : ['arping', '-i', on, '-c', '3', '-W', '0.1', ip];
  const { stdout } = await tryRun(['ip', 'netns', 'exec', segment.netns('client'), ...argv]);
  const found = stdout.toLowerCase().match(/(?:[\da-f]{2}:){5}[\da-f]{2}/g) ?? [];
  return [...new Set(found.map((mac) => macs.get(mac) ?? mac))].sort();
}

/** Who answers on the one LAN, and on the other. */
async function both(ip: string): Promise<readonly (readonly string[])[]> {
  return [await answering(ip, 'eth0'), await answering(ip, 'eth1')];
}

const becomes = (ip: string, expected: readonly (readonly string[])[]): Promise<void> =>
  eventually(async () => expect(await both(ip)).toEqual(expected), 10_000);

describe('two LANs', () => {
  it('82, 83: answers on the named card, then on the other one, then on both, each with its own MAC', async () => {
    await start();
    announce([V4, 'eth0'], [V6, 'eth0']);
    await becomes(V4, [['eth0'], []]);
    await becomes(V6, [['eth0'], []]);
    announce([V4, 'eth1'], [V6, 'eth1']);
    await becomes(V4, [[], ['eth1']]);
    await becomes(V6, [[], ['eth1']]);
    announce([V4, 'eth0', 'eth1']);
    await becomes(V4, [['eth0'], ['eth1']]);
    announce([V4]);
    await becomes(V4, [['eth0'], ['eth1']]);
  });

  it('87: not on a card that is excluded', async () => {
    await start({ exclude: ['^lo$', '^eth1$'] });
    announce([V4]);
    await becomes(V4, [['eth0'], []]);
  });

  it('88: nor on one that is down; on the others as before', async () => {
    await start();
    announce([V4], [V6]);
    await becomes(V4, [['eth0'], ['eth1']]);
    await segment.ip('node', 'link', 'set', 'eth1', 'down');
    await becomes(V4, [['eth0'], []]);
    await segment.ip('node', 'link', 'set', 'eth1', 'up');
    await becomes(V4, [['eth0'], ['eth1']]);
    await becomes(V6, [['eth0'], ['eth1']]);
  });

  it('91: nor on one without ARP, neither for IPv4 nor for IPv6', async () => {
    await segment.ip('node', 'link', 'set', 'eth1', 'arp', 'off');
    await start();
    announce([V4], [V6]);
    await becomes(V4, [['eth0'], []]);
    await becomes(V6, [['eth0'], []]);
    await segment.ip('node', 'link', 'set', 'eth1', 'arp', 'on');
    await becomes(V4, [['eth0'], ['eth1']]);
  });
});

describe('B18: two cards on one LAN', () => {
  beforeAll(async () => {
    await segment.plug('node', 'eth2', 'node2');
    macs.set(await segment.mac('node', 'eth2'), 'eth2');
  });
  afterAll(() => segment.ip('lan', 'link', 'delete', 'node2'));

  it('one MAC for an address, the same after a restart, also for IPv6; the other LAN has its own', async () => {
    for (let run = 0; run < 2; run += 1) {
      await start();
      announce([V4], [V6]);
      await becomes(V4, [['eth0'], ['eth1']]);
      await becomes(V6, [['eth0'], ['eth1']]);
      if (run === 0) await responder.kill('SIGKILL');
    }
  });

  it('the other card when it is the one that is asked for, and when the first has no carrier', async () => {
    await start();
    announce([V4, 'eth2']);
    await becomes(V4, [['eth2'], []]);
    announce([V4]);
    await becomes(V4, [['eth0'], ['eth1']]);
    await segment.cut('node');
    await becomes(V4, [['eth2'], ['eth1']]);
    await segment.heal('node');
    await becomes(V4, [['eth0'], ['eth1']]);
  });
});
