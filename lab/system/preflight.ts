/** Can a lab run on this machine? Tried out in a namespace that is gone afterwards; a "no" is one line. */
import { existsSync } from 'node:fs';
import { LabError } from '#lab/errors.ts';
import { lastLines, tryRun } from '#lab/process/run.ts';

interface Probe {
  readonly feature: string;
  readonly argv: (netns: string) => readonly string[];
}

const PROBES: readonly Probe[] = [
  { feature: 'network namespaces', argv: (netns) => ['ip', 'netns', 'add', netns] },
  { feature: 'bridges', argv: (netns) => ['ip', '-n', netns, 'link', 'add', 'br0', 'type', 'bridge'] },
  {
    feature: 'veth links',
    argv: (netns) => ['ip', '-n', netns, 'link', 'add', 'veth0', 'type', 'veth', 'peer', 'name', 'veth1'],
  },
  {
    feature: 'nftables with address translation',
    argv: (netns) => [
      'nsenter',
      `--net=/run/netns/${netns}`,
      'nft',
      'add table ip t; add chain ip t c { type nat hook prerouting priority 0 ; }',
    ],
  },
  {
    feature: 'packet sockets',
    argv: (netns) => ['nsenter', `--net=/run/netns/${netns}`, 'cat', '/proc/net/packet'],
  },
  {
    feature: 'IPv6',
    argv: (netns) => ['ip', '-n', netns, '-6', 'addr', 'add', 'fd90::1/64', 'dev', 'br0', 'nodad'],
  },
];

/** @throws LabError when the machine lacks something, before anything is made. */
export function assertRoot(): void {
  if (process.platform !== 'linux' || !existsSync('/proc/self/stat'))
    throw new LabError(`the lab needs Linux with /proc; this is ${process.platform}`);
  if (process.getuid?.() !== 0)
    throw new LabError('the lab makes network namespaces and must run as root: use sudo');
}

/** @throws LabError naming the kernel feature that does not work and what the kernel said. */
export async function assertKernel(lab: string): Promise<void> {
  const netns = `${lab}-probe-${process.pid}`;
  try {
    for (const probe of PROBES) {
      const result = await tryRun(probe.argv(netns));
      if (result.code !== 0)
        throw new LabError(
          `this kernel cannot do what the lab needs (${probe.feature}): ${result.failure ?? lastLines(result.stderr, 1)}`,
        );
    }
  } finally {
    await tryRun(['ip', 'netns', 'delete', netns]);
  }
}
