import { describe, expect, it } from 'vitest';
import { compileSelectors, type RawSelector } from '#core/config/selectors.ts';

const rules = { duplicate: 'SEL-1..3', invalid: 'SEL-4' };
const check = (...list: RawSelector[]) => compileSelectors(list, rules, 'spec.nodeSelectors');
const expression = (key: string, operator: string, values?: string[]): RawSelector => ({
  matchExpressions: [{ key, operator, ...(values === undefined ? {} : { values }) }],
});

describe('selector rules (api.md 6.3)', () => {
  it('SEL-1: the same value twice in one expression', () => {
    const { findings } = check(expression('a', 'In', ['x', 'y', 'x']));
    expect(findings).toMatchObject([
      { code: 'SEL-1..3', field: 'spec.nodeSelectors[0].matchExpressions[0].values[2]' },
    ]);
  });

  it('SEL-2: the same expression twice in one selector, however its values are ordered', () => {
    const { findings } = check({
      matchExpressions: [
        { key: 'a', operator: 'In', values: ['x', 'y'] },
        { key: 'a', operator: 'In', values: ['y', 'x'] },
      ],
    });
    expect(findings).toMatchObject([{ code: 'SEL-1..3', field: 'spec.nodeSelectors[0].matchExpressions[1]' }]);
  });

  it('SEL-3: the same selector twice in one list', () => {
    const { findings } = check({ matchLabels: { a: '1', b: '2' } }, { matchLabels: { b: '2', a: '1' } });
    expect(findings).toMatchObject([{ code: 'SEL-1..3', field: 'spec.nodeSelectors[1]' }]);
  });

  it('SEL-3: what is written differently is no duplicate', () => {
    expect(check({ matchLabels: { a: '1' } }, expression('a', 'In', ['1'])).findings).toEqual([]);
  });

  it.each<[string, RawSelector]>([
    ['unknown operator', expression('a', 'Gt', ['1'])],
    ['In without values', expression('a', 'In', [])],
    ['NotIn without values', expression('a', 'NotIn')],
    ['Exists with values', expression('a', 'Exists', ['x'])],
    ['DoesNotExist with values', expression('a', 'DoesNotExist', ['x'])],
    ['invalid key', expression('-a', 'Exists')],
    ['empty name after the prefix', expression('example.com/', 'Exists')],
    ['upper case in the prefix', expression('Example.com/a', 'Exists')],
    ['invalid value', expression('a', 'In', ['x y'])],
    ['value too long', { matchLabels: { a: 'x'.repeat(64) } }],
  ])('SEL-4: %s', (_what, selector) => {
    expect(check(selector).findings.map(({ code }) => code)).toEqual(['SEL-4']);
  });

  it('compiles labels, in the order of their keys, before expressions', () => {
    const { selectors, findings } = check({
      matchLabels: { 'kubernetes.io/os': 'linux', a: '' },
      matchExpressions: [{ key: 'rack', operator: 'NotIn', values: ['r1'] }],
    });
    expect(findings).toEqual([]);
    expect(selectors).toEqual([
      {
        requirements: [
          { key: 'a', operator: 'In', values: [''] },
          { key: 'kubernetes.io/os', operator: 'In', values: ['linux'] },
          { key: 'rack', operator: 'NotIn', values: ['r1'] },
        ],
      },
    ]);
  });

  it('an empty selector matches everything: it has no requirement', () => {
    expect(check({}).selectors).toEqual([{ requirements: [] }]);
  });
});
