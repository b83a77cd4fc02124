/** What service accounts may do, compared with what they did: both ways. */
import type { AuditEvent } from '#lab/control/audit.ts';

export interface PolicyRule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** Roles with their rules, and what binds them to accounts, as a cluster has them. */
export interface Rbac {
  readonly roles: readonly {
    readonly namespace: string;
    readonly name: string;
    readonly rules: readonly PolicyRule[];
  }[];
  readonly bindings: readonly {
    /** Empty: everywhere. */
    readonly namespace: string;
    readonly role: { readonly namespace: string; readonly name: string };
    /** Full names: `system:serviceaccount:NAMESPACE:NAME`. */
    readonly users: readonly string[];
  }[];
}

/** One verb on one resource. Empty `namespace`: everywhere; empty `name`: any. */
export interface Grant {
  readonly user: string;
  readonly namespace: string;
  /** `group/resource`, `/secrets` of the core group, with its sub-resource: `metallb.io/metallbs/status`. */
  readonly resource: string;
  readonly name: string;
  readonly verb: string;
}

/** Every single grant of the users. */
export function grantsOf({ roles, bindings }: Rbac, users: readonly string[]): Grant[] {
  const grants = bindings.flatMap(({ namespace, role, users: bound }) => {
    const rules = roles.find(
      ({ namespace, name }) => namespace === role.namespace && name === role.name,
    )?.rules;
    const ours = bound.filter((user) => users.includes(user));
    return ours.flatMap((user) => (rules ?? []).flatMap((rule) => singles(rule, { user, namespace })));
  });
  return [...new Map(grants.map((grant) => [textOf(grant), grant])).values()];
}

function singles(rule: PolicyRule, where: Pick<Grant, 'user' | 'namespace'>): Grant[] {
  const names =
    rule.resourceNames === undefined || rule.resourceNames.length === 0 ? [''] : rule.resourceNames;
  return (rule.apiGroups ?? []).flatMap((group) =>
    (rule.resources ?? []).flatMap((resource) =>
      names.flatMap((name) =>
        rule.verbs.map((verb) => ({ ...where, resource: `${group}/${resource}`, name, verb })),
      ),
    ),
  );
}

/** What an event used, or would have. Undefined for paths that are no resources. */
function usedBy({ verb, user, objectRef }: AuditEvent): Grant | undefined {
  if (objectRef?.resource === undefined) return undefined;
  const { resource, subresource, apiGroup = '', namespace = '', name = '' } = objectRef;
  const full = subresource === undefined ? resource : `${resource}/${subresource}`;
  return { user: user.username, namespace, resource: `${apiGroup}/${full}`, name, verb };
}

/** Grants that no request used. */
export function unused(grants: readonly Grant[], events: readonly AuditEvent[]): Grant[] {
  const uses = new Map<string, Grant[]>();
  for (const event of events) {
    const use = usedBy(event);
    if (use === undefined) continue;
    const key = `${use.user} ${use.resource} ${use.verb}`;
    uses.set(key, [...(uses.get(key) ?? []), use]);
  }
  return grants.filter(({ user, resource, verb, namespace, name }) => {
    const same = uses.get(`${user} ${resource} ${verb}`) ?? [];
    return !same.some(
      (use) => (namespace === '' || namespace === use.namespace) && (name === '' || name === use.name),
    );
  });
}

/** Requests that the API server refused for lack of a right, in words; each once. */
export function refused(events: readonly AuditEvent[]): string[] {
  const denied = events.filter(
    ({ annotations, responseStatus }) =>
      annotations?.['authorization.k8s.io/decision'] === 'forbid' || responseStatus?.code === 403,
  );
  return [
    ...new Set(
      denied.map((event) => `${event.user.username} ${event.verb} ${event.requestURI.split('?')[0]}`),
    ),
  ];
}

/** `controller (metallb-system): get /secrets NAME` */
export function textOf({ user, namespace, resource, name, verb }: Grant): string {
  const account = user.slice(user.lastIndexOf(':') + 1);
  const where = namespace === '' ? 'everywhere' : `in ${namespace}`;
  return `${account} ${where}: ${verb} ${resource}${name === '' ? '' : ` ${name}`}`;
}
