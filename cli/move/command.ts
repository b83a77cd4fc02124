/** `metallb move`: an address to another node, or everything away from a node, and back. */
import { SettingsError } from '#core/errors.ts';
import { kubeconfigOf, parseFlags, type Host } from '#cli/host.ts';
import { openCluster } from '#cli/open-cluster.ts';
import { moveService, emptyNode, type Cluster, type Outcome } from '#cli/move/move.ts';

export const usage = `metallb move SERVICE --to NODE [flags]
metallb move SERVICE --undo [flags]
metallb move --node NODE --away [flags]
metallb move --node NODE --undo [flags]

Moves the Layer 2 announcement of a Service ([NAMESPACE/]NAME) to a node, or everything away from a node before
somebody touches it, and undoes that. Waits until it is done; exit code 1 when it is not within the time.

  --dry-run                    say what would be done, change nothing
  --timeout SECONDS            how long to wait (default 30)
  -n, --namespace NAME         namespace of the Service (default "default")
  --metallb-namespace NAME     namespace of MetalLB (default metallb-system)
  --kubeconfig PATH            kubeconfig of the cluster ($KUBECONFIG)
`;

const FLAGS = {
  to: { type: 'string' },
  node: { type: 'string' },
  away: { type: 'boolean' },
  undo: { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  timeout: { type: 'string' },
  namespace: { type: 'string', short: 'n' },
  'metallb-namespace': { type: 'string' },
  kubeconfig: { type: 'string' },
} as const;

/** Runs the command; returns the exit code. Throws SettingsError for wrong flags, KubeError for the cluster. */
export async function moveCommand(
  argv: readonly string[],
  host: Pick<Host, 'env' | 'write'>,
): Promise<number> {
  const args = readArguments(argv);
  await using opened = await openCluster(kubeconfigOf(args.kubeconfig, host.env));
  const cluster: Cluster = {
    client: opened.client,
    metallbNamespace: args['metallb-namespace'] ?? 'metallb-system',
    dryRun: args['dry-run'] ?? false,
    timeoutMs: args.timeoutMs,
    write: host.write,
  };
  const outcome = await args.run(cluster);
  return outcome === 'done' ? 0 : 1;
}

interface Arguments extends ReturnType<typeof parse> {
  readonly timeoutMs: number;
  readonly run: (cluster: Cluster) => Promise<Outcome>;
}

function readArguments(argv: readonly string[]): Arguments {
  const values = parse(argv);
  const timeout = Number(values.timeout ?? '30');
  if (!(timeout > 0)) throw new SettingsError([`--timeout: "${values.timeout}" is no number of seconds`]);
  return { ...values, timeoutMs: timeout * 1_000, run: jobOf(values) };
}

function jobOf(values: ReturnType<typeof parse>): Arguments['run'] {
  const { service, to, node, undo = false } = values;
  const ways = [to !== undefined, values.away === true, undo].filter(Boolean).length;
  if (ways === 1 && service !== undefined && node === undefined && values.away !== true) {
    const ref = named(service, values.namespace ?? 'default');
    return (cluster) => moveService(cluster, ref, to);
  }
  if (ways === 1 && service === undefined && node !== undefined && to === undefined)
    return (cluster) => emptyNode(cluster, node, !undo);
  throw new SettingsError([
    'say either SERVICE and one of --to NODE and --undo, or --node NODE and one of --away and --undo',
  ]);
}

function named(text: string, namespace: string): { readonly namespace: string; readonly name: string } {
  const slash = text.indexOf('/');
  return slash < 0
    ? { namespace, name: text }
    : { namespace: text.slice(0, slash), name: text.slice(slash + 1) };
}

function parse(argv: readonly string[]) {
  const { values, positionals } = parseFlags(argv, FLAGS);
  if (positionals.length > 1) throw new SettingsError([`too many names: ${positionals.join(' ')}`]);
  return { ...values, service: positionals[0] };
}
