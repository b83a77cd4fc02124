import { describe, expect, it } from 'vitest';
import { loadTemplates } from '#speaker/frr/templates.ts';
import { scenarioModel, scenarios } from '#tests/support/frr-scenarios.ts';
import { temporaryFolder } from '#tests/support/temporary.ts';

const folder = (files: Readonly<Record<string, string>>): string => temporaryFolder('templates', files);

const [scenario] = scenarios;
const model = scenarioModel(scenario ?? { name: '', config: {} as never, services: [] });

describe('templates', () => {
  it('a folder of one’s own', () => {
    const render = loadTemplates(
      folder({ 'frr.conf.hbs': 'log stdout\n{{> mine}}', 'mine.hbs': 'hostname {{hostname}}\n' }),
    );
    expect(render(model)).toBe('log stdout\nhostname node-a\n');
  });
  it('a name that does not exist is an error that tells folder and name', () => {
    const path = folder({ 'frr.conf.hbs': '{{nonsense}}' });
    expect(() => loadTemplates(path)(model)).toThrow(/nonsense/);
    expect(() => loadTemplates(path)(model)).toThrow(path);
  });
  it('a folder without frr.conf.hbs, or none at all', () => {
    expect(() => loadTemplates(folder({}))).toThrow(/no frr.conf.hbs/);
    expect(() => loadTemplates('/no/such/folder')).toThrow(/cannot read the template folder/);
  });
});
