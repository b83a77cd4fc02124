/** From changes to what is typed: one configuration session that walks from block to block. */
import type { Change } from '#core/frr/diff.ts';

export interface Step {
  readonly command: string;
  /** Absent for the commands that only move between blocks. */
  readonly change: Change | undefined;
}

/** The commands for a list of changes, from `configure terminal` to `end`; none for no changes. */
export function commandsFor(changes: readonly Change[]): Step[] {
  if (changes.length === 0) return [];
  const steps: Step[] = [{ command: 'configure terminal', change: undefined }];
  let path: readonly string[] = [];
  for (const change of changes) {
    const shared = sharedDepth(path, change.path);
    for (let depth = path.length; depth > shared; depth -= 1)
      steps.push({ command: 'exit', change: undefined });
    for (const header of change.path.slice(shared)) steps.push({ command: header, change });
    path = change.path;
    if (change.command !== '') steps.push({ command: change.command, change });
  }
  steps.push({ command: 'end', change: undefined });
  return steps;
}

function sharedDepth(a: readonly string[], b: readonly string[]): number {
  let depth = 0;
  while (depth < a.length && depth < b.length && a[depth] === b[depth]) depth += 1;
  return depth;
}

/** A command or message with whatever follows the word `password` hidden: for logs, status and errors. */
export function redact(text: string): string {
  return text.replace(/(password\s+)\S+/g, '$1<hidden>');
}
