import { describe, expect, it } from 'vitest';
import { loadTemplates } from '#speaker/frr/templates.ts';
import { scenarioModel, scenarios } from '#tests/support/frr-scenarios.ts';

const render = loadTemplates('frr-templates');

describe('frr.conf (speaker-bgp.md §3.7, rendered by class)', () => {
  it.each(scenarios.map((scenario) => [scenario.name, scenario] as const))('%s', async (name, scenario) => {
    await expect(render(scenarioModel(scenario))).toMatchFileSnapshot(`./${name}.conf`);
  });
});
