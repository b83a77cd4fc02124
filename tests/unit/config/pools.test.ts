import { describe, expect, it } from 'vitest';
import { codes, compiled, community, namespace, pool } from '#tests/support/config-factories.ts';

const labelled = { matchLabels: { team: 'a' } };
const bad = { matchExpressions: [{ key: 'team', operator: 'In' }] };

describe('pool rules: what fails', () => {
  it.each([
    ['POOL-2', [], {}],
    ['POOL-3', ['192.0.2.1'], {}],
    ['POOL-3', ['192.0.2.0/33'], {}],
    ['POOL-3', [' 192.0.2.0/24'], {}],
    ['POOL-3', ['192.0.2.0/24,'], {}],
    ['POOL-4', ['192.0.2.9-192.0.2.1'], {}],
    ['POOL-4', ['192.0.2.1-router'], {}],
    ['POOL-4', ['192.0.2.1-192.0.2.2-192.0.2.3'], {}],
    ['POOL-4', ['192.0.2.1-2001:db8::1'], {}],
    ['POOL-4', ['::1-192.0.2.1'], {}],
    ['POOL-5', ['192.0.2.0/24'], { namespaces: ['a', 'b', 'a'] }],
    ['POOL-6', ['192.0.2.0/24'], { namespaceSelectors: [labelled, labelled] }],
    ['POOL-7', ['192.0.2.0/24'], { serviceSelectors: [labelled, labelled] }],
    ['POOL-8', ['192.0.2.0/24'], { namespaceSelectors: [bad] }],
    ['POOL-9', ['192.0.2.0/24'], { serviceSelectors: [bad] }],
    ['POOL-11', ['192.0.2.0/24', '192.0.2.128-192.0.2.129'], {}],
    ['SCHEMA', [7 as unknown as string], {}],
  ])('%s: %j %j', (code, addresses, serviceAllocation) => {
    const { config, problems } = compiled([
      pool('a', addresses, { serviceAllocation }),
      pool('b', ['198.51.100.0/24']),
    ]);
    expect(problems.map((problem) => [problem.code, problem.object.name])).toEqual([[code, 'a']]);
    expect(problems[0]?.field).toMatch(/^spec\./);
    expect(problems[0]?.remedy).not.toBe('');
    expect(config.pools.map(({ name }) => name)).toEqual(['b']);
  });

  it.each(['', '192.0.2.0/33', '192.0.2.9-192.0.2.1', 'router'])('POOL-14: excluded %j', (text) => {
    const { config, problems } = compiled([
      pool('a', ['192.0.2.0/24'], { excludedAddresses: ['192.0.2.1', text] }),
    ]);
    expect(problems).toMatchObject([{ code: 'POOL-14', field: 'spec.excludedAddresses[1]' }]);
    expect(config.pools).toEqual([]);
  });

  it('tells all problems of a pool at once', () => {
    expect(codes([pool('a', ['x', '192.0.2.9-y'], { serviceAllocation: { namespaces: ['a', 'a'] } })])).toEqual([
      'POOL-3',
      'POOL-4',
      'POOL-5',
    ]);
  });
});

describe('pool rules: what passes', () => {
  it('POOL-3: host bits are masked off', () => {
    const { config } = compiled([pool('a', ['192.0.2.9/24'])]);
    expect(config.pools[0]?.entries[0]).toEqual({
      text: '192.0.2.9/24',
      range: { family: 'ipv4', first: 0xc0000200n, last: 0xc00002ffn },
      cidrs: [{ family: 'ipv4', base: 0xc0000200n, prefix: 24 }],
    });
  });

  it('POOL-15, POOL-16 warn of exclusions that take nothing, or everything', () => {
    const excludedAddresses = ['192.0.2.0-192.0.2.99', '198.51.100.1', '192.0.2.50/25', '192.0.2.100-192.0.2.255'];
    const { config, problems, warnings } = compiled([pool('a', ['192.0.2.0/24'], { excludedAddresses })]);
    expect(problems).toEqual([]);
    expect(config.pools[0]?.excluded).toHaveLength(4);
    expect(warnings).toMatchObject([
      { code: 'POOL-15', field: 'spec.excludedAddresses[1]' },
      { code: 'POOL-16', field: 'spec.excludedAddresses' },
    ]);
    const some = compiled([pool('a', ['192.0.2.0/24'], { excludedAddresses: excludedAddresses.slice(0, 2) })]);
    expect(some.warnings).toMatchObject([{ code: 'POOL-15', field: 'spec.excludedAddresses[1]' }]);
  });

  it('A01: POOL-13 warns of a prefix whose first address is not the one written', () => {
    const { config, problems, warnings } = compiled([pool('lan', ['192.0.2.200/28', '10.0.0.0/24'])]);
    expect(problems).toEqual([]);
    expect(config.pools).toHaveLength(1);
    expect(warnings).toMatchObject([{ code: 'POOL-13', field: 'spec.addresses[0]' }]);
    expect(warnings[0]?.message).toBe(
      '192.0.2.200/28 is not the start of its block: the pool holds all of 192.0.2.192/28',
    );
  });

  it('POOL-4: blanks around the ends of a range are trimmed', () => {
    const { config, problems } = compiled([pool('a', [' 192.0.2.240 - 192.0.2.250 '])]);
    expect(problems).toEqual([]);
    expect(config.pools[0]?.entries[0]?.cidrs.map(({ prefix }) => prefix)).toEqual([29, 31, 32]);
  });

  it('defaults of the schema reach objects that are older than it', () => {
    const { config } = compiled([pool('a', ['192.0.2.0/24'])]);
    expect(config.pools[0]).toMatchObject({ autoAssign: true, avoidBuggyIPs: false, serviceAllocation: undefined });
  });
});

