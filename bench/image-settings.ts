/** How the image starts a program, so that a bench starts it in the same way. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Node's flags and the environment that `image/bin/PROGRAM` sets. */
export function imageSettings(program: 'controller' | 'speaker'): {
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
} {
  const script = readFileSync(join(import.meta.dirname, '../image/bin', program), 'utf8');
  const words = (line: RegExp): string[] => {
    const found = line.exec(script)?.[1]?.trim() ?? '';
    return found === '' ? [] : found.split(/\s+/);
  };
  const flags = words(/^exec node (.*?)\/app\//m);
  const variables = words(/^export (.*)$/m).map((word) => word.split('='));
  return { flags, env: Object.fromEntries(variables) as Record<string, string> };
}
