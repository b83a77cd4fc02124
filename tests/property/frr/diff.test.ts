import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diff, type Change } from '#core/frr/diff.ts';
import { parseConfig, treeLines } from '#core/frr/tree.ts';
import { withoutResend } from '#core/frr/without-resend.ts';
import { loadTemplates } from '#speaker/frr/templates.ts';
import { interpret } from '#tests/support/frr-interpreter.ts';
import { modelArbitrary } from '#tests/support/frr-model-arbitrary.ts';

const render = loadTemplates('frr-templates');
const empty = parseConfig('');

describe('diff of configurations', () => {
  it('a configuration differs from itself in nothing', () => {
    fc.assert(
      fc.property(modelArbitrary(), (model) => {
        expect(diff(parseConfig(render(model)), parseConfig(render(model)))).toEqual([]);
      }),
    );
  });

  it('the changes from a to b turn a into b, whatever a and b', () => {
    fc.assert(
      fc.property(modelArbitrary(), modelArbitrary(), (a, b) => {
        const [from, to] = [parseConfig(render(a)), parseConfig(render(b))];
        const changes = diff(from, to);
        expect(treeLines(interpret(from, changes))).toEqual(treeLines(to));
        expect(treeLines(interpret(from, withoutResend(changes, from, to)))).toEqual(treeLines(to));
      }),
      { numRuns: 300 },
    );
  });

  it('from nothing and back to nothing', () => {
    fc.assert(
      fc.property(modelArbitrary(), (model) => {
        const tree = parseConfig(render(model));
        const loaded = interpret(empty, diff(empty, tree));
        expect(treeLines(loaded)).toEqual(treeLines(tree));
        expect(treeLines(interpret(loaded, diff(loaded, empty)))).toEqual([]);
      }),
    );
  });

  it('other routes never touch a neighbour block or an inbound map (issue 6, proof 2)', () => {
    const touches = ({ command, path }: Change): boolean =>
      command.startsWith('neighbor ') ||
      command.startsWith('no neighbor ') ||
      path.some((header) => header.includes('-in '));
    fc.assert(
      fc.property(modelArbitrary(), (model) => {
        const routers = model.routers.map((router) => ({ ...router, networks: router.networks.slice(1) }));
        const [all, fewer] = [parseConfig(render(model)), parseConfig(render({ ...model, routers }))];
        expect([...diff(all, fewer), ...diff(fewer, all)].filter(touches)).toEqual([]);
      }),
    );
  });
});
