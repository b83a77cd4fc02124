/** What the planner must know of FRR's configuration language: blocks, and which lines replace each other. */

const TOP_BLOCK =
  /^(router \S+|route-map \S+ (permit|deny) \d+$|bfd$|vrf \S+$|interface \S+|line \S+|key chain |nexthop-group |segment-routing$|mpls ldp$)/;
const AF_BLOCK = /^(address-family |vni \d+$)/;
const BFD_BLOCK = /^(profile|peer) /;

/** Lines that end whatever block stands open (FRR reads them at the top level when the block does not know them). */
const TOP_LINE =
  /^(no )?(ip|ipv6) (prefix-list|access-list|nht|forwarding)\b|^(no )?bgp (community-list|large-community-list|extcommunity-list|as-path access-list|route-map delay-timer)\b|^(no )?(log|debug|hostname|frr|service|access-list|domainname)\b/;

/** True when the line begins a block inside the block with this path. */
export function opensBlock(path: readonly string[], line: string): boolean {
  const parent = path[0];
  if (parent === undefined) return TOP_BLOCK.test(line);
  if (path.length > 1) return false;
  return (parent.startsWith('router ') && AF_BLOCK.test(line)) || (parent === 'bfd' && BFD_BLOCK.test(line));
}

/** True when the line belongs to the top level although a block stands open. */
export function isTopLine(path: readonly string[], line: string): boolean {
  return path.length > 0 && !path[0]?.startsWith('vrf ') && (TOP_LINE.test(line) || TOP_BLOCK.test(line));
}

/** Identity of a block: an entry of a route-map is the same one whether it permits or denies. */
export function blockKey(path: readonly string[]): string {
  return path.map((header) => header.replace(/^(route-map \S+) (?:permit|deny) /, '$1 ')).join('\n');
}

/** [lines, their slot, whether `no <slot>` removes them]. The first group of the pattern is the slot. */
type SlotRule = readonly [pattern: RegExp, removeBySlot: boolean];

const routerRules: readonly SlotRule[] = [
  [/^(network \S+)/, true],
  [/^(neighbor \S+ (?:local-as|port|password|update-source|timers connect|description))\b/, true],
  [/^(neighbor \S+ timers)\b/, true],
  [/^(neighbor \S+ (?:bfd profile|ebgp-multihop|maximum-prefix|weight))\b/, false],
  [/^(bgp router-id)\b/, true],
];
const profileRules: readonly SlotRule[] = [[/^(.*\S) \d+$/, false]];
const routeMapRules: readonly SlotRule[] = [
  [
    /^(set (?:community|large-community|local-preference|tag|metric|weight|as-path prepend|extcommunity bandwidth))\b/,
    false,
  ],
  [/^(match (?:tag|ip address|ipv6 address|community))\b/, false],
];
const topRules: readonly SlotRule[] = [
  [/^(log (?:stdout|timestamp precision))\b/, true],
  [/^(bgp route-map delay-timer)\b/, true],
  [/^((?:ip|ipv6) prefix-list \S+ seq \d+)\b/, false],
];

function rulesFor(path: readonly string[]): readonly SlotRule[] {
  const [head = '', inner = ''] = path;
  if (head.startsWith('router ')) return routerRules;
  if (head.startsWith('route-map ')) return routeMapRules;
  if (inner.startsWith('profile ')) return profileRules;
  return head === '' ? topRules : [];
}

const REMOTE_AS = /^(neighbor \S+)(?: interface(?: v6only)?)? remote-as \S+$/;
const FILTER = /^(neighbor \S+ (?:route-map|prefix-list|filter-list)) \S+ (in|out)$/;

/** `network P`, whatever follows. */
function networkSlot(line: string): string {
  const end = line.indexOf(' ', 'network '.length);
  return end === -1 ? line : line.slice(0, end);
}

/** What a line sets: two lines of one block with the same slot replace each other. `no X` shares the slot of X. */
export function slotOf(path: readonly string[], line: string): string {
  if (line.startsWith('network ')) return networkSlot(line);
  const positive = line.replace(/^no /, '');
  const base = REMOTE_AS.exec(positive);
  if (base !== null) return `${base[1]} remote-as`;
  const filter = FILTER.exec(positive);
  if (filter !== null) return `${filter[1]} ${filter[2]}`;
  for (const [pattern] of rulesFor(path)) {
    const match = pattern.exec(positive);
    if (match?.[1] !== undefined) return match[1];
  }
  return positive;
}

/** The command that takes a line away again. */
export function removalOf(path: readonly string[], line: string): string {
  if (line.startsWith('no ')) return line.slice(3);
  const rule = rulesFor(path).find(([pattern]) => pattern.test(line));
  const slot = rule?.[0].exec(line)?.[1];
  return rule?.[1] === true && slot !== undefined ? `no ${slot}` : `no ${line}`;
}

/** The neighbour a line of a router block is about. */
export function neighborOf(line: string): string | undefined {
  return /^(?:no )?neighbor (\S+) /.exec(line)?.[1];
}

/** True for the line that makes a neighbour exist. */
export function isNeighborBase(line: string): boolean {
  return REMOTE_AS.test(line);
}
