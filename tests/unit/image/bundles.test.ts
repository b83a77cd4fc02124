/** Which packages may be in which bundle (architecture §3 and §9): small programs stay small. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { build, packagesAtStart, packagesIn, PROGRAMS, type ProgramName } from '#tools/build.ts';

const repository = join(import.meta.dirname, '../../..');

/** Packages (or scopes, ending in a slash) that must not be in any bundle of a program. */
const forbidden: Readonly<Record<ProgramName, readonly string[]>> = {
  controller: ['@dot-i/', 'handlebars', 'koffi', '@koromix/'],
  speaker: ['@dot-i/', 'koffi', '@koromix/'],
  operator: ['handlebars', 'koffi', '@koromix/'],
  cli: ['@dot-i/', 'koffi', '@koromix/', 'prom-client'],
};
/** Never, in none: tools of development, and what the lock file's overrides keep out. */
const never = ['request', 'esbuild', 'typescript', 'vitest', 'fast-check', 'prettier'];

async function offenders(program: ProgramName, source: string): Promise<readonly string[]> {
  const { bundles } = await build('', { source, programs: [program], write: false });
  const found = bundles.flatMap(({ metafile }) => packagesIn(metafile));
  const banned = [...forbidden[program], ...never];
  return found.filter((name) =>
    banned.some((rule) => name === rule || (rule.endsWith('/') && name.startsWith(rule))),
  );
}

describe('packages in the bundles', () => {
  it.each(PROGRAMS)('%s has none it may not have', async (program) => {
    expect(await offenders(program, repository)).toEqual([]);
  });

  it.each(['controller', 'speaker'] as const)(
    '%s loads client-node for a kubeconfig only',
    async (program) => {
      const { bundles } = await build('', { programs: [program], write: false });
      const [main] = bundles.filter(({ entry }) => entry.endsWith('main.ts'));
      const found = main && [packagesIn(main.metafile), packagesAtStart(main.metafile)];
      expect(found?.map((names) => names.includes('@kubernetes/client-node'))).toEqual([true, false]);
      expect(found?.[1]).toEqual(expect.arrayContaining(['undici', 'zod', 'winston']));
    },
  );

  it.each(PROGRAMS.filter((program) => program !== 'cli'))(
    '%s starts from its bundle alone, and says which file it lacks',
    async (program) => {
      const out = mkdtempSync(join(tmpdir(), 'metallb-dist-'));
      await build(out, { programs: [program] });
      const main = join(out, program, 'main.mjs');
      const { status, stdout } = spawnSync(process.execPath, [main, '--kubeconfig=/nowhere/config'], {
        encoding: 'utf8',
        cwd: '/',
        env: { METALLB_NODE_NAME: 'node1' },
        timeout: 30_000,
      });
      rmSync(out, { recursive: true });
      expect(stdout).toContain('/nowhere/config');
      expect(status).toBe(64);
    },
  );

  it('are seen when they are there', async () => {
    const source = mkdtempSync(join(tmpdir(), 'metallb-bundle-'));
    for (const name of ['@dot-i/k8s-operator', 'handlebars', 'zod']) {
      mkdirSync(join(source, 'node_modules', name), { recursive: true });
      writeFileSync(join(source, 'node_modules', name, 'index.js'), 'console.log(1);');
    }
    mkdirSync(join(source, 'controller'));
    const text = "import '@dot-i/k8s-operator'; import 'handlebars'; import 'zod';";
    writeFileSync(join(source, 'controller/main.ts'), text);
    expect(await offenders('controller', source)).toEqual(['@dot-i/k8s-operator', 'handlebars']);
    rmSync(source, { recursive: true });
  });
});
