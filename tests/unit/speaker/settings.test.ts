import { describe, expect, it } from 'vitest';
import { frrLogLevel } from '#core/frr/build.ts';
import { parseSettings } from '#runtime/settings/settings.ts';
import { loadTemplates } from '#speaker/frr/templates.ts';
import { externalSettings, speakerOptions } from '#speaker/settings.ts';

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

describe('who does BGP', () => {
  const external = (argv: readonly string[], env: Record<string, string> = {}) =>
    externalSettings(parseSettings(speakerOptions, ['--node-name=n1', ...argv], env), 'metallb-system');
  const frrK8s = { METALLB_BGP_TYPE: 'frr-k8s' };

  it('our own FRR, unless a frr-k8s is named by type and namespace (architecture, decision 9)', () => {
    expect(external([])).toBeUndefined();
    expect(external([], frrK8s)).toBeUndefined();
    expect(external(['--frrk8s-namespace=x'])).toBeUndefined();
    expect(external([], { METALLB_BGP_TYPE: 'frr', FRRK8S_NAMESPACE: 'x' })).toBeUndefined();
    expect(external(['--frrk8s-namespace=x'], frrK8s)).toMatchObject({ namespace: 'x' });
    expect(external([], { ...frrK8s, FRRK8S_NAMESPACE: 'x' })).toMatchObject({ namespace: 'x' });
  });

  it('#112 passwords go by reference where frr-k8s finds the Secret, else in clear', () => {
    const kind = (...argv: string[]) => {
      const { passwords, secretPassthrough } = external(argv, frrK8s) ?? {};
      return [passwords, secretPassthrough];
    };
    expect(kind('--frrk8s-namespace=x')).toEqual(['clear', false]);
    expect(kind('--frrk8s-namespace=metallb-system')).toEqual(['reference', false]);
    expect(kind('--frrk8s-namespace=x', '--frrk8s-secret-passthrough')).toEqual(['reference', true]);
    // Beside us the Secret is ours as well, and is looked at.
    expect(kind('--frrk8s-namespace=metallb-system', '--frrk8s-secret-passthrough')).toEqual([
      'reference',
      false,
    ]);
  });

  it('references for nobody are refused at the start, as in MetalLB', () => {
    const pass = '--frrk8s-secret-passthrough';
    expect(() => external([pass])).toThrow(/needs METALLB_BGP_TYPE=frr-k8s and --frrk8s-namespace/);
    expect(() => external([pass], frrK8s)).toThrow(/--frrk8s-namespace/);
    expect(() => external([pass, '--frrk8s-namespace=x'])).toThrow(/METALLB_BGP_TYPE/);
  });
});
