/**
 * What FRR runs, daemon by daemon. `show running-config` of vtysh merges the daemons' answers: after bgpd alone
 * was restarted, it still shows the route-maps that other daemons keep. So each daemon is asked for its own.
 */
import { parseConfig, type Block, type ConfigTree } from '#core/frr/tree.ts';

/** The daemons that hold what we write; none of them may be missing. */
const HOLDERS = ['bgpd', 'bfdd', 'zebra'] as const;

/**
 * All that are asked, in the order of `readRunning`'s argument. mgmtd keeps the lines of users that belong to no
 * daemon of ours, such as static routes.
 */
export const DAEMONS = [...HOLDERS, 'mgmtd'] as const;

export type Running =
  | { readonly kind: 'running'; readonly tree: ConfigTree }
  | { readonly kind: 'absent'; readonly daemon: string };

/** The command whose answers `readRunning` takes. */
export function runningCommand(daemon: (typeof DAEMONS)[number]): string {
  return `show running-config ${daemon}`;
}

/** Puts the answers of the daemons together; `absent` when one of those that we need does not answer for itself. */
export function readRunning(answers: readonly string[]): Running {
  const absent = HOLDERS.find((_, i) => answers[i]?.includes('\nfrr version ') !== true);
  if (absent !== undefined) return { kind: 'absent', daemon: absent };
  const [bgpd, bfdd, zebra] = answers.map(parseConfig) as [ConfigTree, ConfigTree, ConfigTree];
  const mgmtd = parseConfig(answers[HOLDERS.length] ?? '');
  const tree = new Map<string, Block>();
  for (const [key, block] of zebra) if (!isBgp(block.path)) tree.set(key, block);
  for (const [key, block] of mgmtd) if (isVrf(block.path)) tree.set(key, united(tree.get(key), block));
  for (const [key, block] of bfdd) if (block.path[0] === 'bfd') tree.set(key, block);
  for (const [key, block] of bgpd) if (block.path[0] !== 'bfd') tree.set(key, block);
  const top = { path: [], lines: topLines([bgpd, bfdd, zebra]) };
  tree.set('', united(top, keptByMgmtd(mgmtd)));
  return { kind: 'running', tree };
}

function keptByMgmtd(tree: ConfigTree): Block {
  const lines = [...(tree.get('')?.lines ?? [])].filter(([, line]) => KEPT_BY_MGMTD.test(line));
  return { path: [], lines: new Map(lines) };
}

/** Top-level lines that no daemon of ours shows. */
const KEPT_BY_MGMTD = /^(no )?ipv?6? (route|mroute|protocol) /;

function isVrf([header = '']: readonly string[]): boolean {
  return header.startsWith('vrf ');
}

function united(known: Block | undefined, more: Block): Block {
  return { path: more.path, lines: new Map([...(known?.lines ?? []), ...more.lines]) };
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
