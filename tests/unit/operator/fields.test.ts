/** Every field of a MetalLB object: what it does, in the order of the schema (operator-packaging.md §1.2, §2.9). */
import { describe, expect, it } from 'vitest';
import { render } from '#operator/render/render.ts';
import { fieldCases, metallbFields, withoutEffect } from '#tests/support/metallb-fields.ts';
import { find, options } from './fixtures.ts';

function unshown(fields: readonly string[]): string[] {
  const shown = new Set([...fieldCases.flatMap((one) => one.fields), ...Object.keys(withoutEffect)]);
  return fields.filter((field) => !shown.has(field));
}

describe('fields of the MetalLB object', () => {
  it('each has a case, and each case a field', () => {
    const fields = metallbFields();
    expect(unshown(fields)).toEqual([]);
    const known = [...fieldCases.flatMap((one) => one.fields), ...Object.keys(withoutEffect)];
    expect(known.filter((field) => !fields.includes(field))).toEqual([]);
  });

  it('positive control: a field without a case is noticed', () => {
    expect(unshown([...metallbFields(), 'speakerConfig.hostAliases'])).toEqual(['speakerConfig.hostAliases']);
    expect(metallbFields()).toEqual(
      expect.arrayContaining(['logLevel', 'speakerConfig.resources', 'frrk8sConfig.namespace']),
    );
  });

  it.each(fieldCases)('$fields becomes part of $object, and goes with the field', (one) => {
    const [kind = '', name = ''] = one.object.split('/');
    const seen = (spec: object): unknown => one.seen(find(render(spec, options), kind, name));
    expect(seen(one.spec)).toEqual(one.becomes);
    expect(seen({})).toEqual(one.otherwise);
  });

  it('the user’s labels stand beside ours and never in their place', () => {
    const labels = { app: 'other', component: 'other', team: 'net' };
    const spec = { controllerConfig: { labels }, speakerConfig: { labels } };
    for (const [kind, name] of [
      ['Deployment', 'controller'],
      ['DaemonSet', 'speaker'],
    ] as const) {
      expect(find(render(spec, options), kind, name)).toMatchObject({
        spec: { template: { metadata: { labels: { app: 'metallb', component: name, team: 'net' } } } },
      });
    }
  });

  it('several controllers have a disruption budget that lets a drain take one; a single one has none', () => {
    const budget = find(
      render({ controllerConfig: { replicas: 3 } }, options),
      'PodDisruptionBudget',
      'controller',
    );
    expect(budget).toMatchObject({
      spec: { maxUnavailable: 1, selector: { matchLabels: { app: 'metallb', component: 'controller' } } },
    });
    for (const replicas of [undefined, 1]) {
      const kinds = render({ controllerConfig: { replicas } }, options).map(({ kind }) => kind);
      expect(kinds).not.toContain('PodDisruptionBudget');
    }
  });
});
