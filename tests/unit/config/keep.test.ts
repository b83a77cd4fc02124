import { describe, expect, it } from 'vitest';
import { compile } from '#core/config/compile.ts';
import { compileKeeping, type LastGood } from '#core/config/keep.ts';
import { bgpAdv, community, peer, pool, resources, type TestObject } from '#tests/support/config-factories.ts';

/** Compiles one state of the cluster after the other. */
function history(...states: readonly (readonly TestObject[])[]) {
  let lastGood: LastGood = new Map();
  return states.map((objects) => {
    const result = compileKeeping(resources(objects), { kind: 'cluster' }, lastGood);
    lastGood = result.lastGood;
    return result;
  });
}

const text = ({ config }: { config: { pools: readonly { entries: readonly { text: string }[] }[] } }) =>
  config.pools.map(({ entries }) => entries.map((entry) => entry.text).join());

describe('compiling with a memory', () => {
  it('is compile when nothing was there before, and when nothing is wrong', () => {
    const objects = [pool('a', ['10.0.0.0/24'], {}, { age: 1 }), pool('b', ['10.0.0.0/25'], {}, { age: 0 })];
    const [first] = history(objects);
    const { config, problems } = compile(resources(objects), { kind: 'cluster' });
    expect(first).toMatchObject({ config, problems, kept: [] });
  });

  it('an edit that makes a pool faulty leaves it as it was, tells the problem, and goes in when mended', () => {
    const other = pool('b', ['10.1.0.0/24']);
    const [, slip, mended] = history(
      [pool('a', ['10.0.0.0/24']), other],
      [pool('a', ['10.0.0.0/33']), other],
      [pool('a', ['10.0.0.0/23']), other],
    );
    expect(slip?.problems.map(({ code }) => code)).toEqual(['POOL-3']);
    expect(slip?.kept.map(({ name }) => name)).toEqual(['a']);
    expect(slip && text(slip)).toEqual(['10.0.0.0/24', '10.1.0.0/24']);
    expect(mended?.problems).toEqual([]);
    expect(mended && text(mended)).toEqual(['10.0.0.0/23', '10.1.0.0/24']);
  });

  it('an edit cannot push out what was there, even if the edited object is older', () => {
    const old = (addresses: string[]) => pool('old', addresses, {}, { age: 0 });
    const young = pool('young', ['10.1.0.0/24'], {}, { age: 1 });
    const [, slip] = history([old(['10.0.0.0/24']), young], [old(['10.0.0.0/24', '10.1.0.0/25']), young]);
    expect(slip?.problems.map(({ code, object }) => [code, object.name])).toEqual([['POOL-11', 'old']]);
    expect(slip && text(slip)).toEqual(['10.0.0.0/24', '10.1.0.0/24']);
  });

  it('an object that was never sound is out, and one that is deleted is gone', () => {
    const [first, second] = history([pool('a', ['x']), pool('b', ['10.0.0.0/24'])], [pool('a', ['y'])]);
    expect(first && text(first)).toEqual(['10.0.0.0/24']);
    expect(second && text(second)).toEqual([]);
  });

  it('what an earlier form excludes is told too', () => {
    const [, slip] = history(
      [pool('a', ['10.0.0.0/24'])],
      [pool('a', ['x']), pool('new', ['10.0.0.0/25'], {}, { age: 9 })],
    );
    expect(slip?.problems.map(({ code, object }) => [code, object.name])).toEqual([
      ['POOL-3', 'a'],
      ['POOL-11', 'new'],
    ]);
    expect(slip && text(slip)).toEqual(['10.0.0.0/24']);
  });

  it('sessions, aliases and the attributes of routes are kept alike', () => {
    const good = [
      peer('p', { holdTime: '90s' }),
      community('c', [{ name: 'n', value: '1:1' }]),
      bgpAdv('d', { communities: ['n'] }),
    ];
    const [before, slip] = history(good, [
      peer('p', { holdTime: '1s' }),
      community('c', [{ name: 'n', value: '1:x' }]),
      bgpAdv('d', { communities: ['unknown'] }),
    ]);
    expect(slip?.problems).toHaveLength(3);
    expect(slip?.config).toEqual(before?.config);
  });
});
