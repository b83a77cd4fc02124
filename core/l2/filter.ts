/**
 * Programs for the kernel's packet filter (classic BPF) that let through only what concerns held addresses, so
 * that a storm of foreign requests costs next to nothing. The program may be coarser than the set of held
 * addresses, never narrower; the exact check follows in `respond`.
 */

/** One instruction of `struct sock_filter`. */
export interface Instruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

/** The kernel's limit for one program (BPF_MAXINSNS). */
export const MAX_INSTRUCTIONS = 4_096;

const LOAD_WORD = 0x20;
const LOAD_HALF = 0x28;
const LOAD_BYTE = 0x30;
const JUMP = 0x05;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER = 0x25;
const JUMP_AT_LEAST = 0x35;
const RETURN = 0x06;
/** More than any frame: the whole of it is delivered. */
const WHOLE_FRAME = 0x40000;
/** Ancillary data: offsets at which the kernel shows facts about the packet (SKF_AD_OFF + n). */
const ANCILLARY_IFINDEX = 0xfffff000 + 8;
const ANCILLARY_VLAN_TAG_PRESENT = 0xfffff000 + 48;

const BLOCK = 100;

interface Interval {
  first: number;
  last: number;
}

/**
 * ARP frames whose target or sender address is held, and our own looks around (target 0.0.0.0, same-lan.ts). `held`:
 * IPv4 addresses as unsigned numbers. Frames that the kernel took from a VLAN interface above this one are left to
 * that interface (their index differs).
 */
export function arpFilter(ifindex: number, held: readonly number[], limit = MAX_INSTRUCTIONS): Instruction[] {
  const head = [
    ...onlyUntaggedOf(ifindex),
    ...require(LOAD_HALF, 12, 0x0806),
    ...require(LOAD_WORD, 14, 0x00010800),
    ...require(LOAD_HALF, 18, 0x0604),
  ];
  const ours = [{ code: JUMP_EQUAL, jt: 0, jf: 1, k: 0 }, give(WHOLE_FRAME)];
  const budget = Math.floor((limit - head.length - ours.length - 3) / 2);
  const table = membership(intervals(held, maxIntervals(budget)));
  return [...head, load(LOAD_WORD, 38), ...ours, ...table, load(LOAD_WORD, 28), ...table, give(0)];
}

/**
 * ICMP echo requests for held addresses, in whole datagrams without options. `held`: IPv4 addresses as unsigned
 * numbers, or the last 32 bits of IPv6 addresses.
 */
export function echoFilter(
  family: 'ipv4' | 'ipv6',
  ifindex: number,
  held: readonly number[],
  limit = MAX_INSTRUCTIONS,
): Instruction[] {
  const head =
    family === 'ipv4'
      ? [
          ...onlyUntaggedOf(ifindex),
          ...require(LOAD_HALF, 12, 0x0800),
          ...require(LOAD_BYTE, 14, 0x45),
          ...require(LOAD_BYTE, 23, 1),
          ...require(LOAD_HALF, 34, 0x0800),
          load(LOAD_WORD, 30),
        ]
      : [
          ...onlyUntaggedOf(ifindex),
          ...require(LOAD_HALF, 12, 0x86dd),
          ...require(LOAD_BYTE, 20, 58),
          ...require(LOAD_HALF, 54, 0x8000),
          load(LOAD_WORD, 50),
        ];
  const table = membership(intervals(held, maxIntervals(limit - head.length - 1)));
  return [...head, ...table, give(0)];
}

/** Neighbor solicitations and advertisements for targets whose last 32 bits belong to a held address. */
export function ndpFilter(ifindex: number, held: readonly number[], limit = MAX_INSTRUCTIONS): Instruction[] {
  const head = [
    ...onlyUntaggedOf(ifindex),
    ...require(LOAD_HALF, 12, 0x86dd),
    ...require(LOAD_BYTE, 20, 58),
    ...require(LOAD_BYTE, 21, 255),
    load(LOAD_BYTE, 54),
    { code: JUMP_EQUAL, jt: 2, jf: 0, k: 135 },
    { code: JUMP_EQUAL, jt: 1, jf: 0, k: 136 },
    give(0),
  ];
  const table = membership(intervals(held, maxIntervals(limit - head.length - 2)));
  return [...head, load(LOAD_WORD, 74), ...table, give(0)];
}

/** Lets nothing through: for a socket between its opening and its binding. */
export const nothingFilter: readonly Instruction[] = [give(0)];

function give(k: number): Instruction {
  return { code: RETURN, jt: 0, jf: 0, k };
}

function load(code: number, offset: number): Instruction {
  return { code, jt: 0, jf: 0, k: offset };
}

function require(code: number, offset: number, value: number): Instruction[] {
  return [load(code, offset), { code: JUMP_EQUAL, jt: 1, jf: 0, k: value }, give(0)];
}

function onlyUntaggedOf(ifindex: number): Instruction[] {
  return [
    ...require(LOAD_WORD, ANCILLARY_IFINDEX, ifindex),
    ...require(LOAD_WORD, ANCILLARY_VLAN_TAG_PRESENT, 0),
  ];
}

/** How many intervals fit into a table of so many instructions: two each, three more for each block. */
function maxIntervals(instructions: number): number {
  return Math.max(1, Math.floor((instructions * BLOCK) / (2 * BLOCK + 3)) - 2);
}

/** The numbers as sorted intervals, at most `limit`: beyond that the intervals with the smallest gaps are joined. */
export function intervals(numbers: readonly number[], limit: number): readonly Readonly<Interval>[] {
  const sorted = [...new Set(numbers)].sort((a, b) => a - b);
  const gaps = sorted.slice(1).map((value, index) => value - (sorted[index] ?? 0));
  const largest = [...gaps].sort((a, b) => b - a);
  const joined = Math.max(1, largest[limit - 1] ?? 1);
  const result: Interval[] = [];
  for (const value of sorted) {
    const current = result.at(-1);
    if (current !== undefined && value - current.last <= joined) current.last = value;
    else result.push({ first: value, last: value });
  }
  return result;
}

/** Returns the frame when the accumulator lies in an interval; else falls through to the next instruction after the table. */
function membership(sorted: readonly Readonly<Interval>[]): Instruction[] {
  const blocks: Instruction[][] = [];
  for (let start = 0; start < sorted.length; start += BLOCK)
    blocks.push(block(sorted.slice(start, start + BLOCK)));
  let rest = blocks.reduce((sum, block) => sum + block.length, 0);
  return blocks.flatMap((block) => {
    rest -= block.length;
    return block.map((instruction) =>
      instruction.code === JUMP ? { ...instruction, k: rest + 1 } : instruction,
    );
  });
}

/** Skips itself when the accumulator is beyond its last interval; ends with the jump out of the table and the return. */
function block(part: readonly Readonly<Interval>[]): Instruction[] {
  const body = part.flatMap(({ first, last }, index): Instruction[] => {
    const toJump = 2 * (part.length - index - 1);
    return [
      { code: JUMP_GREATER, jt: 1, jf: 0, k: last },
      { code: JUMP_AT_LEAST, jt: toJump + 1, jf: toJump, k: first },
    ];
  });
  const skip = { code: JUMP_GREATER, jt: body.length + 2, jf: 0, k: part.at(-1)?.last ?? 0 };
  return [skip, ...body, { code: JUMP, jt: 0, jf: 0, k: 0 }, give(WHOLE_FRAME)];
}
