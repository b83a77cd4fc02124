import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Story } from '#lab/demo/story.ts';

function story(): { story: Story; text: () => string } {
  let written = '';
  return {
    story: new Story({ write: (chunk) => (written += chunk), isTTY: false, columns: 80 }),
    text: () => written,
  };
}

describe('the story of the demo', () => {
  it('tells what a step does, what to expect, what was seen and how long it took', async () => {
    const { story: s, text } = story();
    await s.tell({
      name: 'lab',
      does: 'starts it',
      see: 'three nodes',
      run: () => Promise.resolve({ nodes: 3, table: 'a\nb' }),
    });
    expect(text()).toMatch(
      /\[1\] lab\n +starts it\n +expect: three nodes\n +nodes: 3\n +table: \n +a\n +b\n +ok \(0\.\d s\)/,
    );
  });

  it('keeps and throws a failure', async () => {
    const { story: s, text } = story();
    await expect(
      s.tell({ name: 'x', does: 'd', see: 's', run: () => Promise.reject(new Error('no route')) }),
    ).rejects.toThrow('no route');
    expect(text()).toContain('FAILED');
    const file = join(tmpdir(), `story-${process.pid}.json`);
    s.save(file, { level: 'light' });
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      level: 'light',
      steps: [{ name: 'x', ok: false, error: 'no route' }],
    });
    rmSync(file);
  });
});
