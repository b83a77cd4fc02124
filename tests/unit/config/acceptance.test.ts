/** controller.md §8 J, and what of K the compiled configuration decides: the rules behind them are in pools.test.ts. */
import { describe, expect, it } from 'vitest';
import { judge } from '#cli/validate/command.ts';
import { parseManifests } from '#cli/validate/documents.ts';
import { formatAddress } from '#core/model/ip.ts';
import {
  bgpAdv,
  compiled,
  community,
  NAMESPACE,
  namespace,
  peer,
  pool,
  type Surroundings,
  type TestObject,
} from '#tests/support/config-factories.ts';

const controller: Surroundings = { scope: { kind: 'controller' } };
const problemsOf = (objects: readonly TestObject[], around: Surroundings = controller): string[] =>
  compiled(objects, around).problems.map(({ code, object }) => `${code} ${object.name}`);
const poolsOf = (objects: readonly TestObject[], around: Surroundings = controller) =>
  compiled(objects, around).config.pools;

describe('parsing', () => {
  it.each([
    ['192.0.2.0/24', '192.0.2.0', '192.0.2.255'],
    ['2001:db8::/64', '2001:db8::', '2001:db8::ffff:ffff:ffff:ffff'],
    ['192.0.2.5-192.0.2.9', '192.0.2.5', '192.0.2.9'],
    ['2001:db8::5-2001:db8::9', '2001:db8::5', '2001:db8::9'],
    ['192.0.2.5  -  192.0.2.9', '192.0.2.5', '192.0.2.9'],
    ['192.0.2.5-192.0.2.5', '192.0.2.5', '192.0.2.5'],
    ['192.0.2.9/24', '192.0.2.0', '192.0.2.255'],
    ['192.0.2.0/024', '192.0.2.0', '192.0.2.255'],
  ])('141: %j is from %s to %s', (text, first, last) => {
    const range = poolsOf([pool('p', [text])])[0]?.entries[0]?.range;
    if (range === undefined) throw new Error('refused');
    const { family } = range;
    expect(formatAddress({ family, value: range.first })).toBe(first);
    expect(formatAddress({ family, value: range.last })).toBe(last);
  });

  it.each([
    '192.0.2.1',
    ' 192.0.2.0/24',
    '192.0.2.0/24 ',
    '192.0.2.0/33',
    '192.0.2.0/-1',
    '2001:db8::/129',
    '192.0.02.0/24',
    '192.0.2.9-192.0.2.5',
    '192.0.2.9-',
    '-192.0.2.9',
    '192.0.2.1-192.0.2.2-192.0.2.3',
    '192.0.2.0/30-192.0.2.9',
    'fe80::1%eth0-fe80::9%eth0',
    'fe80::%eth0/64',
    '',
  ])('142: %j is refused, alone', (text) => {
    expect(problemsOf([pool('bad', [text]), pool('good', ['198.51.100.0/24'])])).toEqual([
      expect.stringMatching(/^POOL-[34] bad$/),
    ]);
  });

  it('143: a pool without addresses', () => {
    expect(problemsOf([pool('p', [])])).toEqual(['POOL-2 p']);
  });

  it('144: a pool without name, and two of one name, as files may have them', () => {
    const read = (...names: string[]): number => {
      const texts = names.map((name, index) => {
        const metadata = { name, namespace: NAMESPACE };
        const spec = { addresses: [`10.${index}.0.0/24`] };
        return JSON.stringify({ apiVersion: 'metallb.io/v1beta1', kind: 'IPAddressPool', metadata, spec });
      });
      const findings = judge(parseManifests(texts.join('\n---\n'), 'f'), [], {
        namespace: NAMESPACE,
        complete: false,
      });
      return findings.length;
    };
    expect([read('a', 'b'), read('a', 'a'), read('')]).toEqual([0, 1, 1]);
  });

  it.each([
    ['the same in one pool', [pool('a', ['10.0.0.0/24', '10.0.0.0/24'])], 'POOL-11 a'],
    ['nested in one pool', [pool('a', ['10.0.0.0/24', '10.0.0.8-10.0.0.9'])], 'POOL-11 a'],
    ['the same in two', [pool('a', ['10.0.0.0/24']), pool('b', ['10.0.0.0/24'], {}, { age: 1 })], 'POOL-11 b'],
    ['nested in two', [pool('a', ['2001:db8::/48']), pool('b', ['2001:db8::/64'], {}, { age: 1 })], 'POOL-11 b'],
  ])('145: %s: the later one is out', (_, objects, problem) => {
    expect(problemsOf(objects)).toEqual([problem]);
  });

  const team = { matchLabels: { team: 'a' } };
  const expression = (values: readonly string[]) => ({ key: 'team', operator: 'In', values });
  it.each([
    ['a namespace', { namespaces: ['a', 'a'] }, 'POOL-5'],
    ['a namespace selector', { namespaceSelectors: [team, team] }, 'POOL-6'],
    ['a service selector', { serviceSelectors: [team, team] }, 'POOL-7'],
    ['an expression', { serviceSelectors: [{ matchExpressions: [expression(['a']), expression(['a'])] }] }, 'POOL-7'],
    ['a value', { namespaceSelectors: [{ matchExpressions: [expression(['a', 'a'])] }] }, 'POOL-6'],
  ])('146: %s twice', (_, serviceAllocation, code) => {
    expect(problemsOf([pool('p', ['10.0.0.0/24'], { serviceAllocation })])).toEqual([`${code} p`]);
  });

  it('147: an operator that does not exist', () => {
    const serviceSelectors = [{ matchExpressions: [{ key: 'a', operator: 'Near', values: ['b'] }] }];
    const { problems } = compiled([pool('p', ['10.0.0.0/24'], { serviceAllocation: { serviceSelectors } })]);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toContain('Near');
  });

  it('148: serviceAllocation with only a priority has no condition', () => {
    const [only] = poolsOf([pool('p', ['10.0.0.0/24'], { serviceAllocation: { priority: 7 } })]);
    expect(only?.serviceAllocation).toMatchObject({ priority: 7, namespaces: undefined, serviceSelectors: [] });
  });

  it('149: namespaces by name and by selector are united', () => {
    const namespaces = [namespace('red', { team: 'a' }), namespace('blue', { team: 'b' })];
    const serviceAllocation = { namespaces: ['blue', 'later'], namespaceSelectors: [team] };
    const [only] = poolsOf([pool('p', ['10.0.0.0/24'], { serviceAllocation })], { ...controller, namespaces });
    expect(only?.serviceAllocation?.namespaces).toEqual(['blue', 'later', 'red']);
  });

  it.each([
    ['no value', [community('x', [{ name: 'n', value: '1' }])], 'COM-1 x'],
    ['twice in one', [community('x', [{ name: 'n', value: '1:1' }, { name: 'n', value: '1:2' }])], 'COM-2 x'],
    [
      'in two',
      [community('x', [{ name: 'n', value: '1:1' }]), community('y', [{ name: 'n', value: '1:2' }], { age: 1 })],
      'COM-2 y',
    ],
  ])('150: an alias that is wrong (%s) is told, and takes no pool away', (_, objects, problem) => {
    const all = [...objects, pool('p', ['10.0.0.0/24'])];
    expect(problemsOf(all)).toEqual([problem]);
    expect(poolsOf(all)).toHaveLength(1);
  });

  it('151: a large community is fine whatever the backend is called', () => {
    expect(problemsOf([community('x', [{ name: 'n', value: 'large:1:2:3' }])])).toEqual([]);
  });
});

describe('the verdict', () => {
  it('167: errors of peers and advertisements are no concern of the controller', () => {
    const objects = [
      pool('p', ['10.0.0.0/24']),
      peer('a', { bfdProfile: 'none', passwordSecret: { name: 'gone' } }),
      bgpAdv('b', { communities: ['alias'] }),
    ];
    expect(problemsOf(objects)).toEqual([]);
    expect(problemsOf(objects, {})).not.toEqual([]);
  });

  it('163: an object that cannot be read at all is a problem of that object, and no failure of the run', () => {
    const broken = pool('broken', [7 as unknown as string]);
    expect(problemsOf([broken, pool('p', ['10.0.0.0/24'])])).toEqual(['SCHEMA broken']);
    expect(poolsOf([broken, pool('p', ['10.0.0.0/24'])])).toHaveLength(1);
  });
});
