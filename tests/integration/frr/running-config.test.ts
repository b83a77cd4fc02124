/** What we render is what FRR prints back, and deltas end where a cold load ends: on real FRR. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseConfig, treeLines, type ConfigTree } from '#core/frr/tree.ts';
import { DAEMONS, readRunning, runningCommand } from '#core/frr/running.ts';
import { ownPart } from '#core/frr/verify.ts';
import type { FrrModel } from '#core/frr/model.ts';
import { run, tryRun } from '#lab/process/run.ts';
import { silent, type Logger } from '#runtime/log/logger.ts';
import { Applier } from '#speaker/frr/apply.ts';
import { loadTemplates } from '#speaker/frr/templates.ts';
import { golden } from '#tests/support/frr-golden.ts';
import { announcing } from '#tests/support/frr-driver.ts';
import { FrrLab } from '#tests/support/frr-lab.ts';
import { peer } from '#tests/support/bgp-factories.ts';
import { modelArbitrary } from '#tests/support/frr-model-arbitrary.ts';
import { profile } from '#tests/support/frr-scenarios.ts';

const render = loadTemplates('frr-templates');
let lab: FrrLab;
let applier: Applier;
const warnings: unknown[] = [];
const log: Logger = { ...silent, warn: (message, fields) => warnings.push([message, fields]) };

beforeAll(async () => {
  lab = await FrrLab.start('bgpconf', undefined, ['red', 'blue']);
  applier = new Applier({ argv: lab.ours.vtyshCommand, deadlineMs: 20_000 }, render, log);
});
afterAll(async () => {
  applier.forget();
  await lab.down();
});

const empty: FrrModel = { hostname: '', logLevel: 'informational', bfdProfiles: [], routers: [], raw: [] };

async function running(desired: ConfigTree): Promise<string[]> {
  const answers = await Promise.all(
    DAEMONS.map((daemon) => run([...lab.ours.vtyshCommand, '-c', runningCommand(daemon)])),
  );
  const read = readRunning(answers);
  if (read.kind === 'absent') throw new Error(`${read.daemon} is not running`);
  return treeLines(ownPart(read.tree, desired));
}

describe('FRR prints what we rendered', () => {
  it.each(golden)('%s', async (_, modelOf) => {
    const model = modelOf();
    const text = render(model);
    const file = join(lab.ours.configFolder, 'scenario.conf');
    writeFileSync(file, text);
    const check = await tryRun([...lab.ours.vtyshCommand, '-C', '-f', file]);
    expect(check).toMatchObject({ code: 0 });
    await applier.apply(empty, new Map());
    const cold = await applier.apply(model, new Map());
    expect(cold.refused).toEqual(new Map());
    const desired = parseConfig(text);
    expect(await running(desired)).toEqual(treeLines(desired));
    expect(warnings.splice(0)).toEqual([]);
  });
});

/** FRR_MODELS takes more of each (or fewer) than a test run has time for. */
const MODELS = Number(process.env['FRR_MODELS'] ?? 60);

/** Applies the model to what the one before left; FRR must show it line for line, without a second try. */
async function byDelta(model: FrrModel): Promise<void> {
  const { refused } = await applier.apply(model, new Map());
  expect(refused).toEqual(new Map());
  const desired = parseConfig(render(model));
  expect(await running(desired)).toEqual(treeLines(desired));
  expect(warnings.splice(0)).toEqual([]);
}

describe('from any configuration to any other by delta', () => {
  it('gives what a cold load gives (issue 6, proof 2)', async () => {
    await fc.assert(fc.asyncProperty(modelArbitrary(), byDelta), { numRuns: MODELS, endOnFailure: true });
  });

  it('also with every word a user may choose', async () => {
    const printable = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code));
    const words = fc.record({
      password: fc.string({ unit: printable, minLength: 1, maxLength: 80 }),
      device: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/),
      profile: fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/),
    });
    const models = words.map(({ password, device, profile: name }) =>
      announcing(['198.18.0.1', '2001:db8::1'], {
        bfdProfiles: [profile(name, { passiveMode: true })],
        peers: [
          peer('a', '10.77.0.2', { password, bfdProfile: name }),
          peer('b', device, { password, remoteAs: { kind: 'external' } }),
        ],
      }),
    );
    await fc.assert(fc.asyncProperty(models, byDelta), {
      numRuns: Math.ceil(MODELS / 3),
      endOnFailure: true,
    });
  });
});
