/** The comparison behind tests/e2e/rights.test.ts: granted against used, both ways. */
import { describe, expect, it } from 'vitest';
import type { AuditEvent } from '#lab/control/audit.ts';
import { grantsOf, refused, textOf, unused, type Rbac } from '#tests/support/rights-audit.ts';
import { reasonFor } from '#tests/support/rights-reasons.ts';

const user = 'system:serviceaccount:metallb-system:speaker';
const rules = [
  { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'watch'] },
  { apiGroups: [''], resources: ['secrets'], resourceNames: ['mine'], verbs: ['delete'] },
  { apiGroups: ['metallb.io'], resources: ['metallbs/status'], verbs: ['patch'] },
];
const rbac: Rbac = {
  roles: [
    { namespace: 'metallb-system', name: 'speaker', rules },
    {
      namespace: '',
      name: 'everywhere',
      rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['list'] }],
    },
    { namespace: 'default', name: 'speaker', rules: [{ apiGroups: ['x'], resources: ['y'], verbs: ['z'] }] },
  ],
  bindings: [
    { namespace: 'metallb-system', role: { namespace: 'metallb-system', name: 'speaker' }, users: [user] },
    { namespace: '', role: { namespace: '', name: 'everywhere' }, users: [user, 'somebody'] },
  ],
};
const event = (verb: string, objectRef: AuditEvent['objectRef'] & object, code = 200): AuditEvent => ({
  verb,
  requestURI: `/${objectRef.resource ?? ''}?watch=1`,
  user: { username: user },
  objectRef,
  responseStatus: { code },
});

describe('rights granted and used', () => {
  const grants = grantsOf(rbac, [user]);
  const texts = (events: readonly AuditEvent[]) => unused(grants, events).map(textOf);

  it('every rule counts verb by verb and name by name, of bound roles and asked users only', () => {
    expect(grants.map(textOf)).toEqual([
      'speaker in metallb-system: get /secrets',
      'speaker in metallb-system: watch /secrets',
      'speaker in metallb-system: delete /secrets mine',
      'speaker in metallb-system: patch metallb.io/metallbs/status',
      'speaker everywhere: list /nodes',
    ]);
  });

  it('what was used is not told: by namespace, by name, by sub-resource', () => {
    const namespace = 'metallb-system';
    const metallb = { resource: 'metallbs', apiGroup: 'metallb.io', namespace, name: 'metallb' };
    expect(
      texts([
        event('get', { resource: 'secrets', namespace, name: 'any' }),
        event('watch', { resource: 'secrets', namespace: 'default' }),
        event('delete', { resource: 'secrets', namespace, name: 'other' }),
        event('patch', metallb),
        event('list', { resource: 'nodes' }),
      ]),
    ).toEqual([
      'speaker in metallb-system: watch /secrets',
      'speaker in metallb-system: delete /secrets mine',
      'speaker in metallb-system: patch metallb.io/metallbs/status',
    ]);
    expect(texts([event('patch', { ...metallb, subresource: 'status' })])).not.toContain(
      'speaker in metallb-system: patch metallb.io/metallbs/status',
    );
  });

  it('a refusal is told once', () => {
    const denied = event('get', { resource: 'secrets', namespace: 'default' }, 403);
    expect(refused([denied, denied, event('get', { resource: 'secrets' })])).toEqual([
      `${user} get /secrets`,
    ]);
  });

  it('a list has a reason beside a watch that is used, and no other right has one for nothing', () => {
    const all = [
      { user, namespace: '', resource: '/nodes', name: '', verb: 'list' },
      { user, namespace: '', resource: '/nodes', name: '', verb: 'watch' },
      { user, namespace: '', resource: '/nodes', name: '', verb: 'delete' },
    ] as const;
    const [list, watch, deletion] = all;
    expect(reasonFor(list, all, [list, deletion])).toMatch(/streaming/);
    expect(reasonFor(list, all, [list, watch, deletion])).toBeUndefined();
    expect(reasonFor(deletion, all, [list, deletion])).toBeUndefined();
  });
});
