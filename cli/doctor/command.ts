/** `metallb doctor`: what keeps a cluster, or this machine as a node of it, from announcing addresses. */
import { SettingsError } from '#core/errors.ts';
import { examine, type Gathered } from '#core/doctor/check.ts';
import { clusterChecks } from '#core/doctor/cluster-checks.ts';
import { nothingKnown, type ClusterFacts } from '#core/doctor/cluster-facts.ts';
import { hostChecks, hostOnlyChecks } from '#core/doctor/host-checks.ts';
import { nothingOfHost, type HostAndCluster } from '#core/doctor/host-facts.ts';
import { kubeconfigOf, outputProblems, parseFlags, type Host } from '#cli/host.ts';
import { openCluster } from '#cli/open-cluster.ts';
import { gatherCluster } from '#cli/doctor/cluster.ts';
import { gatherHost } from '#cli/doctor/machine.ts';
import { exitCode, jsonReport, textReport, type Section } from '#cli/doctor/report.ts';

export const usage = `metallb doctor [flags]

Checks a cluster, before and after MetalLB is installed, and with --host this machine as a node of it. Changes
nothing. Exit code 1 when an error is found, 2 when none is but something could not be found out; warnings do not count.

  --host                 look at this machine, too: ports, BGP daemons, sysctls, kernel (as root)
  --no-cluster           only at this machine
  --namespace NAME       namespace of MetalLB (default metallb-system)
  --kubeconfig PATH      kubeconfig of the cluster ($KUBECONFIG)
  -o, --output FORMAT    text, json (default text)
`;

const FLAGS = {
  host: { type: 'boolean', default: false },
  'no-cluster': { type: 'boolean', default: false },
  namespace: { type: 'string', short: 'n', default: 'metallb-system' },
  kubeconfig: { type: 'string' },
  output: { type: 'string', short: 'o', default: 'text' },
} as const;

/** Runs the command; returns the exit code. Throws SettingsError for wrong flags, KubeError for a cluster that does not answer. */
export async function doctorCommand(
  argv: readonly string[],
  host: Pick<Host, 'env' | 'write'>,
): Promise<number> {
  const args = readArguments(argv, host.env);
  const cluster = args.cluster ? await readCluster(args) : undefined;
  const sections: Section[] = [];
  if (cluster !== undefined)
    sections.push({ about: 'cluster', results: examine(clusterChecks, cluster, nothingKnown) });
  if (args.host) sections.push({ about: 'host', results: examineHost(cluster) });
  host.write(args.output === 'json' ? jsonReport(sections) : textReport(sections));
  return exitCode(sections);
}

type Arguments = ReturnType<typeof readArguments>;

async function readCluster({ kubeconfig, namespace }: Arguments): Promise<Gathered<ClusterFacts>> {
  await using opened = await openCluster(kubeconfig);
  return await gatherCluster(opened.client, namespace);
}

/** Without a cluster, checks that are about its objects are left out. */
function examineHost(cluster: Gathered<ClusterFacts> | undefined): Section['results'] {
  const { proxy } = nothingKnown;
  const of = cluster ?? { pools: { value: [] }, peers: { value: [] }, proxy: { value: proxy } };
  // Where kube-proxy is not seen in the cluster, this machine still shows what it does.
  const seen = 'unread' in of.proxy ? { value: proxy } : of.proxy;
  const gathered = { ...gatherHost(), pools: of.pools, peers: of.peers, proxy: seen };
  const checks = cluster === undefined ? hostOnlyChecks : hostChecks;
  return examine<HostAndCluster>(checks, gathered, { ...nothingOfHost, pools: [], peers: [], proxy });
}

function readArguments(argv: readonly string[], env: Host['env']) {
  const { values, positionals } = parseFlags(argv, FLAGS);
  const { output } = values;
  const problems = [
    ...positionals.map((word) => `"${word}" is not a flag, and this command takes nothing else`),
    ...outputProblems(output),
    ...(values['no-cluster'] && !values.host
      ? ['--no-cluster leaves nothing to look at without --host']
      : []),
  ];
  if (problems.length > 0) throw new SettingsError(problems);
  return {
    host: values.host,
    cluster: !values['no-cluster'],
    namespace: values.namespace,
    kubeconfig: kubeconfigOf(values.kubeconfig, env),
    output,
  };
}
