/** Finds programs of a lab by the network namespace they run in and a word of their command line. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';

/** Host pids of processes in the network namespace of that name whose command line contains `word`. */
export function pidsIn(netns: string, word: string): number[] {
  const inode = statSync(`/run/netns/${netns}`).ino;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => readOr(() => readlinkSync(`/proc/${pid}/ns/net`)) === `net:[${inode}]`)
    .filter((pid) =>
      readOr(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
        .replaceAll('\0', ' ')
        .includes(word),
    )
    .map(Number);
}

/** A process may end while it is looked at. */
function readOr(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}

/** Kills without warning what is found; returns how many. */
export function killIn(netns: string, word: string): number {
  const pids = pidsIn(netns, word);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  return pids.length;
}
