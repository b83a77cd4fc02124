/** What a lab may have left on the machine, found without the lab's own records. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';

function processesThatName(text: string): readonly string[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && entry !== String(process.pid))
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return command.includes(text) ? [`process ${pid}: ${command.slice(0, 120)}`] : [];
      } catch {
        return [];
      }
    });
}

/** Namespaces, mounts, processes and files of a lab; empty when nothing is left. */
export function remainsOf(name: string): readonly string[] {
  const folder = `/run/metallb-ts-lab/${name}`;
  const namespaces = existsSync('/run/netns') ? readdirSync('/run/netns') : [];
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return [
    ...namespaces.filter((entry) => entry.startsWith(`${name}-`)).map((entry) => `namespace ${entry}`),
    ...mounts.filter((line) => line.includes(`${folder}/`)).map((line) => `mount ${line}`),
    ...processesThatName(`${folder}/`),
    ...(existsSync(folder) ? [`folder ${folder}`] : []),
  ];
}
