/** Why an account has a right that the tour of tests/e2e/rights.test.ts does not use. */
import type { Grant } from './rights-audit.ts';

interface Reason {
  readonly account: RegExp;
  readonly resource: RegExp;
  /** Names of single objects; absent: whatever the grant is for. */
  readonly name?: RegExp;
  readonly verb: RegExp;
  readonly because: string;
}

const anybody = /./;

const reasons: readonly Reason[] = [
  {
    account: anybody,
    resource: /^\/events$/,
    verb: /^patch$/,
    because: 'an Event that comes again is counted instead of written again',
  },
  {
    account: anybody,
    resource: /^(config|security)\.openshift\.io\//,
    verb: anybody,
    because: 'OpenShift only, which the lab is not',
  },
  {
    account: anybody,
    resource: /^monitoring\.coreos\.com\//,
    verb: anybody,
    because: "only where the kinds of Prometheus' operator are installed",
  },
  {
    account: anybody,
    resource: /^frrk8s\.metallb\.io\//,
    verb: anybody,
    because: 'backend frr-k8s-external only',
  },
  {
    account: /^manager-account$/,
    resource: /^\/services$/,
    verb: /^(create|delete|patch)$/,
    because: 'Services of monitors, where those are wanted',
  },
  {
    account: /^manager-account$/,
    resource: /^\/secrets$/,
    name: /^metrics-token$/,
    verb: /^(delete|patch)$/,
    because: 'the token of PodMonitors, where those are wanted',
  },
  {
    account: /^manager-account$/,
    resource: /^rbac\.authorization\.k8s\.io\/clusterrole(binding)?s$/,
    name: /:metrics-reader$/,
    verb: /^(create|delete|patch)$/,
    because: 'what that token may do',
  },
  {
    account: /^manager-account$/,
    resource: /^\/(endpoints|pods|services)$/,
    verb: /^(get|list|watch)$/,
    because: 'OpenShift: the Prometheus of the cluster is let to see them',
  },
  {
    account: /^manager-account$/,
    resource: /^metallb\.io\/metallbs\/finalizers$/,
    verb: /^update$/,
    because: 'OpenShift: owner references that block the deletion of the owner',
  },
  {
    account: /^controller$/,
    resource: /^\/services$/,
    verb: /^get$/,
    because: 'a status that met a newer version of the Service is written to that one',
  },
  {
    account: /^controller$/,
    resource: /^metallb\.io\/ipreservations$/,
    verb: /^delete$/,
    because: 'a reservation goes when its time is over or its Service is back',
  },
  {
    account: /^(controller|speaker)$/,
    resource: /^metallb\.io\/configurationstates$/,
    verb: /^delete$/,
    because: 'OpenShift: whose an object is changes only who may delete it',
  },
  {
    account: /^(controller|speaker)$/,
    resource: /^metallb\.io\/(configurationstates|bgpsessionstates)$/,
    verb: /^patch$/,
    because: 'labels and owner are put right: after a restart, or when somebody changed them',
  },
];

/** Rights that come with another one, which was used. */
const companions: readonly { readonly verb: string; readonly of: string; readonly because: string }[] = [
  {
    verb: 'list',
    of: 'watch',
    because: 'API servers without streaming lists are asked for a list before the watch',
  },
  {
    verb: 'create',
    of: 'patch',
    because: 'asked for inside a server-side apply (patch) of what is not there; the log has the patch',
  },
  {
    verb: 'delete',
    of: 'patch',
    because:
      'what is applied is pruned when it is no longer wanted; most goes with the MetalLB object by itself',
  },
];

/** The reason, or undefined. `all`: every grant; `idle`: those that were not used. */
export function reasonFor(grant: Grant, all: readonly Grant[], idle: readonly Grant[]): string | undefined {
  const account = grant.user.slice(grant.user.lastIndexOf(':') + 1);
  const isManager = account === 'manager-account';
  if (isManager && all.some((other) => other.user !== grant.user && covers(other, grant, grant.verb)))
    return 'held to be granted: RBAC lets nobody grant what he has not';
  const isUsed = (verb: string): boolean =>
    all.some((other) => other.user === grant.user && covers(other, grant, verb) && !idle.includes(other));
  const companion = companions.find(
    ({ verb, of }) => verb === grant.verb && (verb === 'list' || isManager) && isUsed(of),
  );
  if (companion !== undefined) return companion.because;
  return reasons.find(
    (reason) =>
      reason.account.test(account) &&
      reason.resource.test(grant.resource) &&
      (reason.name === undefined || reason.name.test(grant.name)) &&
      reason.verb.test(grant.verb),
  )?.because;
}

function covers(other: Grant, grant: Grant, verb: string): boolean {
  return (
    other.resource === grant.resource &&
    other.verb === verb &&
    other.namespace === grant.namespace &&
    other.name === grant.name
  );
}
