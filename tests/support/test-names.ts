/** Names of tests, read from their source: what they say they cover. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

/** Names of the tests in these files and folders; each row of an `it.each` counts, `%s` replaced by its first cell. */
export function testNames(paths: readonly string[]): string[] {
  return paths.flatMap(filesOf).flatMap((file) => namesIn(readFileSync(file, 'utf8')));
}

function filesOf(path: string): string[] {
  const whole = join(root, path);
  if (path.endsWith('.ts')) return [whole];
  const found = readdirSync(whole, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.test.ts'),
  );
  if (found.length === 0) throw new Error(`no tests in ${path}`);
  return found.map((name) => join(whole, name));
}

const TEST = /\bit(?:\.each(?:<[^(]*>)?\((?:\w+|([\s\S]*?)\n? *\](?: as const)?)\))?\(\s*(['"`])(.*?)\2/g;

/** Names in a source text. */
export function namesIn(source: string): string[] {
  return [...source.matchAll(TEST)].flatMap(([, table, , name = '']) => {
    if (table === undefined || !name.includes('%s')) return [name];
    const cells = [...table.matchAll(/\[\s*(['"`])(.*?)\1/g)].map(([, , cell = '']) => cell);
    return cells.length === 0 ? [name] : cells.map((cell) => name.replace('%s', () => cell));
  });
}

/** `116, 155, B10 E1: …` → 116, 155, `B10 E1`; also `73 no keys: …` → 73. */
export function itemsOf(name: string): string[] {
  const [head = ''] = name.split(':');
  return head.split(',').flatMap((part) => /^\s*([A-C]\d\d E\d+|E\d+|\d+(?![.\d]))/.exec(part)?.[1] ?? []);
}

/** Numbers of speaker-bgp.md §9: `#41 #42 eBGP …` → 41, 42. */
export function behavioursOf(name: string): number[] {
  return [...name.matchAll(/#(\d+)/g)].map(([, number]) => Number(number));
}

/** Field cases with their expectations: `A24 E1 to E3, B26 E4, E5: …` → A24 E1, A24 E2, A24 E3, B26 E4, B26 E5. */
export function expectationsOf(name: string): string[] {
  const [head = ''] = name.split(':');
  let id = '';
  return [...head.matchAll(/\b([A-C]\d\d)\b|\bE(\d+)(?: to E(\d+))?/g)].flatMap(
    ([, found, first, last = first]) => {
      id = found ?? id;
      const count = first === undefined || id === '' ? 0 : Number(last) - Number(first) + 1;
      return Array.from({ length: count }, (_, i) => `${id} E${Number(first) + i}`);
    },
  );
}
