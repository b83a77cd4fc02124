/** Everything the responder sends, read by somebody else's decoder: tshark. */
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run, tryRun } from '#lab/process/run.ts';
import { quiet } from '#lab/report.ts';
import { findCommand, installPackages } from '#lab/system/packages.ts';
import { eventually } from '#tests/support/eventually.ts';
import { startResponder, type ResponderProcess } from '#tests/support/l2-processes.ts';
import { Segment } from '#tests/support/netns.ts';

const V4 = '192.0.2.77';
const V6 = '2001:db8::77';
const segment = new Segment('l2w');
const folder = mkdtempSync(join(tmpdir(), 'metallb-wire-'));
const file = join(folder, 'wire.pcap');
let responder: ResponderProcess;
let nodeMac = '';
let clientMac = '';
let packets: Packet[] = [];

/** What tshark says about one frame, by field; a field may be there several times. */
type Packet = Readonly<Record<string, readonly string[]>>;

const FIELDS = [
  'eth.src',
  'eth.dst',
  'frame.len',
  'arp.opcode',
  'arp.src.hw_mac',
  'arp.src.proto_ipv4',
  'arp.dst.hw_mac',
  'arp.dst.proto_ipv4',
  'ip.src',
  'ip.dst',
  'ip.ttl',
  'ip.checksum.status',
  'ipv6.src',
  'ipv6.dst',
  'ipv6.hlim',
  'icmp.type',
  'icmp.checksum.status',
  'icmpv6.type',
  'icmpv6.checksum.status',
  'icmpv6.nd.na.target_address',
  'icmpv6.nd.ns.target_address',
  'icmpv6.nd.na.flag.s',
  'icmpv6.nd.na.flag.o',
  'icmpv6.nd.na.flag.r',
  'icmpv6.opt.linkaddr',
  '_ws.malformed',
  '_ws.expert.message',
] as const;

async function decode(): Promise<Packet[]> {
  const output = await run([
    'tshark',
    '-r',
    file,
    '-o',
    'ip.check_checksum:TRUE',
    '-T',
    'fields',
    '-E',
    'separator=|',
    ...FIELDS.flatMap((field) => ['-e', field]),
  ]);
  return output.split('\n').flatMap((line) => {
    if (line === '') return [];
    const values = line.split('|');
    return [Object.fromEntries(FIELDS.map((field, at) => [field, values[at]?.split(',') ?? []])) as Packet];
  });
}

async function inClient(...argv: readonly string[]): Promise<void> {
  await tryRun(['ip', 'netns', 'exec', segment.netns('client'), ...argv]);
}

/** Everything is sent once: probes, announcements, answers of all kinds. */
beforeAll(async () => {
  if (findCommand('tshark') === undefined) await installPackages(['tshark'], quiet);
  await segment.up();
  await segment.host('node', '192.0.2.11/24', '2001:db8::11/64');
  await segment.host('client', '192.0.2.1/24', '2001:db8::1/64');
  await segment.plug('node', 'eth1', 'node1');
  nodeMac = await segment.mac('node');
  clientMac = await segment.mac('client');
  const netns = ['netns', 'exec', segment.netns('client')];
  const capture = spawn(
    'ip',
    [...netns, 'tcpdump', '-i', 'eth0', '-U', '-s', '0', '-Z', 'root', '-w', file, 'arp or icmp or icmp6'],
    { stdio: 'ignore' },
  );
  await eventually(() => expect(existsSync(file) && statSync(file).size).toBeGreaterThan(0));
  responder = await startResponder(segment.netns('node'), { timing: { rounds: 2, spacing: 100, period: 0 } });
  responder.send({
    kind: 'plan',
    entries: [V4, V6].map((ip) => ({ ip, interfaces: undefined, probe: true, ping: true })),
  });
  await eventually(async () => {
    await inClient('arping', '-i', 'eth0', '-c', '1', V4);
    await inClient('ndisc6', '-1', '-r', '1', '-w', '300', V6, 'eth0');
    await inClient('ping', '-n', '-c', '1', '-W', '1', V4);
    await inClient('ping', '-n', '-c', '1', '-W', '1', V6);
    packets = (await decode()).filter((packet) => packet['eth.src']?.includes(nodeMac));
    expect(of({ 'icmp.type': '0' }).length).toBeGreaterThan(0);
    expect(of({ 'icmpv6.type': '129' }).length).toBeGreaterThan(0);
    expect(of({ 'icmpv6.type': '136', 'icmpv6.nd.na.flag.s': '1' }).length).toBeGreaterThan(0);
  }, 20_000);
  capture.kill('SIGTERM');
});
afterAll(async () => {
  await responder?.kill('SIGKILL');
  await segment.down();
  rmSync(folder, { recursive: true });
});

