import { describe, expect, it } from 'vitest';
import { splitOutput, Vtysh, VtyshError } from '#speaker/frr/vtysh.ts';

/** A program that answers like vtysh through a pipe: echo after a prompt, output, and nothing for `quiet`. */
const script = `
process.stdout.write('\\nHello, this is FRRouting.\\n\\nhost# ');
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const text = line.replaceAll('\\u0016', '');
  if (text === 'die') process.exit(3);
  if (text === 'hang') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  const known = { hello: 'world\\n', env: JSON.stringify(process.env) + '\\n', quiet: '' };
  process.stdout.write(text + '\\n' + (known[text] ?? '% Unknown command: ' + text + '\\n') + 'host# ');
});`;
const vtysh = (deadlineMs = 5000): Vtysh => new Vtysh({ argv: [process.execPath, '-e', script], deadlineMs });

describe('long-lived vtysh', () => {
  it('gives each command its own output, batch after batch, from one process', async () => {
    const shell = vtysh();
    expect(await shell.run(['hello', 'quiet', 'what?'])).toEqual(['world', '', '% Unknown command: what?']);
    expect(await Promise.all([shell.run(['hello']), shell.run(['quiet'])])).toEqual([['world'], ['']]);
    shell.reset();
  });
  it('keeps no history of commands and takes nothing else of our environment', async () => {
    const shell = vtysh();
    const [env = ''] = await shell.run(['env']);
    expect(JSON.parse(env)).toMatchObject({ VTYSH_HISTFILE: '/dev/null', TERM: 'dumb' });
    expect(Object.keys(JSON.parse(env) as object).toSorted()).toEqual([
      'COLUMNS',
      'PATH',
      'TERM',
      'VTYSH_HISTFILE',
      'VTYSH_PAGER',
    ]);
    shell.reset();
  });
  it('an end, a silence or a missing program is an error, and the next batch starts anew', async () => {
    const shell = vtysh(3000);
    await expect(shell.run(['die'])).rejects.toThrow(/exit code 3/);
    expect(await shell.run(['hello'])).toEqual(['world']);
    await expect(shell.run(['hang'])).rejects.toThrow(/no answer within 3000 ms/);
    expect(await shell.run(['hello'])).toEqual(['world']);
    shell.reset();
    const missing = new Vtysh({ argv: ['/no/such/program'], deadlineMs: 500 });
    await expect(missing.run(['hello'])).rejects.toThrow(VtyshError);
  });
  it('cuts at echoes with or without a prompt before them', () => {
    const output = 'a\none\nhost(config)# b\nhost(config)# c\n# not an echo of d\n';
    expect(splitOutput(output, ['a', 'b', 'c'])).toEqual(['one', '', '# not an echo of d']);
  });
});
