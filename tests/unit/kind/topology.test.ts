/** kind/: the values of the topology on Docker. The run itself needs Docker and is not exercised here. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { addressesIn, routeCommands, routerConfig } from '../../../kind/topology.ts';

describe('addresses of a container', () => {
  const inspected = (IPAddress: string, GlobalIPv6Address: string) =>
    JSON.stringify([{ NetworkSettings: { Networks: { kind: { IPAddress, GlobalIPv6Address } } } }]);

  it('are read from docker inspect', () => {
    expect(addressesIn('kind', inspected('172.18.0.2', 'fc00::2'))).toEqual({
      ipv4: '172.18.0.2',
      ipv6: 'fc00::2',
    });
  });

  it('say what to do when the network has one family only', () => {
    expect(() => addressesIn('kind', inspected('172.18.0.2', ''))).toThrow('docker network rm kind');
    expect(() => addressesIn('kind', '[]')).toThrow('not dual-stack');
  });
});

describe('router and routes', () => {
  const router = { ipv4: '172.18.0.9', ipv6: 'fc00::9' };

  it('have a session per node and family', () => {
    const config = routerConfig(router, [{ ipv4: '172.18.0.2', ipv6: 'fc00::2' }]);
    expect(config).toContain('router bgp 64513\n bgp router-id 172.18.0.9\n');
    expect(config).toContain(' neighbor 172.18.0.2 remote-as 64512\n');
    expect(config).toContain(' neighbor fc00::2 remote-as 64512\n');
  });

  it('lead from every node to the client through the router', () => {
    const commands = routeCommands(router, ['w1', 'w2']).map((command) => command.slice(2).join(' '));
    expect(commands).toContain('w1 ip route replace 10.91.0.0/24 via 172.18.0.9');
    expect(commands).toContain('w2 ip -6 route replace fd91::/64 via fc00::9');
    expect(commands).toHaveLength(6);
  });
});

it('cluster.yaml has three workers and both families', () => {
  const path = join(import.meta.dirname, '../../../kind/cluster.yaml');
  const cluster = parse(readFileSync(path, 'utf8')) as {
    networking: { ipFamily: string };
    nodes: readonly { role: string }[];
  };
  expect(cluster.networking.ipFamily).toBe('dual');
  expect(cluster.nodes.filter(({ role }) => role === 'worker')).toHaveLength(3);
});
