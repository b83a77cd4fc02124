import { describe, expect, test } from 'vitest';
import { parseArguments } from '#lab/cli/arguments.ts';
import { EXIT_USAGE, LabError } from '#lab/errors.ts';

const parse = (...argv: string[]) => parseArguments(argv, 'mlb');

function refusal(...argv: string[]): LabError {
  try {
    parse(...argv);
  } catch (error) {
    if (error instanceof LabError) return error;
  }
  throw new Error(`"${argv.join(' ')}" was taken`);
}

describe('arguments of npm run lab', () => {
  test('up is light with three nodes unless told', () => {
    expect(parse('up')).toEqual({ command: 'up', name: 'mlb', level: 'light', nodes: 3, rest: [] });
    expect(parse('up', '--full', '--nodes', '2', '--name', 'x')).toEqual({
      command: 'up',
      name: 'x',
      level: 'full',
      nodes: 2,
      rest: [],
    });
  });

  test('what follows the own options belongs to the program', () => {
    expect(parse('kubectl', '--name', 'x', 'get', 'nodes', '--name', 'y').rest).toEqual([
      'get',
      'nodes',
      '--name',
      'y',
    ]);
    expect(parse('kubectl', '--', '--name', 'y')).toMatchObject({ name: 'mlb', rest: ['--name', 'y'] });
    expect(parse('exec', 'node1', 'ip', '--nodes', '2').rest).toEqual(['node1', 'ip', '--nodes', '2']);
  });

  test.each([
    [[], 'no command is given'],
    [['upp'], '"upp" is no command of the lab'],
    [['up', 'now'], 'up does not take "now"'],
    [['up', '--nodes'], '--nodes needs a value'],
    [['up', '--nodes', 'many'], '--nodes needs a number, not "many"'],
    [['down', '--name', '--full'], '--name needs a value'],
    [['status', '--full'], 'status does not take "--full"'],
  ])('%j is wrong usage', (argv, words) => {
    const error = refusal(...argv);
    expect(error.message.split('\n')[0]).toBe(words);
    expect(error.message).toContain('usage: npm run lab');
    expect(error.exitCode).toBe(EXIT_USAGE);
  });
});