describe('POOL-11: overlap', () => {
  it('takes out the junior pool, and says which prefixes meet', () => {
    const { config, problems } = compiled([
      pool('a-new', ['10.0.1.0/24'], {}, { age: 1 }),
      pool('old', ['10.0.0.0/16'], {}, { age: 0 }),
    ]);
    expect(config.pools.map(({ name }) => name)).toEqual(['old']);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ code: 'POOL-11', object: { name: 'a-new' }, field: 'spec.addresses[0]' });
    expect(problems[0]?.message).toBe(
      'CIDR 10.0.1.0/24 in pool a-new overlaps with already defined CIDR 10.0.0.0/16 of IPAddressPool old',
    );
  });

  it('a pool that is out takes no addresses: a third pool may use them', () => {
    const { config } = compiled([
      pool('a', ['10.0.0.0/24'], {}, { age: 0 }),
      pool('b', ['10.0.0.0/24', '10.0.1.0/24'], {}, { age: 1 }),
      pool('c', ['10.0.1.0/24'], {}, { age: 2 }),
      pool('d', ['10.0.2.0/24', 'nonsense'], {}, { age: 3 }),
      pool('e', ['10.0.2.0/24'], {}, { age: 4 }),
    ]);
    expect(config.pools.map(({ name }) => name)).toEqual(['a', 'c', 'e']);
  });

  it('neighbouring ranges do not overlap; families never do', () => {
    expect(
      codes([
        pool('a', ['10.0.0.0-10.0.0.9', '10.0.0.10-10.0.0.19', '::a00:0/120']),
        pool('b', ['10.0.0.20/32']),
      ]),
    ).toEqual([]);
  });
});

describe('serviceAllocation (controller.md 3.2)', () => {
  const allocation = (raw: object) =>
    compiled([pool('a', ['192.0.2.0/24'], { serviceAllocation: raw })], {
      namespaces: [namespace('red', { team: 'a' }), namespace('blue', { team: 'b' })],
    }).config.pools[0]?.serviceAllocation;

  it('without conditions matches every Service', () => {
    expect(allocation({ priority: 5 })).toEqual({
      priority: 5,
      namespaces: undefined,
      namespaceSelectors: [],
      serviceSelectors: [],
    });
  });

  it('unites namespaces by name and by label', () => {
    expect(allocation({ namespaces: ['later'], namespaceSelectors: [labelled] })?.namespaces).toEqual([
      'later',
      'red',
    ]);
  });

  it('Q13: selectors that match no namespace block, they do not open up', () => {
    expect(allocation({ namespaceSelectors: [{ matchLabels: { team: 'none' } }] })?.namespaces).toEqual([]);
  });
});

describe('community rules', () => {
  it.each([
    ['65536:1', 'invalid community value: invalid section'],
    ['a:b', 'invalid community value: invalid section'],
    ['large:1:2:4294967296', 'invalid community value: invalid section'],
    ['1:2:3:4', 'expected community to be of format large'],
    ['1234', 'invalid community format: 1234'],
    ['1:2:3', 'invalid community format: 1:2:3'],
  ])('COM-1: %s', (value, phrase) => {
    const { problems } = compiled([community('c', [{ name: 'x', value }])]);
    expect(problems.map(({ code }) => code)).toEqual(['COM-1']);
    expect(problems[0]?.message).toContain(phrase);
    expect(problems[0]?.field).toBe('spec.communities[0].value');
  });

  it('COM-1: both kinds of literal pass', () => {
    expect(codes([community('c', [{ name: 'x', value: '65535:65282' }, { name: 'y', value: 'large:1:2:3' }])])).toEqual(
      [],
    );
  });

  it('COM-2: an alias name occurs twice, within an object or in two', () => {
    const twice = [
      { name: 'x', value: '1:1' },
      { name: 'x', value: '1:2' },
    ];
    const { problems } = compiled([community('c', twice), community('d', [{ name: 'x', value: '1:3' }])]);
    expect(problems.map(({ code, object }) => [code, object.name])).toEqual([
      ['COM-2', 'c'],
      ['COM-2', 'd'],
    ]);
    expect(problems[0]?.message).toContain('duplicate definition of community');
  });

  it('the controller sees pools and communities, communities first', () => {
    const objects = [pool('p', []), community('c', [{ name: 'x', value: '1' }])];
    expect(codes(objects, { scope: { kind: 'controller' } })).toEqual(['COM-1', 'POOL-2']);
  });
});
