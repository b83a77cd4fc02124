/** `metallb migrate`: takes over a cluster that runs the original MetalLB, with every address where it is. */
import { join } from 'node:path';
import { stringify } from 'yaml';
import { SettingsError, messageOf } from '#core/errors.ts';
import { describeStep, planMigration, type MigrationPlan } from '#core/migrate/plan.ts';
import { kubeconfigOf, outputProblems, parseFlags, type Host } from '#cli/host.ts';
import { openCluster } from '#cli/open-cluster.ts';
import { collectBackup, writeBackup } from '#cli/migrate/backup.ts';
import { gatherMigration } from '#cli/migrate/gather.ts';
import { MigrationError, takeSteps } from '#cli/migrate/steps.ts';
import { readManifests } from '#cli/validate/documents.ts';
import type { KubeObject } from '#runtime/kube/types.ts';

export const usage = `metallb migrate [flags]

Takes over a cluster that runs the original MetalLB, installed by manifests, Helm or its operator: prints what it
found and the plan, and with --apply takes its steps. Every Service keeps its addresses. Exit code 1 when it cannot
be done, or a step did not come to its end.

  --apply                do it
  --backup FILE          where what is taken away or changed is kept (default metallb-backup.yaml)
  --manifest FILE        what installs our operator (default config/operator/install.yaml of this clone)
  --timeout SECONDS      how long one step may take (default 180)
  --namespace NAME       namespace of MetalLB (default metallb-system)
  --kubeconfig PATH      kubeconfig of the cluster ($KUBECONFIG)
  -o, --output FORMAT    text, json (default text); json is the plan only
`;

const FLAGS = {
  apply: { type: 'boolean', default: false },
  backup: { type: 'string', default: 'metallb-backup.yaml' },
  manifest: { type: 'string' },
  timeout: { type: 'string', default: '180' },
  namespace: { type: 'string', short: 'n', default: 'metallb-system' },
  kubeconfig: { type: 'string' },
  output: { type: 'string', short: 'o', default: 'text' },
} as const;

/** Of this clone. */
const INSTALL = join(import.meta.dirname, '..', '..', 'config', 'operator', 'install.yaml');

/** Runs the command; returns the exit code. Throws SettingsError for wrong flags, KubeError for the cluster. */
export async function migrateCommand(argv: readonly string[], host: Host): Promise<number> {
  const args = readArguments(argv, host.env);
  const installation = readInstallation(args.manifest, args.namespace);
  const { namespace } = args;
  await using opened = await openCluster(args.kubeconfig);
  const { client } = opened;
  const plan = planMigration(await gatherMigration({ client, namespace }));
  host.write(args.output === 'json' ? `${JSON.stringify(plan, null, 2)}\n` : textOf(plan, args));
  if (plan.blockers.length > 0) return 1;
  if (!args.apply) return 0;
  writeBackup(args.backup, await collectBackup(client, namespace));
  const migration = { client, namespace, ...installation, timeoutMs: args.timeoutMs, write: host.write };
  try {
    await takeSteps(migration, plan.steps);
  } catch (error) {
    if (!(error instanceof MigrationError)) throw error;
    host.warn(`metallb: ${messageOf(error)}\n${wayBack(args)}`);
    return 1;
  }
  host.write(`Done. What was there is in ${args.backup}.\n${wayBack(args)}`);
  return 0;
}

type Arguments = ReturnType<typeof readArguments>;

function readArguments(argv: readonly string[], env: Host['env']) {
  const { values, positionals } = parseFlags(argv, FLAGS);
  const { output } = values;
  const timeout = Number(values.timeout);
  const problems = [
    ...positionals.map((word) => `"${word}" is not a flag, and this command takes nothing else`),
    ...outputProblems(output),
    ...(output === 'json' && values.apply ? ['--output json is for the plan: leave out --apply'] : []),
    ...(timeout > 0 ? [] : [`--timeout: "${values.timeout}" is no number of seconds`]),
  ];
  if (problems.length > 0) throw new SettingsError(problems);
  return {
    ...values,
    manifest: values.manifest ?? INSTALL,
    timeoutMs: timeout * 1_000,
    kubeconfig: kubeconfigOf(values.kubeconfig, env),
  };
}

/** The manifest of the operator, moved to the namespace. Throws SettingsError when it is not one. */
function readInstallation(file: string, namespace: string): { crds: KubeObject[]; operator: KubeObject[] } {
  const { sources, unreadable } = readManifests([file]);
  const objects = sources.map(({ manifest }) => moved(manifest as KubeObject, namespace));
  const crds = objects.filter(({ kind }) => kind === 'CustomResourceDefinition');
  const operator = objects.filter(({ kind }) => kind !== 'CustomResourceDefinition');
  const problems = [
    ...unreadable.map(({ place, message }) => `--manifest: ${place.file}:${place.line}: ${message}`),
    ...(crds.length > 0 && operator.some(({ kind }) => kind === 'Deployment')
      ? []
      : [`--manifest: ${file} has no CRDs, or no Deployment of the operator`]),
  ];
  if (problems.length > 0) throw new SettingsError(problems);
  return { crds, operator };
}

const USUAL = 'metallb-system';

/** All mentions of the usual namespace become the one that is asked for. */
function moved(object: KubeObject, namespace: string): KubeObject {
  if (namespace === USUAL || object.kind === 'CustomResourceDefinition') return object;
  return JSON.parse(JSON.stringify(object).replaceAll(USUAL, namespace)) as KubeObject;
}

function textOf(plan: MigrationPlan, args: Arguments): string {
  const { from, image, spec, blockers, notes, steps } = plan;
  const lines = [
    `Found: MetalLB in namespace ${args.namespace}, installed by ${from} (${image === '' ? 'no workload' : image})`,
    'MetalLB object:',
    ...stringify({ spec })
      .trimEnd()
      .split('\n')
      .map((line) => `  ${line}`),
    ...blockers.map((blocker) => `cannot: ${blocker}`),
    ...notes.map((note) => `note: ${note}`),
    ...steps.map((step, index) => `${index + 1}. ${describeStep(step, args.namespace)}`),
    ...(blockers.length === 0 && !args.apply ? ['Nothing was changed. --apply takes these steps.'] : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** How to get back to the original from wherever the migration ended. */
function wayBack({ namespace, backup }: Arguments): string {
  return [
    'Back to the original (nothing is announced until its speakers run; Services keep their addresses):',
    `  kubectl -n ${namespace} delete deployment metallb-operator-controller-manager --ignore-not-found`,
    `  kubectl -n ${namespace} delete metallb metallb --cascade=foreground --ignore-not-found`,
    '  kubectl delete -f config/operator/rbac.yaml -f config/operator/networkpolicy.yaml --cascade=foreground --ignore-not-found',
    `  kubectl apply --server-side --force-conflicts -f ${backup}`,
    '',
  ].join('\n');
}
