/** `metallb render`: the frr.conf or FRRConfiguration of a node, without applying anything. */
import { SettingsError } from '#core/errors.ts';
import { nodeModel, type NodeModel } from '#core/frr/node-model.ts';
import type { Manifest } from '#core/config/validate.ts';
import type { Host } from '#cli/host.ts';
import { readArguments, sharedUsage, type RenderArguments } from '#cli/render/arguments.ts';
import { chosenNodes, readFiles, readLive, showing, type ShownNode } from '#cli/render/nodes.ts';
import { snapshotOf } from '#cli/render/sources.ts';
import { overlay } from '#cli/validate/overlay.ts';

export const usage = `metallb render [flags] [FILE|FOLDER|-]...

Shows the frr.conf (or FRRConfiguration) that the speaker of a node makes of a configuration. Passwords are hidden. Problems go to standard
error; exit code 1 when some object is left out because of one.

  --live                 read the cluster; files count as if they were applied to it
  -o, --output FORMAT    text, json (default text)
${sharedUsage}`;

interface Rendered extends ShownNode {
  readonly node: string;
  readonly withheld: NodeModel['withheld'];
}

/** Runs the command; returns the exit code. Throws SettingsError, KubeError, and AppError for unreadable files. */
export async function renderCommand(argv: readonly string[], host: Host): Promise<number> {
  const args = readArguments(argv, host.env);
  if (args.paths.length === 0 && !args.live)
    throw new SettingsError(['nothing to render: name files or folders, - for standard input, or --live']);
  const files = readFiles(args.paths);
  const rendered = renderNodes(args.live ? await readLive(args) : [], files, args);
  if (args.format === 'json') host.write(`${JSON.stringify(rendered, null, 2)}\n`);
  else host.write(asText(rendered, args));
  for (const { problems } of rendered) for (const line of problems) host.warn(`${line}\n`);
  if (args.format === 'text') tellWithheld(rendered, host);
  return rendered.some(({ problems }) => problems.length > 0) ? 1 : 0;
}

/** Every chosen node. On top of a cluster an edit gives way to what is in force, as it does in a running speaker. */
export function renderNodes(
  cluster: readonly Manifest[],
  files: readonly Manifest[],
  args: RenderArguments,
): Rendered[] {
  const { namespace, flags, nodes } = args;
  const before = snapshotOf(cluster, args);
  const snapshot = snapshotOf(overlay(cluster, files, namespace), args);
  const chosen = chosenNodes(snapshot, nodes);
  if (chosen.length === 0) throw new SettingsError(['no Node is among the manifests: name one with --node']);
  const show = showing(args);
  return chosen.map((node) => {
    const { lastGood } = nodeModel(before, node, flags);
    const made = nodeModel(snapshot, node, flags, lastGood);
    return { node: node.name, ...show(made, node), withheld: made.withheld };
  });
}

function asText(rendered: readonly Rendered[], { nodes, external }: RenderArguments): string {
  const [isSingle, isExternal] = [nodes.length === 1, external !== undefined];
  if (isSingle) return rendered.map(({ config }) => config).join('');
  // One object after the other is YAML again.
  if (isExternal) return rendered.map(({ config }) => config).join('---\n');
  return rendered.map(({ node, config }) => `! frr.conf of node ${node}\n${config}`).join('\n');
}

function tellWithheld(rendered: readonly Rendered[], host: Host): void {
  for (const { node, withheld } of rendered)
    for (const { service, message } of withheld)
      host.warn(`${node}: Service ${service} is not announced by BGP: ${message}\n`);
}
