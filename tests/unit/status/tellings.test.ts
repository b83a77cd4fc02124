import { describe, expect, it } from 'vitest';
import type { Problem } from '#core/model/config.ts';
import { Tellings } from '#core/status/tellings.ts';

const problem = (name: string, message = 'is wrong', kind = 'IPAddressPool'): Problem => ({
  code: 'POOL-1',
  object: { kind, namespace: 'metallb-system', name },
  field: 'spec.addresses[0]',
  message,
  remedy: 'Correct it.',
  summary: message,
});

describe('tellings', () => {
  it('what lasts is told once, what is new at once, what came back again', () => {
    const tellings = new Tellings();
    const names = (problems: Problem[], warnings: Problem[] = []): (string | undefined)[] =>
      tellings.news(problems, warnings).map(({ fields, level }) => `${level} ${fields['name']}`);
    expect(names([problem('a')], [problem('w')])).toEqual(['warn w', 'error a']);
    expect(names([problem('a')], [problem('w')])).toEqual([]);
    expect(names([problem('a'), problem('b')])).toEqual(['error b']);
    expect(names([problem('b')])).toEqual([]);
    expect(names([problem('a'), problem('b', 'otherwise')], [problem('w')])).toEqual([
      'warn w',
      'error a',
      'error b',
    ]);
  });

  it('names object, field, what is wrong and the remedy; a BGPPeer by the version that is stored', () => {
    const [telling] = new Tellings().news([problem('p', 'is wrong', 'BGPPeer')], []);
    expect(telling).toEqual({
      level: 'error',
      line: 'configuration problem',
      fields: {
        kind: 'BGPPeer',
        namespace: 'metallb-system',
        name: 'p',
        field: 'spec.addresses[0]',
        code: 'POOL-1',
        problem: 'is wrong',
        remedy: 'Correct it.',
      },
      object: { apiVersion: 'metallb.io/v1beta2', kind: 'BGPPeer', namespace: 'metallb-system', name: 'p' },
      event: {
        type: 'Warning',
        reason: 'ConfigurationError',
        message: 'spec.addresses[0]: is wrong. Correct it.',
      },
    });
  });
});
