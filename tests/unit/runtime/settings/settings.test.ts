import { describe, expect, it } from 'vitest';
import { SettingsError } from '#core/errors.ts';
import {
  boolean,
  choice,
  duration,
  helpText,
  integer,
  list,
  loggable,
  parseDuration,
  parseSettings,
  port,
  required,
  text,
  wantsHelp,
} from '#runtime/settings/settings.ts';

const options = {
  port: port({ flag: 'port', default: 9120, help: 'Port of the metrics.' }),
  node: required({ flag: 'node-name', env: 'METALLB_NODE_NAME', help: 'Our node.' }),
  level: choice({ flag: 'log-level', choices: ['all', 'info', 'none'], default: 'info', help: 'Level.' }),
  rotate: boolean({ flag: 'disable-cert-rotation', default: false, help: 'No rotation.' }),
  suites: list({ flag: 'tls-cipher-suites', help: 'Suites.' }),
  grace: duration({ flag: 'grace', default: '1m30s', help: 'Grace.' }),
  secret: text({ env: 'ML_SECRET', secret: true, help: 'Key.' }),
  size: integer({ flag: 'size', default: 5, min: 1, max: 10, help: 'Size.' }),
};
const parse = (argv: string[], env: Record<string, string> = { METALLB_NODE_NAME: 'n1' }) =>
  parseSettings(options, argv, env);
const problemsOf = (argv: string[], env?: Record<string, string>): readonly string[] => {
  try {
    parse(argv, env);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
};

describe('parseSettings', () => {
  it('has defaults, and a frozen result', () => {
    const settings = parse([]);
    expect(settings).toEqual({
      port: 9120,
      node: 'n1',
      level: 'info',
      rotate: false,
      suites: [],
      grace: 90_000,
      secret: '',
      size: 5,
    });
    expect(Object.isFrozen(settings)).toBe(true);
  });

  it.each([
    [['-port=1'], 1],
    [['--port=2'], 2],
    [['-port', '3'], 3],
    [['--port', '4'], 4],
    [['--port=5', '--port=6'], 6],
  ])('takes Go-style flags: %j', (argv, expected) => {
    expect(parse(argv).port).toBe(expected);
  });

  it('takes a boolean flag alone or with a value', () => {
    expect(parse(['--disable-cert-rotation', '--port', '1'])).toMatchObject({ rotate: true, port: 1 });
    expect(parse(['-disable-cert-rotation=false']).rotate).toBe(false);
    expect(parse(['-disable-cert-rotation=T']).rotate).toBe(true);
  });

  it('lets the flag win over the environment', () => {
    expect(parse(['--node-name=flag']).node).toBe('flag');
  });

  it('takes empty values', () => {
    expect(parse(['--tls-cipher-suites=']).suites).toEqual([]);
    expect(parse(['--tls-cipher-suites=a, b']).suites).toEqual(['a', 'b']);
  });

  it('reports every problem at once, with name, value and remedy', () => {
    const argv = [
      '--port=70000',
      '--log-level=loud',
      '--what',
      'stray',
      '--size=x',
      '--grace=5',
      '--disable-cert-rotation=y',
    ];
    expect(problemsOf(argv, {})).toEqual([
      '--what: unknown flag',
      '"stray": not a flag',
      '--port: "70000": must be a whole number from 0 to 65535',
      '--node-name / $METALLB_NODE_NAME: must be given',
      '--log-level: "loud": must be one of all, info, none',
      '--disable-cert-rotation: "y": must be true or false',
      '--grace: "5": must be a duration like 500ms, 10s or 1m30s',
      '--size: "x": must be a whole number from 1 to 10',
    ]);
    expect(problemsOf(['--port'])).toEqual(['--port: needs a value']);
    expect(problemsOf(['--port='])).toEqual(['--port: "": must be a whole number from 0 to 65535']);
  });

  it('never shows a secret', () => {
    const settings = parse([], { METALLB_NODE_NAME: 'n1', ML_SECRET: 'hush' });
    expect(loggable(options, settings)).toMatchObject({ secret: '[redacted]', node: 'n1' });
  });
});

describe('help', () => {
  it('is asked for in all the usual ways', () => {
    expect([['--help'], ['-help'], ['-h'], ['x']].map(wantsHelp)).toEqual([true, true, true, false]);
  });

  it('shows flag, environment, meaning and default of each option', () => {
    expect(helpText('speaker', { port: options.port, node: options.node })).toBe(
      'Usage of speaker:\n  --port\n        Port of the metrics. (default 9120)\n' +
        '  --node-name / $METALLB_NODE_NAME\n        Our node.\n',
    );
  });
});

describe('parseDuration', () => {
  it.each([
    ['0', 0],
    ['500ms', 500],
    ['1.5s', 1500],
    ['1h1m1s', 3_661_000],
    ['', undefined],
    ['5', undefined],
    ['-1s', undefined],
    ['1s x', undefined],
  ])('reads %j as %s', (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });
});
