import { describe, expect, it } from 'vitest';
import { frrLogLevel } from '#core/frr/build.ts';
import { parseSettings } from '#runtime/settings/settings.ts';
import { loadTemplates } from '#speaker/frr/templates.ts';
import { speakerOptions } from '#speaker/settings.ts';

const render = loadTemplates('frr-templates');

/** The global part of frr.conf of a speaker that is started like this. */
function globalPart(level: string, env: Record<string, string> = {}): string[] {
  const argv = ['--node-name=n1', `--log-level=${level}`];
  const settings = parseSettings(speakerOptions, argv, env);
  const logLevel = frrLogLevel(settings.logLevel, settings.frrLoggingLevel);
  return render({ hostname: '', logLevel, bfdProfiles: [], routers: [], raw: [] }).split('\n');
}

describe("FRR's log level", () => {
  it.each([
    ['all', 'log stdout', true],
    ['debug', 'log stdout', true],
    ['info', 'log stdout informational', false],
    ['warn', 'log stdout warnings', false],
    ['error', 'log stdout errors', false],
    ['none', 'log stdout emergencies', false],
  ])('#97 --log-level=%s: %s', (level, line, debugs) => {
    const lines = globalPart(level);
    expect(lines[0]).toBe(line);
    expect(lines.includes('debug bgp neighbor-events')).toBe(debugs);
  });

  it.each([
    ['warnings', 'log stdout warnings', false],
    ['notifications', 'log stdout notifications', false],
    ['error', 'log stdout errors', false],
    ['debugging', 'log stdout', true],
  ])('#97 FRR_LOGGING_LEVEL=%s wins: %s', (word, line, debugs) => {
    for (const level of ['all', 'info', 'none']) {
      const lines = globalPart(level, { FRR_LOGGING_LEVEL: word });
      expect(lines[0]).toBe(line);
      expect(lines.includes('debug bgp neighbor-events')).toBe(debugs);
    }
  });

  it('#97 an empty FRR_LOGGING_LEVEL is none; one that FRR does not know is refused by name', () => {
    expect(globalPart('warn', { FRR_LOGGING_LEVEL: '' })[0]).toBe('log stdout warnings');
    expect(() => globalPart('info', { FRR_LOGGING_LEVEL: 'loud\nlog file /x' })).toThrow(
      /FRR_LOGGING_LEVEL: .* must be one of .*emergencies/,
    );
  });
});
