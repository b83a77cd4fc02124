/** Reads the list of interfaces to ignore: ConfigMap `metallb-excludel2`, key `excludel2.yaml` (speaker-l2.md §5.2). */
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { SettingsError, messageOf } from '#core/errors.ts';
import { compileExclusions } from '#core/l2/interfaces.ts';

const FIELD = 'announcedInterfacesToExclude';

/**
 * The regular expressions in the file; none when it does not exist. Throws SettingsError for what is no YAML, no
 * list of texts, or no regular expression.
 */
export async function readExclusions(file: string): Promise<readonly string[]> {
  try {
    return parseExclusions(await readFile(file, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    if (error instanceof SettingsError) throw error;
    throw new SettingsError([`${file}: ${messageOf(error)}`]);
  }
}

/** As `readExclusions`, from the file's text. The case of the field's name does not matter. */
export function parseExclusions(text: string): readonly string[] {
  const content: unknown = parse(text);
  if (content === null || content === undefined) return [];
  if (typeof content !== 'object' || Array.isArray(content))
    throw new SettingsError([`excludel2.yaml: not a mapping with ${FIELD}`]);
  const entry = Object.entries(content).find(([key]) => key.toLowerCase() === FIELD.toLowerCase());
  const list: unknown = entry?.[1] ?? [];
  if (!Array.isArray(list)) throw new SettingsError([`excludel2.yaml: ${FIELD} is not a list`]);
  const patterns = list.map((pattern: unknown, index) => {
    if (pattern === null) return '';
    if (typeof pattern !== 'string')
      throw new SettingsError([`excludel2.yaml: ${FIELD}[${index}] is not a text: quote it`]);
    return pattern;
  });
  const compiled = compileExclusions(patterns);
  if (typeof compiled !== 'function') throw new SettingsError([`excludel2.yaml: ${compiled.error}`]);
  return patterns;
}
