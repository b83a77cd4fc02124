/** The machine's own apt sources, read to find the Debian archive they name. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface AptSource {
  readonly uri: string;
  readonly suites: readonly string[];
  readonly components: readonly string[];
}

export interface DebianArchive {
  readonly main: string;
  readonly security: string;
}

/** Entries of a one-line-style list: `deb [options] URI SUITE COMPONENT…` (sources.list(5)). */
export function parseList(text: string): readonly AptSource[] {
  return text.split('\n').flatMap((line) => {
    const match = /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.*)$/.exec(line.trim());
    if (match === null) return [];
    const [, uri = '', suite = '', components = ''] = match;
    return [{ uri, suites: [suite], components: components.split(/\s+/) }];
  });
}

/** Stanzas of a deb822-style file (sources.list(5)). */
export function parseDeb822(text: string): readonly AptSource[] {
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    const field = (name: string): readonly string[] =>
      (new RegExp(`^${name}:(.*(?:\\n[ \\t].*)*)`, 'im').exec(stanza)?.[1] ?? '')
        .split(/\s+/)
        .filter(Boolean);
    if (!field('Types').includes('deb') || /^Enabled:\s*no/im.test(stanza)) return [];
    return field('URIs').map((uri) => ({ uri, suites: field('Suites'), components: field('Components') }));
  });
}

/**
 * The Debian archive among sources: one whose path ends in `debian` with the component main, and the security
 * archive named beside it (else the same address with `-security`).
 */
export function debianArchive(sources: readonly AptSource[]): DebianArchive | undefined {
  const trim = (uri: string) => uri.replace(/\/+$/, '');
  const found = (ending: string) =>
    sources.find(({ uri, components }) => trim(uri).endsWith(ending) && components.includes('main'))?.uri;
  const main = found('/debian');
  if (main === undefined) return undefined;
  return { main: trim(main), security: trim(found('/debian-security') ?? `${trim(main)}-security`) };
}

/** The Debian archive of this machine: `$METALLB_LAB_DEBIAN` when set, else from /etc/apt. */
export function machineArchive(etcApt = '/etc/apt'): DebianArchive | undefined {
  const own = process.env['METALLB_LAB_DEBIAN'];
  if (own !== undefined) return { main: own, security: `${own}-security` };
  const folder = join(etcApt, 'sources.list.d');
  const files = [
    join(etcApt, 'sources.list'),
    ...(existsSync(folder) ? readdirSync(folder).map((file) => join(folder, file)) : []),
  ].filter((file) => existsSync(file));
  return debianArchive(
    files.flatMap((file) => {
      const text = readFileSync(file, 'utf8');
      return file.endsWith('.sources') ? parseDeb822(text) : parseList(text);
    }),
  );
}
