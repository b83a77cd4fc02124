import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadTemplates } from '#speaker/frr/templates.ts';
import { golden } from '#tests/support/frr-golden.ts';

const render = loadTemplates('frr-templates');

describe('frr.conf (speaker-bgp.md §3.7, rendered by class)', () => {
  it.each(golden)('%s', async (name, model) => {
    await expect(render(model())).toMatchFileSnapshot(`./${name}.conf`);
  });

  it('each scenario has a file of its own, and each file a scenario (issue 6: at least 60)', () => {
    const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.conf'));
    expect(files.sort()).toEqual(golden.map(([name]) => `${name}.conf`).sort());
    expect(files.length).toBeGreaterThanOrEqual(60);
  });
});
