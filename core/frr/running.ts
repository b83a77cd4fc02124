/**
 * What FRR runs, daemon by daemon. `show running-config` of vtysh merges the daemons' answers: after bgpd alone
 * was restarted, it still shows the route-maps that other daemons keep. So each daemon is asked for its own.
 */
import { parseConfig, type Block, type ConfigTree } from '#core/frr/tree.ts';

/** The daemons that hold what we write, in the order of `readRunning`'s argument. */
export const DAEMONS = ['bgpd', 'bfdd', 'zebra'] as const;

export type Running =
  | { readonly kind: 'running'; readonly tree: ConfigTree }
  | { readonly kind: 'absent'; readonly daemon: string };

/** The command whose answers `readRunning` takes. */
export function runningCommand(daemon: (typeof DAEMONS)[number]): string {
  return `show running-config ${daemon}`;
}

/** Puts the answers of the daemons together; `absent` when one of them does not answer for itself. */
export function readRunning(answers: readonly string[]): Running {
  const absent = DAEMONS.find((_, i) => answers[i]?.includes('\nfrr version ') !== true);
  if (absent !== undefined) return { kind: 'absent', daemon: absent };
  const [bgpd, bfdd, zebra] = answers.map(parseConfig) as [ConfigTree, ConfigTree, ConfigTree];
  const tree = new Map<string, Block>();
  for (const [key, block] of zebra) if (!isBgp(block.path)) tree.set(key, block);
  for (const [key, block] of bfdd) if (block.path[0] === 'bfd') tree.set(key, block);
  for (const [key, block] of bgpd) if (block.path[0] !== 'bfd') tree.set(key, block);
  tree.set('', { path: [], lines: topLines([bgpd, bfdd, zebra]) });
  return { kind: 'running', tree };
}

function isBgp([header = '']: readonly string[]): boolean {
  return header.startsWith('router bgp ') || header.startsWith('route-map ') || header === 'bfd';
}

/** A line of the log counts only when all daemons have it; policy lines count when bgpd has them. */
function topLines(trees: readonly ConfigTree[]): ReadonlyMap<string, string> {
  const [bgpd, ...others] = trees.map((tree) => tree.get('')?.lines ?? new Map<string, string>());
  const lines = new Map<string, string>();
  for (const [slot, line] of [...(bgpd ?? []), ...others.flatMap((each) => [...each])]) {
    const inAll = [bgpd, ...others].every((each) => each?.get(slot) === line);
    const isPolicy = /^(no )?(bgp|ip|ipv6) /.test(line);
    if (line.startsWith('log ') ? inAll : !isPolicy || bgpd?.get(slot) === line || /^ipv?6? nht/.test(line))
      lines.set(slot, line);
  }
  return lines;
}
