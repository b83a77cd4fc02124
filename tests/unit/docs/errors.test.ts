import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

describe('docs/errors.md', () => {
  it('lists exactly the codes of core/errors.ts', () => {
    const declared =
      /export type ErrorCode = ([^;]+);/.exec(readFileSync('core/errors.ts', 'utf8'))?.[1] ?? '';
    const codes = [...declared.matchAll(/'(\w+)'/g)].map(([, code]) => code);
    const documented = [...readFileSync('docs/errors.md', 'utf8').matchAll(/^\| `(\w+)`/gm)].map(
      ([, code]) => code,
    );
    expect(codes.length).toBeGreaterThan(3);
    expect(new Set(documented)).toEqual(new Set(codes));
  });
});
