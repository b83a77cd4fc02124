/** Full level: may this machine carry it, and what its nodes are configured with. */
import { describe, expect, it } from 'vitest';
import { parseAddress } from '#core/model/ip.ts';
import { containerdConfig, kubeletConfig, podNetwork } from '#lab/full/config.ts';
import { firstPodAddresses, podAddresses } from '#lab/net/plan.ts';
import { nodeFiles, nodesFolder, nodesFolderOf } from '#lab/full/files.ts';
import { canRunFull, type Machine } from '#lab/full/probe.ts';

const CGROUP_V1 = ['cpu', 'memory', 'pids', 'devices']
  .map((name) => `cgroup /sys/fs/cgroup/${name} cgroup rw,relatime,${name} 0 0`)
  .join('\n');
const FILES: Readonly<Record<string, string>> = {
  '/proc/mounts': CGROUP_V1,
  '/proc/filesystems': 'nodev\ttmpfs\nnodev\toverlay\n',
  '/proc/meminfo': 'MemTotal: 8000000 kB\nMemAvailable:    4000000 kB\n',
};

function machine(changes: Partial<Machine> = {}, files: Readonly<Record<string, string>> = {}): Machine {
  const all: Readonly<Record<string, string>> = { ...FILES, ...files };
  return {
    root: true,
    has: () => true,
    read: (path) => all[path] ?? '',
    exists: (path) => all[path] !== undefined,
    ...changes,
  };
}

describe('canRunFull', () => {
  it('is content with cgroups of either version', () => {
    expect(canRunFull(machine())).toEqual({ able: true, reasons: [] });
    const unified = {
      '/proc/mounts': '',
      '/sys/fs/cgroup/cgroup.controllers': 'cpuset cpu io memory pids\n',
    };
    expect(canRunFull(machine({}, unified))).toEqual({ able: true, reasons: [] });
  });

  it('does not count packages that apt-get can install', () => {
    const bare = machine({ has: (command) => command === 'apt-get' });
    expect(canRunFull(bare).able).toBe(true);
  });

  it.each([
    ['root', machine({ root: false }), 'root is needed'],
    ['containerd', machine({ has: (command) => command === 'runc' }), 'containerd is missing'],
    ['a controller', machine({}, { '/proc/mounts': CGROUP_V1.replaceAll('pids', 'x') }), 'controller pids'],
    [
      'a controller of v2',
      machine({}, { '/sys/fs/cgroup/cgroup.controllers': 'cpu pids' }),
      'controller memory',
    ],
    ['overlay', machine({}, { '/proc/filesystems': 'nodev\ttmpfs\n' }), 'no overlay'],
    ['memory', machine({}, { '/proc/meminfo': 'MemAvailable: 1048576 kB\n' }), '1.0 GiB of memory are free'],
    ['a machine of its own', machine({}, { '/var/lib/kubelet/config.yaml': '' }), 'a Kubernetes node itself'],
  ])('names the lack of %s', (_name, lacking, words) => {
    const { able, reasons } = canRunFull(lacking);
    expect(able).toBe(false);
    expect(reasons.join('\n')).toContain(words);
  });
});

describe('configuration of a node', () => {
  const files = nodeFiles('/data/node2');

  it('keeps everything of containerd and runc in the folder of the node', () => {
    const text = containerdConfig(files);
    for (const line of [
      'root = "/data/node2/containerd/root"',
      'state = "/data/node2/containerd/state"',
      'address = "/data/node2/containerd.sock"',
      'conf_dir = "/data/node2/cni"',
      'Root = "/data/node2/runc"',
    ])
      expect(text).toContain(line);
  });

  it('gives pods of a node addresses of its two ranges', () => {
    const { name, plugins } = JSON.parse(podNetwork('mlb-x', 2, files)) as {
      name: string;
      plugins: readonly { ipam?: { ranges: unknown } }[];
    };
    expect(name).toBe('metallb-lab.mlb-x');
    expect(plugins[0]?.ipam?.ranges).toEqual([
      [{ subnet: '10.244.2.0/24', rangeStart: '10.244.2.32' }],
      [{ subnet: 'fd00:10:244:2::/64', rangeStart: 'fd00:10:244:2::32' }],
    ]);
  });

  it('gives no pod an address that the node itself has', () => {
    const value = (text: string): bigint => parseAddress(text)?.value ?? 0n;
    const [own, first] = [podAddresses(2), firstPodAddresses(2)];
    expect(value(first.ipv4)).toBeGreaterThan(value(own.ipv4));
    expect(value(first.ipv6)).toBeGreaterThan(value(own.ipv6));
  });

  it('lets only the API server call the kubelet', () => {
    const config = JSON.parse(kubeletConfig(files, '/pki/ca.crt')) as { authentication: unknown };
    expect(config.authentication).toEqual({
      anonymous: { enabled: false },
      webhook: { enabled: false },
      x509: { clientCAFile: '/pki/ca.crt' },
    });
  });

  it('is found from the lab by name or by its folder', () => {
    expect(nodesFolderOf('/run/metallb-ts-lab/mlb-x')).toBe(nodesFolder('mlb-x'));
  });
});
