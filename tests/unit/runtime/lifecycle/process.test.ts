/** The frame around a program in a process of its own: real signals, real exit codes, the whole log. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const fixture = fileURLToPath(new URL('program-fixture.ts', import.meta.url));

async function run(mode: string, act: (send: (signal: NodeJS.Signals) => void) => void) {
  const child = spawn(process.execPath, [fixture, `--mode=${mode}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  let acted = false;
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    if (acted || !output.includes('"msg":"up"')) return;
    acted = true;
    act((signal) => child.kill(signal));
  });
  const [code] = (await once(child, 'close')) as [number | null];
  const messages = output.split('\n').filter(Boolean);
  return { code, messages: messages.map((line) => (JSON.parse(line) as { msg: string }).msg) };
}

describe('a program in its process', () => {
  it('stops on SIGTERM with code 0 and the whole log', async () => {
    const { code, messages } = await run('calm', (send) => send('SIGTERM'));
    expect(code).toBe(0);
    expect(messages).toEqual(['starting', 'up', 'stopping', 'disposed', 'stopped']);
  });

  it('ends with 1 on a second signal', async () => {
    const { code } = await run('stuck', (send) => {
      send('SIGTERM');
      send('SIGINT');
    });
    expect(code).toBe(1);
  });

  it('ends with 70 on an unhandled rejection, and logs it', async () => {
    const { code, messages } = await run('buggy', () => undefined);
    expect(code).toBe(70);
    expect(messages.at(-1)).toBe('unexpected error');
  });
});
