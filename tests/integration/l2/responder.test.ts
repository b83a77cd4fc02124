import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { decodeArp, type ArpFrame } from '#core/l2/arp.ts';
import { formatMac } from '#core/l2/ethernet.ts';
import { decodeNdp, ndpProbe, type NdpFrame } from '#core/l2/ndp.ts';
import { tryRun } from '#lab/process/run.ts';
import { eventually } from '#tests/support/eventually.ts';
import { arpRequest, hex, ip, mac, neighborSolicitation } from '#tests/support/frames.ts';
import {
  startProbe,
  startResponder,
  type Probe,
  type ResponderProcess,
} from '#tests/support/l2-processes.ts';
import { Segment } from '#tests/support/netns.ts';

const V4 = '192.0.2.77';
const V6 = '2001:db8::77';
const segment = new Segment('l2r');
let client: Probe;
let responder: ResponderProcess;
let nodeMac = '';
let clientMac = '';

function announce(...entries: readonly (string | readonly [string, ...string[]])[]): void {
  responder.send({
    kind: 'plan',
    entries: entries.map((entry) => {
      if (typeof entry === 'string') return { ip: entry, interfaces: undefined };
      const [address, ...interfaces] = entry;
      return { ip: address, interfaces };
    }),
  });
}

function sendFromClient(frame: Uint8Array): void {
  client.send({ kind: 'send', frame: Buffer.from(frame).toString('hex') });
}

function arps(): ArpFrame[] {
  return frames().flatMap((frame) => decodeArp(frame) ?? []);
}

function ndps(): NdpFrame[] {
  return frames().flatMap((frame) => decodeNdp(frame) ?? []);
}

function frames(): Uint8Array[] {
  return client.received.flatMap((message) => (message.kind === 'frame' ? hex(message.frame) : []));
}

/** Who answers an ARP request of the client for the address; empty when nobody does within `withinMs`. */
async function whoHas(address: string, withinMs = 2_000): Promise<string> {
  client.forget();
  const request = arpRequest(address, { source: mac(clientMac), senderMac: mac(clientMac) });
  try {
    return await eventually(() => {
      sendFromClient(request);
      const reply = arps().find(
        ({ operation, senderIp, destination }) =>
          operation === 2 && formatMac(destination) === clientMac && senderIp.join('.') === address,
      );
      if (reply === undefined) throw new Error('no reply');
      return formatMac(reply.senderMac);
    }, withinMs);
  } catch {
    return '';
  }
}

function solicit(fields: Parameters<typeof neighborSolicitation>[1] = {}): void {
  sendFromClient(neighborSolicitation(V6, { etherSource: mac(clientMac), link: mac(clientMac), ...fields }));
}

/** The first one that has come; throws when none has. */
function advertised(): NdpFrame {
  const found = ndps().find(
    ({ kind, target }) => kind === 'advertisement' && Buffer.from(target).equals(ip(V6)),
  );
  if (found === undefined) throw new Error('no advertisement');
  return found;
}

async function advertisement(): Promise<NdpFrame> {
  return eventually(advertised);
}

beforeAll(async () => {
  await segment.up();
  await segment.host('node', '192.0.2.11/24', '2001:db8::11/64');
  await segment.host('client', '192.0.2.1/24', '2001:db8::1/64');
  nodeMac = await segment.mac('node');
  clientMac = await segment.mac('client');
  client = await startProbe(segment.netns('client'));
});

afterAll(async () => {
  await client?.kill('SIGKILL');
  await segment.down();
});

beforeEach(async () => {
  responder = await startResponder(segment.netns('node'));
  client.forget();
});

afterEach(async () => {
  await responder.kill('SIGKILL');
});

