import { afterAll, beforeAll } from 'vitest';
import { parseConfig, treeLines } from '#core/frr/tree.ts';
import { silent } from '#runtime/log/logger.ts';
import { openFrr } from '#speaker/frr/driver.ts';
import { loadTemplates } from '#speaker/frr/templates.ts';
import { FrrLab } from '#tests/support/frr-lab.ts';
import { frrContract } from './suite.ts';

let lab: FrrLab;
beforeAll(async () => {
  lab = await FrrLab.start('bgpcon');
});
afterAll(async () => lab.down());

frrContract(() => {
  const settings = { vtysh: lab.ours.vtyshCommand, configFile: undefined, runDir: lab.ours.runFolder };
  const port = openFrr(settings, loadTemplates('frr-templates'), silent);
  return Promise.resolve({
    port,
    lines: async () => treeLines(parseConfig(await lab.ours.vtysh('show running-config'))),
    refuseOwnAddress: () => undefined,
    dispose: () => port.close(),
  });
});
