/** `metallb simulate`: which addresses Services would get, and why; nothing is written anywhere. */
import { SettingsError } from '#core/errors.ts';
import { remedyFor, simulate, type Outcome } from '#core/ipam/simulate.ts';
import { readCluster } from '#cli/validate/cluster.ts';
import { readManifests } from '#cli/validate/documents.ts';
import { kubeconfigOf, outputProblems, parseFlags, type Host } from '#cli/host.ts';
import { simulationOf } from '#cli/simulate/input.ts';

export const usage = `metallb simulate [flags] [FILE|FOLDER|-]...

Says which address each Service of type LoadBalancer would get, from which pool and why, with the controller's own
decisions and in its order. Touches nothing. Exit code 1 when a Service is left without what it asks for, or when
something is wrong with the configuration.

  --live                 start from the cluster, and put the files on top
  --namespace NAME       namespace of the configuration (default metallb-system)
  --lb-class CLASS       the controller's --lb-class
  --single-stack         Services in files get cluster IPs of one family unless they require two
  --kubeconfig PATH      kubeconfig of the cluster ($KUBECONFIG)
  -o, --output FORMAT    text, json (default text)
`;

const FLAGS = {
  live: { type: 'boolean', default: false },
  namespace: { type: 'string', short: 'n', default: 'metallb-system' },
  'lb-class': { type: 'string', default: '' },
  'single-stack': { type: 'boolean', default: false },
  kubeconfig: { type: 'string' },
  output: { type: 'string', short: 'o', default: 'text' },
} as const;

/** Runs the command; returns the exit code. Throws SettingsError for wrong flags, KubeError for the cluster. */
export async function simulateCommand(
  argv: readonly string[],
  host: Pick<Host, 'env' | 'write'>,
): Promise<number> {
  const args = readArguments(argv, host.env);
  const { namespace, lbClass, singleStack, output } = args;
  const { sources, unreadable } = readManifests(args.paths);
  const cluster = args.live ? await readCluster(args.kubeconfig, namespace, 'allocations') : [];
  const { input, problems: wrong } = simulationOf({
    files: sources.map(({ manifest }) => manifest),
    cluster,
    namespace,
    lbClass,
    singleStack,
  });
  const errors = [
    ...unreadable.map(({ place, message }) => `${place.file}:${place.line}: ${message}`),
    ...wrong,
  ];
  const outcomes = simulate(input);
  host.write(output === 'json' ? json(outcomes, errors) : text(outcomes, errors));
  return errors.length > 0 || outcomes.some(({ waitsFor }) => waitsFor !== undefined) ? 1 : 0;
}

function readArguments(argv: readonly string[], env: Host['env']) {
  const { values, positionals } = parseFlags(argv, FLAGS);
  const { live, output } = values;
  const problems = [
    ...(positionals.length === 0 && !live
      ? ['nothing to simulate: name files or folders, - for standard input, or --live']
      : []),
    ...outputProblems(output),
  ];
  if (problems.length > 0) throw new SettingsError(problems);
  return {
    paths: positionals,
    live,
    output,
    namespace: values.namespace,
    lbClass: values['lb-class'],
    singleStack: values['single-stack'],
    kubeconfig: kubeconfigOf(values.kubeconfig, env),
  };
}

function remedyOf({ waitsFor }: Outcome): string | undefined {
  return waitsFor === undefined ? undefined : remedyFor(waitsFor);
}

function json(outcomes: readonly Outcome[], errors: readonly string[]): string {
  const services = outcomes.map((outcome) => ({ ...outcome, remedy: remedyOf(outcome) }));
  return `${JSON.stringify({ services, errors }, null, 2)}\n`;
}

function text(outcomes: readonly Outcome[], errors: readonly string[]): string {
  const count = (change: Outcome['change']): string =>
    `${outcomes.filter((outcome) => outcome.change === change).length} ${change}`;
  const summary = (['keeps', 'gains', 'moves', 'loses', 'waits'] as const).map(count).join(', ');
  const lines = [...errors.map((error) => `error: ${error}`), ...outcomes.flatMap(linesOf)];
  return `${[...lines, `${outcomes.length} Services: ${summary}`].join('\n')}\n`;
}

function linesOf(outcome: Outcome): string[] {
  const { service, change, before, after, pool, reason, events, pools } = outcome;
  const from = before.length > 0 && change !== 'keeps' ? `${before.join(', ')} -> ` : '';
  const to = after.length === 0 ? 'no address' : `${after.join(', ')} (pool ${pool ?? 'unknown'})`;
  const remedy = remedyOf(outcome);
  return [
    `${service}: ${change} ${from}${to}: ${reason}`,
    ...events.map((event) => `  event   ${event}`),
    ...pools.map(({ name, verdict }) => `  pool    ${name}: ${verdict}`),
    ...(remedy === undefined ? [] : [`  remedy  ${remedy}`]),
  ];
}