describe('responder on a real segment', () => {
  it('95, 99: answers for what it holds and for nothing else', async () => {
    announce(V4);
    expect(await whoHas(V4)).toBe(nodeMac);
    expect(await whoHas('192.0.2.78', 300)).toBe('');
  });

  it('arping and ndisc6 get the answer', async () => {
    announce(V4, V6);
    const arping = await tryRun([
      'ip',
      'netns',
      'exec',
      segment.netns('client'),
      'arping',
      '-c',
      '2',
      '-I',
      'eth0',
      V4,
    ]);
    expect(arping.stdout).toContain(nodeMac);
    const ndisc6 = await tryRun(['ip', 'netns', 'exec', segment.netns('client'), 'ndisc6', '-1', V6, 'eth0']);
    expect(ndisc6.stdout.toLowerCase()).toContain(nodeMac);
  });

  it('101: a burst at once and about every 1.1 s, request and reply', async () => {
    announce(V4);
    const gratuitous = () =>
      client.received.flatMap((message) => {
        const arp = message.kind === 'frame' ? decodeArp(hex(message.frame)) : undefined;
        return message.kind === 'frame' && arp?.senderIp.join('.') === V4 && arp.targetIp.join('.') === V4
          ? { at: message.at, operation: arp.operation }
          : [];
      });
    const seen = await eventually(() => {
      const found = gratuitous();
      if (found.length < 10) throw new Error(`${found.length} frames`);
      return found;
    }, 8_000);
    expect(seen.map(({ operation }) => operation)).toEqual([1, 2, 1, 2, 1, 2, 1, 2, 1, 2]);
    const starts = seen.filter(({ operation }) => operation === 1).map(({ at }) => at);
    for (const [index, at] of starts.slice(1).entries())
      expect(Math.abs(at - (starts[index] ?? 0) - 1_100)).toBeLessThan(200);
  });

  it('109: IPv6: advertisements to all nodes at once and about every 1.1 s, which override', async () => {
    announce(V6);
    const seen = await eventually(() => {
      const found = client.received.flatMap((message) => {
        const ndp = message.kind === 'frame' ? decodeNdp(hex(message.frame)) : undefined;
        return message.kind === 'frame' && ndp?.kind === 'advertisement' ? { at: message.at, ndp } : [];
      });
      if (found.length < 5) throw new Error(`${found.length} frames`);
      return found;
    }, 8_000);
    for (const { ndp } of seen)
      expect(ndp).toMatchObject({
        destination: ip('ff02::1'),
        target: ip(V6),
        override: true,
        solicited: false,
      });
    for (const [index, { at }] of seen.slice(1).entries())
      expect(Math.abs(at - (seen[index]?.at ?? 0) - 1_100)).toBeLessThan(200);
  });

  it('103, 104: gives up silently when the address is withdrawn', async () => {
    announce(V4);
    expect(await whoHas(V4)).toBe(nodeMac);
    announce();
    await eventually(async () => expect(await whoHas(V4, 200)).toBe(''));
    expect(await whoHas(V4, 1_500)).toBe('');
    expect(arps().filter(({ senderIp }) => senderIp.join('.') === V4)).toEqual([]);
  });

  it('106, 107, 108: solicitations: multicast, without option, probe, unicast', async () => {
    announce(V6);
    solicit();
    expect(await advertisement()).toMatchObject({ kind: 'advertisement', override: true });
    for (const ask of [
      () => solicit({ link: undefined }),
      () => solicit({ etherDestination: mac(nodeMac), destination: ip(V6) }),
    ]) {
      client.forget();
      ask();
      const answer = await eventually(async () => {
        const found = await advertisement();
        expect(found).toMatchObject({ solicited: true });
        return found;
      });
      expect(formatMac(answer.link ?? new Uint8Array())).toBe(nodeMac);
    }
    client.forget();
    sendFromClient(ndpProbe(mac(clientMac), ip(V6)));
    expect(await advertisement()).toMatchObject({ solicited: false, destination: ip('ff02::1') });
  });

  it('111: of two addresses one is given up: its group is left, the other kept', async () => {
    const groups = async () => {
      const text = await segment.ip('node', '-6', 'maddr', 'show', 'dev', 'eth0');
      return ['ff02::1:ff00:77', 'ff02::1:ff00:88'].map((group) => text.includes(group));
    };
    announce(V6, '2001:db8::88');
    await eventually(async () => expect(await groups()).toEqual([true, true]));
    announce(V6);
    await eventually(async () => expect(await groups()).toEqual([true, false]));
  });

  it('110: joins the solicited-node group once for addresses that share it', async () => {
    const groups = async () =>
      (await segment.ip('node', '-6', 'maddr', 'show', 'dev', 'eth0')).includes('ff02::1:ff00:77');
    announce(V6, '2001:db8:1::77');
    await eventually(async () => expect(await groups()).toBe(true));
    announce('2001:db8:1::77');
    client.forget();
    sendFromClient(
      neighborSolicitation('2001:db8:1::77', { etherSource: mac(clientMac), link: mac(clientMac) }),
    );
    await eventually(() => expect(ndps().some(({ kind }) => kind === 'advertisement')).toBe(true));
    expect(await groups()).toBe(true);
    announce();
    await eventually(async () => expect(await groups()).toBe(false));
  });

  it('81, 82: only the interfaces asked for', async () => {
    announce([V4, 'eth9']);
    expect(await whoHas(V4, 300)).toBe('');
    announce([V4, 'eth0']);
    expect(await whoHas(V4)).toBe(nodeMac);
  });

  it('W13, 93: answers again after the interface was down, and on a recreated or new one at once', async () => {
    announce(V4, V6);
    expect(await whoHas(V4)).toBe(nodeMac);
    await segment.ip('node', 'link', 'set', 'eth0', 'down');
    await responder.expect(
      (message) =>
        message.kind === 'interfaces' && message.interfaces.some(({ name, up }) => name === 'eth0' && !up),
    );
    await segment.ip('node', 'link', 'set', 'eth0', 'up');
    expect(await whoHas(V4)).toBe(nodeMac);
    await segment.ip('lan', 'link', 'delete', 'node');
    await responder.expect((message) => message.kind === 'interfaces' && message.interfaces.length === 0);
    await segment.plug('node', 'eth0', 'node');
    const changed = await segment.mac('node');
    expect(await whoHas(V4)).toBe(changed);
    client.forget();
    // Asked again, as every client does: the card's link-local address may still be tentative at the first one.
    const answer = await eventually(() => {
      solicit();
      return advertised();
    });
    expect(formatMac(answer.etherSource)).toBe(changed);
    nodeMac = changed;
  });

  it('announces again when the carrier comes back', async () => {
    announce(V4);
    await whoHas(V4);
    await segment.cut('node');
    await responder.expect(
      (message) => message.kind === 'interfaces' && message.interfaces.some(({ up }) => !up),
    );
    client.forget();
    await segment.heal('node');
    await eventually(() => {
      expect(
        arps().some(({ senderIp, targetIp }) => senderIp.join('.') === V4 && targetIp.join('.') === V4),
      ).toBe(true);
    });
  });

  it('89, 90: not on the port of a bridge, but on the bridge', async () => {
    announce(V4);
    await segment.ip('node', 'link', 'add', 'br1', 'type', 'bridge');
    await segment.ip('node', 'link', 'set', 'eth0', 'master', 'br1');
    await segment.ip('node', 'link', 'set', 'br1', 'up');
    const bridgeMac = await segment.mac('node', 'br1');
    await eventually(async () => expect(await whoHas(V4, 300)).toBe(bridgeMac), 10_000);
    await segment.ip('node', 'link', 'delete', 'br1');
    expect(await whoHas(V4)).toBe(nodeMac);
  });

  it('B20: leaves the address of the node itself to the kernel: one answer', async () => {
    announce('192.0.2.11', V4);
    expect(await whoHas('192.0.2.11')).toBe(nodeMac);
    responder.send({ kind: 'stats' });
    const stats = await responder.expect((message) => message.kind === 'stats');
    expect(stats.kind === 'stats' && stats.counts['192.0.2.11']).toBeUndefined();
  });

  it('ping and ping -6 are answered where it is asked for, and only there', async () => {
    const ping = async (address: string, ...flags: readonly string[]) => {
      const argv = ['ping', '-n', '-c', '2', '-i', '0.2', '-W', '1', ...flags, address];
      const { stdout } = await tryRun(['ip', 'netns', 'exec', segment.netns('client'), ...argv]);
      return /(\d+) received/.exec(stdout)?.[1];
    };
    const hold = (pinged: boolean) =>
      responder.send({
        kind: 'plan',
        entries: [V4, V6].map((address) => ({ ip: address, interfaces: undefined, ping: pinged })),
      });
    hold(false);
    expect(await whoHas(V4)).toBe(nodeMac);
    expect([await ping(V4), await ping(V6)]).toEqual(['0', '0']);
    hold(true);
    await eventually(async () => expect([await ping(V4), await ping(V6)]).toEqual(['2', '2']));
    expect(await ping(V4, '-s', '1400', '-p', 'a5')).toBe('2');
    expect(await ping(V6, '-s', '1400')).toBe('2');
    hold(false);
    await eventually(async () => expect([await ping(V4), await ping(V6)]).toEqual(['0', '0']));
  });

  it('sees another machine that claims the address', async () => {
    announce(V4);
    await whoHas(V4);
    sendFromClient(arpRequest(V4, { source: mac(clientMac), senderMac: mac(clientMac), senderIp: ip(V4) }));
    const seen = await responder.expect((message) => message.kind === 'conflict');
    expect(seen).toEqual({
      kind: 'conflict',
      conflict: { ip: V4, interface: 'eth0', mac: clientMac, state: 'held' },
    });
  });

  it('119: counts requests, responses and gratuitous frames', async () => {
    announce(V4, V6);
    await whoHas(V4);
    solicit();
    await advertisement();
    await eventually(async () => {
      responder.forget();
      responder.send({ kind: 'stats' });
      const stats = await responder.expect((message) => message.kind === 'stats');
      for (const address of [V4, V6]) {
        const counts = stats.kind === 'stats' ? stats.counts[address] : undefined;
        expect(counts?.requests).toBeGreaterThan(0);
        expect(counts?.responses).toBe(counts?.requests);
        expect(counts?.gratuitous).toBeGreaterThan(0);
      }
    });
  });

  it('a storm of foreign requests is dropped by the kernel, not by us', async () => {
    announce(V4);
    await whoHas(V4);
    client.send({ kind: 'storm', ip: '192.0.2.200', perSecond: 5_000 });
    await eventually(async () => expect(await whoHas(V4)).toBe(nodeMac));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    client.send({ kind: 'storm', ip: '192.0.2.200', perSecond: 0 });
    const stormed = await client.expect((message) => message.kind === 'stormed');
    expect(stormed.kind === 'stormed' && stormed.sent).toBeGreaterThan(2_000);
    responder.send({ kind: 'stats' });
    const stats = await responder.expect((message) => message.kind === 'stats');
    expect(stats.kind === 'stats' && (stats.drops['notHeld'] ?? 0)).toBe(0);
  });

  it('stops cleanly and at once, also under load', async () => {
    announce(V4);
    await whoHas(V4);
    client.send({ kind: 'storm', ip: V4, perSecond: 5_000 });
    responder.send({ kind: 'close' });
    const closed = await responder.expect((message) => message.kind === 'closed');
    expect(closed.kind === 'closed' && closed.ms).toBeLessThan(500);
    client.send({ kind: 'storm', ip: V4, perSecond: 0 });
    expect(await responder.ended(2_000)).toBe(0);
  });
});
