import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync, copyFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/**
 * The positive control of the import boundaries (architecture §3): each line below breaks one of them and must
 * be reported; the last ones keep them and must not be. The files are written to a folder of their own, under
 * the paths that the rules speak of.
 */
const broken: readonly [file: string, code: string][] = [
  ['core/config/a.ts', "import { readFileSync } from 'node:fs';\nexport const a = readFileSync;"],
  ['core/config/b.ts', "import type { Logger } from '#runtime/log/logger.ts';\nexport type B = Logger;"],
  ['core/config/c.ts', "import { z } from 'zod';\nexport const c = z;"],
  ['core/config/d.ts', 'export const d = (): number => Date.now();'],
  ['core/config/e.ts', 'export const e = (): number => Math.random();'],
  ['core/config/f.ts', 'export const f = (): void => void setTimeout(() => undefined, 1);'],
  ['core/config/g.ts', 'export const g = (): unknown => process.env;'],
  ['core/api/a.ts', "import { IPv4 } from 'ip-num';\nexport const a = IPv4;"],
  ['core/model/a.ts', "import { z } from 'zod';\nexport const a = z;"],
  ['core/election/a.ts', "import { connect } from 'node:net';\nexport const a = connect;"],
  ['runtime/kube/a.ts', "import { parseAddress } from '#core/model/ip.ts';\nexport const a = parseAddress;"],
  ['runtime/kube/b.ts', "import { x } from '#speaker/ports.ts';\nexport const b = x;"],
  ['controller/a.ts', "import Handlebars from 'handlebars';\nexport const a = Handlebars;"],
  ['controller/b.ts', "import { x } from '#speaker/ports.ts';\nexport const b = x;"],
  ['speaker/a.ts', "import Operator from '@dot-i/k8s-operator';\nexport const a = Operator;"],
  ['speaker/b.ts', "import { x } from '#controller/main.ts';\nexport const b = x;"],
  ['speaker/c.ts', "import { Registry } from 'prom-client';\nexport const c = Registry;"],
  ['operator/a.ts', "import koffi from 'koffi';\nexport const a = koffi;"],
  ['operator/b.ts', "import { x } from '#tests/support/x.ts';\nexport const b = x;"],
  ['cli/b.ts', "import { x } from '#speaker/ports.ts';\nexport const b = x;"],
  ['cli/c.ts', "import { x } from '#speaker/frr/driver.ts';\nexport const c = x;"],
  ['cli/a.ts', "import { x } from '#lab/lab.ts';\nexport const a = x;"],
];

const kept: readonly [file: string, code: string][] = [
  ['core/config/ok.ts', "import { parseAddress } from '#core/model/ip.ts';\nexport const ok = parseAddress;"],
  ['core/api/ok.ts', "import { z } from 'zod';\nexport const ok = z;"],
  ['core/model/ok.ts', "import { IPv4 } from 'ip-num';\nexport const ok = IPv4;"],
  ['core/election/ok.ts', "import { createHash } from 'node:crypto';\nexport const ok = createHash;"],
  ['runtime/kube/ok.ts', "import { AppError } from '#core/errors.ts';\nexport const ok = AppError;"],
  ['runtime/lease/ok.ts', "import type { X } from '#core/lease/step.ts';\nexport type Ok = X;"],
  ['cli/ok.ts', "import { x } from '#speaker/frr/templates.ts';\nexport const ok = x;"],
  ['controller/ok.ts', "import type { Logger } from '#runtime/log/logger.ts';\nexport type Ok = Logger;"],
];

describe('import boundaries', () => {
  const root = process.cwd();
  const folder = mkdtempSync(join(tmpdir(), 'metallb-boundaries-'));
  let reported = '';

  beforeAll(() => {
    copyFileSync(join(root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    for (const [file, code] of [...broken, ...kept]) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), `${code}\n`);
    }
    const run = spawnSync(join(root, 'node_modules/.bin/oxlint'), ['--format=unix'], {
      cwd: folder,
      encoding: 'utf8',
    });
    reported = run.stdout;
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(broken)('%s is reported', (file) => {
    expect(reported).toMatch(new RegExp(`${file}:\\d+:\\d+: .*no-restricted`));
  });

  it.each(kept)('%s is allowed', (file) => {
    expect(reported).not.toContain(`${file}:`);
  });
});

describe('the clock and chance stay out of core/', () => {
  it('no file of core/ reads the time by `new Date()` (the linter has no rule for it)', () => {
    const run = spawnSync('grep', ['-rnE', String.raw`new Date\(\s*\)`, 'core'], { encoding: 'utf8' });
    expect(run.stdout).toBe('');
    const control = spawnSync('grep', ['-nE', String.raw`new Date\(\s*\)`], {
      encoding: 'utf8',
      input: 'const now = new Date();\n',
    });
    expect(control.stdout).toContain('new Date()');
  });
});
