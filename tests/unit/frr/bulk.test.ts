/** The file that large batches go through: what reaches vtysh, and where the file is. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { runBulk } from '#speaker/frr/bulk.ts';

const { TMPDIR } = process.env;
afterEach(() => {
  if (TMPDIR === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = TMPDIR;
});

/** Says what it is given, and what the file behind it is called. */
const program = ['sh', '-c', 'readlink /proc/self/fd/0; cat "$2"', 'sh'];
const run = () => runBulk({ argv: program, deadlineMs: 10_000 }, ['router bgp 1', 'exit']);

it('as in a pod: nothing but memory can be written, and that is enough', async () => {
  process.env['TMPDIR'] = '/proc';
  expect(await run()).toMatch(/^\/dev\/shm\/metallb-frr-.* \(deleted\)\n/);
});

it('what is written reaches the program, and nothing of it is left', async () => {
  const [place = '', ...written] = (await run()).split('\n');
  expect(written).toEqual(['router bgp 1', 'exit', '']);
  expect(place).toMatch(/^\/dev\/shm\/metallb-frr-.*\/batch \(deleted\)$/);
  expect(existsSync(dirname(place))).toBe(false);
});
