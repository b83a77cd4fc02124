import { describe, expect, it } from 'vitest';
import { SettingsError } from '#core/errors.ts';
import { parseExclusions, readExclusions } from '#speaker/l2/exclusions.ts';

describe('excludel2.yaml (speaker-l2.md §5.2)', () => {
  it('reads the list, whatever the case of its name', () => {
    const text = 'announcedInterfacesToExclude: ["^docker.*", "^lo$"]';
    expect(parseExclusions(text)).toEqual(['^docker.*', '^lo$']);
    expect(parseExclusions(text.toLowerCase())).toEqual(['^docker.*', '^lo$']);
  });

  it.each(['', '{}', 'announcedInterfacesToExclude:', 'announcedInterfacesToExclude: []', 'other: [a]'])(
    'excludes nothing for %j',
    (text) => {
      expect(parseExclusions(text)).toEqual([]);
    },
  );

  it('takes an empty entry as the pattern that excludes everything', () => {
    expect(parseExclusions('announcedInterfacesToExclude:\n- ""\n-\n')).toEqual(['', '']);
  });

  it.each([
    '- a',
    'text',
    'announcedInterfacesToExclude: eth0',
    'announcedInterfacesToExclude: [1]',
    'announcedInterfacesToExclude: ["("]',
  ])('refuses %j', (text) => {
    expect(() => parseExclusions(text)).toThrow(SettingsError);
  });

  it('a missing file excludes nothing', async () => {
    expect(await readExclusions('/nonexistent/excludel2.yaml')).toEqual([]);
  });
});