/** The node's packets with these values. */
function of(fields: Readonly<Record<string, string>>): Packet[] {
  return packets.filter((packet) =>
    Object.entries(fields).every(
      ([field, value]) => packet[field]?.length === 1 && packet[field]?.[0] === value,
    ),
  );
}

const BROADCAST = 'ff:ff:ff:ff:ff:ff';
const NOBODY = '00:00:00:00:00:00';

describe('what tshark reads', () => {
  it('nothing is malformed, every checksum is right, and there is nothing to remark', () => {
    expect(packets.length).toBeGreaterThan(10);
    for (const packet of packets) {
      expect(packet['_ws.malformed']).toEqual(['']);
      for (const field of ['ip.checksum.status', 'icmp.checksum.status', 'icmpv6.checksum.status'])
        expect(['', '1'], field).toContain(packet[field]?.[0]);
      // tshark says so of every packet that asks, when it has seen no answer.
      const remarks = packet['_ws.expert.message']?.filter((text) => !/^$|No response/.test(text));
      expect(remarks).toEqual([]);
    }
  });

  it('ARP: probes, announcements and an answer', () => {
    const own = { 'arp.src.hw_mac': nodeMac, 'frame.len': '60' };
    const probes = of({
      ...own,
      'arp.opcode': '1',
      'arp.src.proto_ipv4': '0.0.0.0',
      'arp.dst.proto_ipv4': V4,
    });
    expect(probes).toHaveLength(3);
    for (const packet of probes)
      expect(packet).toMatchObject({ 'eth.dst': [BROADCAST], 'arp.dst.hw_mac': [NOBODY] });
    for (const operation of ['1', '2'])
      expect(
        of({
          ...own,
          'eth.dst': BROADCAST,
          'arp.opcode': operation,
          'arp.src.proto_ipv4': V4,
          'arp.dst.hw_mac': BROADCAST,
          'arp.dst.proto_ipv4': V4,
        }),
      ).toHaveLength(2);
    expect(
      of({
        ...own,
        'eth.dst': clientMac,
        'arp.opcode': '2',
        'arp.src.proto_ipv4': V4,
        'arp.dst.hw_mac': clientMac,
        'arp.dst.proto_ipv4': '192.0.2.1',
      }).length,
    ).toBeGreaterThan(0);
  });

  it('ARP: a look around asks nobody', () => {
    const looks = of({ 'arp.opcode': '1', 'arp.src.proto_ipv4': '0.0.0.0', 'arp.dst.proto_ipv4': '0.0.0.0' });
    expect(looks.length).toBeGreaterThan(0);
    for (const packet of looks) expect(packet['eth.dst']).toEqual([BROADCAST]);
  });

  it('NDP: probes, announcements and an answer, all with hop limit 255', () => {
    const asked = { 'icmpv6.type': '135', 'icmpv6.nd.ns.target_address': V6, 'ipv6.hlim': '255' };
    const probes = of({
      ...asked,
      'ipv6.src': '::',
      'ipv6.dst': 'ff02::1:ff00:77',
      'eth.dst': '33:33:ff:00:00:77',
    });
    expect(probes).toHaveLength(3);
    const told = {
      'icmpv6.type': '136',
      'icmpv6.nd.na.target_address': V6,
      'ipv6.hlim': '255',
      'ipv6.src': V6,
      'icmpv6.opt.linkaddr': nodeMac,
      'icmpv6.nd.na.flag.o': '1',
      'icmpv6.nd.na.flag.r': '0',
    };
    expect(
      of({ ...told, 'icmpv6.nd.na.flag.s': '0', 'ipv6.dst': 'ff02::1', 'eth.dst': '33:33:00:00:00:01' }),
    ).toHaveLength(2);
    expect(of({ ...told, 'icmpv6.nd.na.flag.s': '1', 'eth.dst': clientMac }).length).toBeGreaterThan(0);
  });

  it('ICMP echo of both families', () => {
    const four = { 'icmp.type': '0', 'ip.src': V4, 'ip.dst': '192.0.2.1', 'ip.ttl': '64' };
    expect(of({ ...four, 'eth.dst': clientMac, 'ip.checksum.status': '1' }).length).toBeGreaterThan(0);
    const six = { 'icmpv6.type': '129', 'ipv6.src': V6, 'ipv6.dst': '2001:db8::1', 'ipv6.hlim': '64' };
    expect(of({ ...six, 'eth.dst': clientMac }).length).toBeGreaterThan(0);
  });
});
