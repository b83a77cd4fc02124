/**
 * The way from the original MetalLB to ours in the same namespace, with every address where it is: the old speakers
 * keep announcing until, node by node, ours is ready there.
 */
import type { MetalLBSpec } from '#core/config/metallb.ts';
import type { MigrationFacts, OldWorkload } from '#core/migrate/facts.ts';
import { specOf } from '#core/migrate/spec.ts';
import { labelsText } from '#core/model/selector.ts';

type Labels = Readonly<Record<string, string>>;

export type Step =
  /** Puts our CRDs in place of those that are there; what is stored stays. */
  | { readonly do: 'replace-crds' }
  /** Deletes an object; `pods`: whether its pods go on running. */
  | {
      readonly do: 'delete';
      readonly kind: 'Deployment' | 'DaemonSet' | 'ValidatingWebhookConfiguration' | 'Secret';
      readonly name: string;
      readonly pods?: 'keep' | 'end';
    }
  /** Waits until no pod with these labels is left. */
  | { readonly do: 'wait-gone'; readonly labels: Labels }
  /** Gives pods that go on running the labels that our DaemonSet selects, so that it takes them over. */
  | { readonly do: 'label-pods'; readonly from: Labels; readonly labels: Labels }
  | { readonly do: 'install-operator' }
  /** `swap`: pods are replaced only where they are deleted. */
  | { readonly do: 'apply-metallb'; readonly spec: MetalLBSpec; readonly phase: 'swap' | 'final' }
  /** Ends the old pods of a node and waits until our speaker there is ready. */
  | { readonly do: 'swap-node'; readonly node: string; readonly alsoEnd: readonly Labels[] }
  /** Deletes what was the original's and has not become ours. */
  | { readonly do: 'remove-leftovers' }
  | { readonly do: 'compare-addresses' };

export interface MigrationPlan {
  readonly from: 'helm' | 'operator' | 'manifests';
  /** Image of the old controller or speaker. */
  readonly image: string;
  readonly spec: MetalLBSpec;
  /** Why it cannot be done; each with what to do. The steps are empty then. */
  readonly blockers: readonly string[];
  /** What somebody should know before. */
  readonly notes: readonly string[];
  readonly steps: readonly Step[];
}

/** What our workloads select their pods by. */
export const ourLabels = { app: 'metallb', component: 'speaker' } as const;

export function planMigration(facts: MigrationFacts): MigrationPlan {
  const spec = specOf(facts);
  const blockers = blockersOf(facts);
  const [first] = facts.workloads.filter(
    ({ component }) => component === 'speaker' || component === 'controller',
  );
  return {
    from: roadOf(facts),
    image: first?.pod.containers[0]?.image ?? '',
    spec,
    blockers,
    notes: notesOf(facts, spec),
    steps: blockers.length > 0 ? [] : stepsOf(facts, spec),
  };
}

function roadOf({ workloads, helmSecrets }: MigrationFacts): MigrationPlan['from'] {
  if (workloads.some(({ component }) => component === 'operator')) return 'operator';
  return helmSecrets.length > 0 ? 'helm' : 'manifests';
}

function blockersOf(facts: MigrationFacts): string[] {
  const has = (component: OldWorkload['component']) =>
    facts.workloads.some((workload) => workload.component === component);
  const moved = facts.fates.filter(
    ({ before, after }) => before.length > 0 && [...before].sort().join() !== [...after].sort().join(),
  );
  return [
    ...(facts.isOursThere
      ? ['Our MetalLB runs in this namespace already: nothing is left to take over.']
      : []),
    ...(has('speaker') || has('controller') || facts.isOursThere
      ? []
      : [
          `No MetalLB runs in namespace ${facts.namespace}${facts.elsewhere.length > 0 ? `, but in ${facts.elsewhere.join(', ')}` : ''}: say --namespace.`,
        ]),
    ...facts.addressPools.map(
      (name) =>
        `AddressPool ${name}: nobody reads this kind any more. Write it as IPAddressPool and an advertisement.`,
    ),
    ...facts.problems.map((problem) => `Configuration: ${problem}`),
    ...moved.map(
      ({ service, before, after, reason }) =>
        `Service ${service} would not keep ${before.join(', ')} (${after.length === 0 ? 'none' : after.join(', ')}): ${reason}. metallb simulate --live shows why.`,
    ),
    ...(has('frr-k8s')
      ? facts.userFrrConfigurations.map(
          (name) =>
            `FRRConfiguration ${name} is not MetalLB's, and goes with frr-k8s: run frr-k8s in a namespace of its own, with MetalLB's backend frr-k8s-external, or remove the object.`,
        )
      : []),
  ];
}

/** Of the old speaker; others are settings of our operator. */
const usualPorts: Readonly<Record<string, string>> = { METALLB_ML_BIND_PORT: '7946' };

