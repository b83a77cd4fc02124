/**
 * The lab's topology on a machine with Docker: a kind cluster, a router with FRR, a client (kind/README.md).
 *
 *   node tools/bootstrap.mjs kind/main.ts up | down
 */
import { join, resolve } from 'node:path';
import { messageOf } from '#core/errors.ts';
import { LabError } from '#lab/errors.ts';
import { run, tryRun } from '#lab/process/run.ts';
import { waitFor } from '#lab/process/wait.ts';
import { StreamReporter } from '#lab/report.ts';
import { findCommand } from '#lab/system/packages.ts';
import * as topology from './topology.ts';

const repository = resolve(import.meta.dirname, '..');
const report = new StreamReporter('kind');
const SLOW = { timeoutMs: 900_000 };

async function assertTools(): Promise<void> {
  const missing = ['docker', 'kind', 'kubectl'].find((command) => findCommand(command) === undefined);
  if (missing !== undefined) throw new LabError(`${missing} is missing: install it, or use "npm run lab"`);
  const answer = await tryRun(['docker', 'version', '--format', '{{.Server.Version}}']);
  if (answer.code !== 0)
    throw new LabError(`the Docker daemon does not answer: ${answer.stderr.trim()}; start it`);
}

async function addresses(container: string): Promise<topology.DualStack> {
  return topology.addressesIn(topology.LAN_NETWORK, await run(['docker', 'inspect', container]));
}

async function workers(): Promise<readonly string[]> {
  const names = (await run(['kind', 'get', 'nodes', '--name', topology.CLUSTER])).trim().split('\n');
  return names.filter((name) => !name.includes('control-plane')).sort();
}

async function up(): Promise<void> {
  await assertTools();
  report.step('building the image');
  await run(['docker', 'build', '--tag', topology.IMAGE, repository], SLOW);
  report.step('creating the cluster');
  await run(['kind', 'create', 'cluster', '--config', join(repository, 'kind/cluster.yaml')], SLOW);
  await run(['kind', 'load', 'docker-image', topology.IMAGE, '--name', topology.CLUSTER], SLOW);
  report.step('starting router and client');
  await run(topology.clientNetworkCommand());
  await run(topology.routerCommand());
  await run(topology.connectRouterCommand());
  await run(topology.clientCommand());
  const nodes = await workers();
  const router = await addresses(topology.ROUTER);
  for (const command of topology.routeCommands(router, nodes)) await run(command);
  await configureRouter(topology.routerConfig(router, await Promise.all(nodes.map(addresses))));
  report.step(
    `up. Try: kubectl --context kind-${topology.CLUSTER} get nodes; docker exec ${topology.ROUTER} vtysh -c 'show bgp summary'`,
  );
}

async function configureRouter(config: string): Promise<void> {
  const inRouter = ['docker', 'exec', '--interactive', topology.ROUTER];
  await waitFor(
    'the daemons of the router',
    async () => (await tryRun([...inRouter, '/frr-healthy'])).code === 0,
  );
  await run([...inRouter, 'tee', '/etc/frr/frr.conf'], { input: config });
  await run([...inRouter, 'vtysh', '-f', '/etc/frr/frr.conf']);
}

async function down(): Promise<void> {
  await assertTools();
  await tryRun(['docker', 'rm', '--force', topology.ROUTER, topology.CLIENT], SLOW);
  await run(['kind', 'delete', 'cluster', '--name', topology.CLUSTER], SLOW);
  await tryRun(['docker', 'network', 'rm', topology.CLIENT_NETWORK]);
  report.step('down');
}

try {
  const [command] = process.argv.slice(2);
  if (command === 'up') await up();
  else if (command === 'down') await down();
  else throw new LabError('usage: node tools/bootstrap.mjs kind/main.ts up | down', { exitCode: 64 });
} catch (error) {
  process.stderr.write(`kind: ${messageOf(error)}\n`);
  process.exitCode = error instanceof LabError ? error.exitCode : 1;
}
