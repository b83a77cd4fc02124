import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { judge } from '#cli/validate/command.ts';
import { parseManifests } from '#cli/validate/documents.ts';
import { metallbResources } from '#core/api/resources.ts';
import { corpus } from '#tests/support/config-corpus.ts';
import type { TestObject } from '#tests/support/config-factories.ts';
import { idsOf } from '#tests/support/rule-ids.ts';

/** The same cases as tests/integration/api/webhooks.test.ts runs through the API server. */
const manifest = ({ kind, metadata: { name, namespace }, spec }: TestObject): string => {
  const { group, version } = metallbResources[kind];
  return stringify({ apiVersion: `${group}/${version}`, kind, metadata: { name, namespace }, spec });
};

describe('metallb validate, and with it compile, gives the verdicts of the cluster', () => {
  it.each(corpus)('$name', ({ name, objects, denied }) => {
    const text = objects.map(manifest).join('---\n');
    const lines = judge(parseManifests(text, 'f.yaml'), [], { namespace: 'metallb-system', complete: false });
    const errors = lines.filter(({ severity }) => severity === 'error');
    if (denied === undefined) {
      expect(errors).toEqual([]);
      return;
    }
    expect(errors.map(({ message }) => message).join('\n')).toContain(denied);
    const ids = idsOf(name);
    if (ids.length > 0) expect(ids).toContain(errors[0]?.code);
  });
});
