/** Several labs at once, labs whose owner was killed, and the command line. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { remainsOf } from '#tests/integration/lab/remains.ts';
import { Lab } from '#lab/lab.ts';
import { run, type RunResult, tryRun } from '#lab/process/run.ts';
import { waitFor } from '#lab/process/wait.ts';
import { quiet } from '#lab/report.ts';
import { removeLab } from '#lab/state/remove.ts';
import { readState } from '#lab/state/state.ts';

const NAMES = ['mlb-t-one', 'mlb-t-two'] as const;

async function cli(...argv: string[]): Promise<RunResult> {
  return tryRun([process.execPath, 'lab/cli/main.ts', ...argv], { timeoutMs: 120_000 });
}

/** A process of its own that starts a lab and keeps it. */
function startOwner(name: string): ReturnType<typeof spawn> {
  const program = `
    const { Lab } = await import('#lab/lab.ts');
    const { quiet } = await import('#lab/report.ts');
    await Lab.up({ name: '${name}', level: 'light', nodes: 1, report: quiet });
    setInterval(() => undefined, 1000);`;
  return spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'ignore' });
}

async function kill(child: ReturnType<typeof spawn>): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'close');
}

afterEach(async () => {
  for (const name of NAMES) await removeLab(name);
});

describe('several labs', () => {
  test('two live side by side with the same addresses', async () => {
    const [one, two] = await Promise.all(
      NAMES.map((name) => Lab.up({ name, level: 'light', nodes: 1, report: quiet })),
    );
    if (one === undefined || two === undefined) throw new Error('not two labs');
    await one.api.create('/api/v1/namespaces', { metadata: { name: 'only-in-one' } });
    expect((await two.api.send('GET', '/api/v1/namespaces/only-in-one')).status).toBe(404);
    await one.down();
    expect(remainsOf(one.name)).toEqual([]);
    expect(await two.api.get('/api/v1/nodes/node1')).toMatchObject({ kind: 'Node' });
  });
});

describe('a lab whose owner was killed', () => {
  test.each(['starting', 'up'] as const)('while it was %s is removed by the next', async (phase) => {
    const [name] = NAMES;
    const owner = startOwner(name);
    await waitFor(`the lab to be ${phase}`, () => {
      if (phase === 'starting') return remainsOf(name).some((entry) => entry.includes('kube-apiserver'));
      return readState(name)?.phase === phase;
    });
    await kill(owner);
    expect(remainsOf(name).length).toBeGreaterThan(5);
    await using lab = await Lab.up({ name, level: 'light', nodes: 1, report: quiet });
    expect(await lab.kubectl(['get', 'nodes', '-o', 'name'])).toBe('node/node1\n');
    await lab.down();
    expect(remainsOf(name)).toEqual([]);
  });
});

describe('a namespace of somebody else', () => {
  test('is neither used nor removed', async () => {
    const [name] = NAMES;
    await run(['ip', 'netns', 'add', `${name}-rtr`]);
    try {
      await expect(Lab.up({ name, level: 'light', report: quiet })).rejects.toThrow(
        `network namespace ${name}-rtr exists but belongs to no recorded lab`,
      );
      expect(remainsOf(name)).toEqual([`namespace ${name}-rtr`]);
    } finally {
      await run(['ip', 'netns', 'delete', `${name}-rtr`]);
    }
  });
});

describe('npm run lab', () => {
  test('goes on after the command has ended, passes exit codes on, and goes down', async () => {
    const [name] = NAMES;
    const option = ['--name', name];
    expect(await cli('up', ...option, '--nodes', '1')).toMatchObject({ code: 0 });
    expect((await cli('status')).stdout).toContain(`lab ${name}: up, light level, 1 nodes`);
    expect((await cli('kubectl', ...option, 'get', 'nodes', '-o', 'name')).stdout).toBe('node/node1\n');
    expect((await cli('kubectl', ...option, 'get', 'node', 'nowhere')).code).toBe(1);
    expect((await cli('exec', ...option, 'node1', 'sh', '-c', 'exit 7')).code).toBe(7);
    expect((await cli('exec', ...option, 'node9', 'true')).code).toBe(64);
    expect((await cli('router', ...option, 'show', 'version')).stdout).toContain('FRRouting 10.3');
    expect((await cli('logs', ...option)).stdout.split('\n')).toContain('kube-apiserver');
    const again = await cli('up', ...option);
    expect(again).toMatchObject({ code: 69, stdout: '' });
    expect(again.stderr).toMatch(/^lab: a lab "mlb-t-one" is up already/m);
    expect((await cli('down', ...option)).stdout).toBe(`lab ${name} is down\n`);
    expect(remainsOf(name)).toEqual([]);
    expect((await cli('kubectl', ...option, 'get', 'nodes')).code).toBe(64);
  });

  test('a signal while it comes up leaves nothing', async () => {
    const [name] = NAMES;
    const command = spawn(process.execPath, ['lab/cli/main.ts', 'up', '--name', name], { stdio: 'ignore' });
    await waitFor('etcd to run', () => remainsOf(name).some((entry) => entry.includes('etcd')));
    command.kill('SIGTERM');
    expect(await once(command, 'close')).toEqual([143, null]);
    expect(remainsOf(name)).toEqual([]);
  });
});
