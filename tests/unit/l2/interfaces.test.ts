import { describe, expect, it } from 'vitest';
import { compileExclusions, usableInterfaces } from '#core/l2/interfaces.ts';
import type { InterfaceAddress, Link } from '#core/l2/netlink.ts';
import { ip, mac } from '#tests/support/frames.ts';

const UP = 0x1 | 0x2 | 0x1000 | 0x10000;

function link(index: number, name: string, fields: Partial<Link> = {}): Link {
  return {
    index,
    name,
    mac: mac('02:00:00:00:00:01'),
    flags: UP,
    master: 0,
    slaveKind: '',
    kind: '',
    ...fields,
  };
}

function one(fields: Partial<Link>, addresses: readonly InterfaceAddress[] = []) {
  const links = new Map([[1, link(1, 'eth0', fields)]]);
  return usableInterfaces({ links, addresses }, () => false)[0];
}

describe('interfaces that answer (speaker-l2.md §5.2)', () => {
  it('92: one without any address answers ARP', () => {
    expect(one({})).toMatchObject({ not: undefined, arp: true, carrier: true, ndp: false });
  });

  it.each([
    ['88: down', { flags: 0x2 }, 'down'],
    ['89: bond slave', { master: 2, slaveKind: 'bond' }, 'enslaved'],
    ['90: bridge port', { master: 2, slaveKind: 'bridge' }, 'enslaved'],
    ['W14: VRF member', { master: 2, slaveKind: 'vrf' }, undefined],
    ['91: NOARP', { flags: UP | 0x80 }, 'noArp'],
    ['IPoIB', { mac: new Uint8Array(20) }, 'noEthernetAddress'],
    ['loopback', { flags: 0x1 | 0x8 | 0x10000, mac: new Uint8Array(6) }, 'noEthernetAddress'],
    ['WireGuard', { mac: new Uint8Array() }, 'noEthernetAddress'],
  ] as const)('%s', (_, fields, expected) => {
    expect(one(fields)?.not).toBe(expected);
  });

  it('does not answer ARP without the broadcast flag, and sees a lost carrier', () => {
    expect(one({ flags: 0x1 | 0x10000 })).toMatchObject({ arp: false, not: undefined });
    expect(one({ flags: 0x1 | 0x2 })?.carrier).toBe(false);
  });

  it('answers NDP where the kernel has an IPv6 address, also a tentative one (W25)', () => {
    expect(one({}, [{ index: 1, bytes: ip('fe80::1') }])).toMatchObject({ ndp: true });
    expect(one({}, [{ index: 2, bytes: ip('fe80::1') }])).toMatchObject({ ndp: false });
    expect(one({}, [{ index: 1, bytes: ip('192.0.2.1') }])).toMatchObject({ ndp: false });
  });

  it('excludes by patterns that match anywhere, and sorts by name', () => {
    const links = new Map(
      ['veth0', 'eth1', 'lo', 'eth0'].map((name, index) => [index, link(index, name)] as const),
    );
    const excluded = compileExclusions(['^veth.*', '^lo$']);
    const names = usableInterfaces({ links, addresses: [] }, excluded as (name: string) => boolean);
    expect(names.map((usable) => usable.link.name)).toEqual(['eth0', 'eth1']);
    expect((compileExclusions(['']) as (name: string) => boolean)('eth0')).toBe(true);
    expect((compileExclusions([]) as (name: string) => boolean)('eth0')).toBe(false);
    expect(compileExclusions(['('])).toHaveProperty('error');
  });
});
