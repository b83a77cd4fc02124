/** Duplicate-address detection and conflicts on a real segment, against a real kernel that has the address. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { decodeArp } from '#core/l2/arp.ts';
import { formatMac } from '#core/l2/ethernet.ts';
import { decodeNdp } from '#core/l2/ndp.ts';
import { tryRun } from '#lab/process/run.ts';
import type { ResponderArgument } from '#tests/integration/l2/responder-process.ts';
import { eventually } from '#tests/support/eventually.ts';
import { arpRequest, hex, ip, mac } from '#tests/support/frames.ts';
import {
  startProbe,
  startResponder,
  type Probe,
  type ResponderProcess,
} from '#tests/support/l2-processes.ts';
import { Segment } from '#tests/support/netns.ts';

const V4 = '192.0.2.77';
const V6 = '2001:db8::77';
const segment = new Segment('l2d');
let client: Probe;
let responder: ResponderProcess;
let nodeMac = '';
let otherMac = '';

async function restart(argument: ResponderArgument = {}): Promise<void> {
  responder = await startResponder(segment.netns('node'), argument);
  client.forget();
}

function claim(...ips: readonly string[]): void {
  responder.send({
    kind: 'plan',
    entries: ips.map((each) => ({ ip: each, interfaces: undefined, probe: true })),
  });
}

/** What the node's card sent about the address, in order. */
function sent(): string[] {
  return client.received.flatMap((message) => {
    if (message.kind !== 'frame') return [];
    const frame = hex(message.frame);
    const arp = decodeArp(frame);
    if (arp !== undefined && formatMac(arp.source) === nodeMac && arp.targetIp.join('.') === V4) {
      if (arp.senderIp.join('.') === '0.0.0.0') return ['probe'];
      // The foreign request itself is answered too, to its sender alone.
      return arp.senderIp.join('.') === V4 && arp.destination[0] === 0xff ? ['announcement'] : [];
    }
    const ndp = decodeNdp(frame);
    if (ndp === undefined || formatMac(ndp.etherSource) !== nodeMac) return [];
    if (ndp.kind === 'solicitation') return ndp.source.every((byte) => byte === 0) ? ['probe6'] : [];
    return ndp.solicited ? [] : ['announcement6'];
  });
}

function conflicts() {
  return responder.received.flatMap((message) => (message.kind === 'conflict' ? [message.conflict] : []));
}

/** MAC addresses that answer an ARP request of the client. */
async function answerers(): Promise<readonly string[]> {
  const enter = ['ip', 'netns', 'exec', segment.netns('client')];
  const found = await tryRun([...enter, 'arping', '-c', '2', '-w', '1', '-I', 'eth0', V4]);
  const macs = [...found.stdout.toLowerCase().matchAll(/(?:[0-9a-f]{2}:){5}[0-9a-f]{2}/g)].map(
    ([text]) => text,
  );
  return [...new Set(macs)].sort();
}

beforeAll(async () => {
  await segment.up();
  await segment.host('node', '192.0.2.11/24', '2001:db8::11/64');
  await segment.host('other', '192.0.2.20/24', '2001:db8::20/64');
  await segment.host('client', '192.0.2.1/24', '2001:db8::1/64');
  nodeMac = await segment.mac('node');
  otherMac = await segment.mac('other');
  client = await startProbe(segment.netns('client'));
});

afterAll(async () => {
  await client?.kill('SIGKILL');
  await segment.down();
});

beforeEach(() => restart());

afterEach(async () => {
  await responder.kill('SIGKILL');
  for (const address of [`${V4}/32`, `${V6}/128`])
    await tryRun(['ip', '-n', segment.netns('other'), 'addr', 'del', address, 'dev', 'eth0']);
});