function notesOf(facts: MigrationFacts, spec: MetalLBSpec): string[] {
  const speaker = facts.workloads.find(({ component }) => component === 'speaker');
  const env = speaker?.pod.containers.find(({ name }) => name === 'speaker')?.env ?? {};
  return [
    ...Object.entries(usualPorts).flatMap(([name, usual]) =>
      env[name] === undefined || env[name] === usual
        ? []
        : [
            `${name} is ${env[name]}: set MEMBER_LIST_BIND_PORT of our operator if ${usual} is taken on the nodes.`,
          ],
    ),
    ...(spec.bgpBackend === 'frr-k8s'
      ? [
          'frr-k8s ends on each node as our speaker starts there: its BGP sessions are made anew, one node at a time.',
        ]
      : [
          'BGP sessions are made anew, one node at a time: with several nodes announcing, the router keeps a path.',
        ]),
    ...(facts.helmSecrets.length > 0
      ? [
          'Helm forgets the release (its Secrets are in the backup): helm uninstall would delete the CRDs, and with them all configuration.',
        ]
      : []),
    ...(roadOf(facts) === 'operator'
      ? [
          "NetworkPolicies operator and webhook-service of the original's operator stay, since they have no label that tells them from yours: delete them in the end.",
        ]
      : []),
    ...(facts.nodes.length === 1
      ? ['There is one speaker only: what it announces is not answered for while it is replaced.']
      : []),
  ];
}

function stepsOf(facts: MigrationFacts, spec: MetalLBSpec): Step[] {
  const of = (component: OldWorkload['component']) =>
    facts.workloads.filter((workload) => workload.component === component);
  const end = (workloads: readonly OldWorkload[]): Step[] =>
    workloads.flatMap(({ kind, name, matchLabels }): Step[] => [
      { do: 'delete', kind, name, pods: 'end' },
      { do: 'wait-gone', labels: matchLabels },
    ]);
  const keep = (workloads: readonly OldWorkload[]): Step[] =>
    workloads.map(({ kind, name }): Step => ({ do: 'delete', kind, name, pods: 'keep' }));
  const routers = of('frr-k8s').filter(({ kind }) => kind === 'DaemonSet');
  return [
    ...end(of('operator')),
    ...facts.webhooks.map((name): Step => ({ do: 'delete', kind: 'ValidatingWebhookConfiguration', name })),
    ...end(of('webhook-server')),
    ...end(of('frr-k8s').filter(({ kind }) => kind === 'Deployment')),
    { do: 'replace-crds' },
    ...end(of('controller')),
    ...keep([...of('speaker'), ...routers]),
    ...of('speaker').flatMap(({ matchLabels }): Step[] =>
      isSelected(matchLabels) ? [] : [{ do: 'label-pods', from: matchLabels, labels: ourLabels }],
    ),
    { do: 'install-operator' },
    { do: 'apply-metallb', spec: swapping(spec), phase: 'swap' },
    ...facts.nodes.map((node): Step => ({
      do: 'swap-node',
      node,
      alsoEnd: routers.map(({ matchLabels }) => matchLabels),
    })),
    { do: 'apply-metallb', spec, phase: 'final' },
    ...facts.helmSecrets.map((name): Step => ({ do: 'delete', kind: 'Secret', name })),
    { do: 'remove-leftovers' },
    { do: 'compare-addresses' },
  ];
}

/** Our DaemonSet takes over orphans that have its labels. */
function isSelected(labels: Labels): boolean {
  return labels['app'] === ourLabels.app && labels['component'] === ourLabels.component;
}

function swapping(spec: MetalLBSpec): MetalLBSpec {
  return { ...spec, speakerConfig: { ...spec.speakerConfig, updateStrategy: { type: 'OnDelete' } } };
}

const words: { readonly [D in Step['do']]: (step: Extract<Step, { do: D }>, namespace: string) => string } = {
  'replace-crds': () =>
    'replace the CRDs of the group by ours; what is stored stays, no conversion webhook is needed any more',
  delete: ({ kind, name, pods }) =>
    `delete ${kind} ${name}${pods === 'keep' ? '; its pods go on running' : ''}`,
  'wait-gone': ({ labels }) => `wait until its pods (${labelsText(labels)}) are gone`,
  'label-pods': ({ from, labels }) =>
    `label the pods ${labelsText(from)} with ${labelsText(labels)}, so that our DaemonSet takes them over`,
  'install-operator': (_, namespace) => `install our operator in namespace ${namespace}`,
  'apply-metallb': ({ phase }) =>
    phase === 'swap'
      ? 'apply MetalLB metallb, with speakers that are replaced only where a pod is deleted, and wait for the controller'
      : 'apply MetalLB metallb as it is to stay, and wait until it is Available',
  'swap-node': ({ node, alsoEnd }) =>
    `node ${node}: end the old speaker${alsoEnd.length > 0 ? ' and frr-k8s' : ''}, and wait until ours is ready there`,
  'remove-leftovers': () =>
    "delete what was the original's and has not become ours (roles, services, secrets, config maps)",
  'compare-addresses': () => 'compare the addresses of all Services with those before',
};

/** A step in words. */
export function describeStep<D extends Step['do']>(
  step: Extract<Step, { do: D }>,
  namespace: string,
): string {
  const describe = words[step.do] as (step: Extract<Step, { do: D }>, namespace: string) => string;
  return describe(step, namespace);
}
