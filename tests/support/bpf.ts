/** A small machine for classic BPF programs, as the kernel runs them: for tests of the filters. */
import type { Instruction } from '#core/l2/filter.ts';

export interface PacketFacts {
  readonly ifindex: number;
  readonly vlanTagPresent: boolean;
}

/** Runs the program; the number of bytes it lets through (0: dropped). A load beyond the frame drops it. */
export function runFilter(program: readonly Instruction[], frame: Uint8Array, facts: PacketFacts): number {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  let accumulator = 0;
  for (let pc = 0; ; pc += 1) {
    const { code, jt, jf, k } = program[pc] ?? { code: -1, jt: 0, jf: 0, k: 0 };
    if (code === 0x06) return k;
    else if (code === 0x05) pc += k;
    else if (code === 0x15) pc += accumulator === k ? jt : jf;
    else if (code === 0x25) pc += accumulator > k ? jt : jf;
    else if (code === 0x35) pc += accumulator >= k ? jt : jf;
    else {
      const loaded = load(view, code, k, facts);
      if (loaded === undefined) return 0;
      accumulator = loaded;
    }
  }
}

function load(view: DataView, code: number, offset: number, facts: PacketFacts): number | undefined {
  if (offset === 0xfffff008) return facts.ifindex;
  if (offset === 0xfffff030) return facts.vlanTagPresent ? 1 : 0;
  const size = code === 0x20 ? 4 : code === 0x28 ? 2 : code === 0x30 ? 1 : undefined;
  if (size === undefined) throw new Error(`no such instruction: ${code}`);
  if (offset + size > view.byteLength) return undefined;
  if (size === 4) return view.getUint32(offset);
  return size === 2 ? view.getUint16(offset) : view.getUint8(offset);
}