describe('before a claim (W6)', () => {
  it('probes three times, then announces and answers', async () => {
    claim(V4, V6);
    await eventually(() => expect(sent()).toContain('announcement'));
    await eventually(() => expect(sent()).toContain('announcement6'));
    const v4 = sent().filter((what) => !what.endsWith('6'));
    expect(v4.slice(0, 4)).toEqual(['probe', 'probe', 'probe', 'announcement']);
    const v6 = sent().filter((what) => what.endsWith('6'));
    expect(v6.slice(0, 4)).toEqual(['probe6', 'probe6', 'probe6', 'announcement6']);
    expect(await answerers()).toEqual([nodeMac]);
  });

  it('does not probe what one of us held: announces at once', async () => {
    responder.send({ kind: 'plan', entries: [{ ip: V4, interfaces: undefined, probe: false }] });
    await eventually(() => expect(sent()).toContain('announcement'));
    expect(sent()).not.toContain('probe');
  });

  it.each([
    [V4, `${V4}/32`, 'announcement'],
    [V6, `${V6}/128`, 'announcement6'],
  ])(
    'does not claim %s while another machine has it, and claims it when it is free',
    async (wanted, has, wire) => {
      await segment.ip('other', 'addr', 'add', has, 'dev', 'eth0');
      claim(wanted);
      await eventually(() =>
        expect(conflicts()).toEqual([{ ip: wanted, interface: 'eth0', mac: otherMac, state: 'withheld' }]),
      );
      if (wanted === V4) expect(await answerers()).toEqual([otherMac]);
      expect(sent()).not.toContain(wire);
      await segment.ip('other', 'addr', 'del', has, 'dev', 'eth0');
      await eventually(() => expect(sent()).toContain(wire));
      expect(conflicts().at(-1)).toMatchObject({ ip: wanted, state: 'over' });
      expect(conflicts()).toHaveLength(2);
    },
  );

  it('a card of the cluster is no conflict', async () => {
    await segment.ip('other', 'addr', 'add', `${V4}/32`, 'dev', 'eth0');
    responder.send({ kind: 'cards', macs: [otherMac] });
    claim(V4);
    await eventually(() => expect(sent()).toContain('announcement'));
    expect(conflicts()).toEqual([]);
  });

  it.each([
    ['report', ['probe', 'probe', 'probe', 'announcement']],
    ['off', ['announcement']],
  ] as const)('policy %s claims all the same', async (duplicates, expected) => {
    await responder.kill('SIGKILL');
    await restart({ duplicates });
    await segment.ip('other', 'addr', 'add', `${V4}/32`, 'dev', 'eth0');
    claim(V4);
    await eventually(() => expect(sent()).toContain('announcement'));
    expect(sent().slice(0, expected.length)).toEqual(expected);
    const states = duplicates === 'report' ? ['held'] : [];
    expect(conflicts().map(({ state }) => state)).toEqual(states);
  });
});

describe('while holding', () => {
  const foreign = () =>
    client.send({
      kind: 'send',
      frame: Buffer.from(
        arpRequest(V4, {
          source: mac('02:00:00:00:00:66'),
          senderMac: mac('02:00:00:00:00:66'),
          senderIp: ip(V4),
        }),
      ).toString('hex'),
    });

  it('RFC 5227 2.4 c: reports and defends once, however often the other one shows itself, and answers on', async () => {
    await responder.kill('SIGKILL');
    await restart({ timing: { rounds: 1, spacing: 1_100, period: 0 } });
    responder.send({ kind: 'plan', entries: [{ ip: V4, interfaces: undefined, probe: false }] });
    await eventually(() => expect(sent()).toContain('announcement'));
    const before = sent().length;
    for (let count = 0; count < 5; count += 1) foreign();
    await eventually(() =>
      expect(conflicts()).toMatchObject([{ ip: V4, mac: '02:00:00:00:00:66', state: 'held' }]),
    );
    await eventually(async () => {
      responder.forget();
      responder.send({ kind: 'stats' });
      const stats = await responder.expect((message) => message.kind === 'stats');
      expect(stats.kind === 'stats' && stats.counts[V4]?.conflicts).toBe(5);
    });
    // A round is a request and a reply.
    expect(sent().length - before).toBe(2);
    expect(await answerers()).toEqual([nodeMac]);
  });
});
