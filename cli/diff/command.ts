/** `metallb diff`: what manifests would change in the frr.conf or FRRConfiguration of each node of a cluster. */
import { nodeModel } from '#core/frr/node-model.ts';
import { SettingsError } from '#core/errors.ts';
import type { Manifest } from '#core/config/validate.ts';
import { unified } from '#cli/diff/unified.ts';
import { isOfSurroundings, type Host } from '#cli/host.ts';
import { readArguments, sharedUsage, type RenderArguments } from '#cli/render/arguments.ts';
import { chosenNodes, readFiles, readLive, showing } from '#cli/render/nodes.ts';
import { snapshotOf } from '#cli/render/sources.ts';
import { overlay } from '#cli/validate/overlay.ts';

export const usage = `metallb diff [flags] FILE|FOLDER|-...

Shows what the files would change in the frr.conf (or FRRConfiguration) of each node, if they were applied to the cluster. Nothing is
applied; passwords are hidden. Exit code 0: nothing changes, 1: something does, 2: the files bring a problem, or could
not be compared.

  -o, --output FORMAT    text (unified diff), json (default text)
${sharedUsage}`;

export const exitCode = { same: 0, differs: 1, problem: 2 } as const;

interface NodeDiff {
  readonly node: string;
  readonly changed: boolean;
  /** Empty when nothing changes. */
  readonly diff: string;
  /** Those that the cluster does not have already. */
  readonly problems: readonly string[];
}

/** Runs the command; returns the exit code. Throws SettingsError for wrong flags only. */
export async function diffCommand(argv: readonly string[], host: Host): Promise<number> {
  const args = readArguments(argv, host.env);
  if (args.paths.length === 0)
    throw new SettingsError(['nothing to compare: name files or folders, or - for standard input']);
  try {
    const files = readFiles(args.paths);
    const diffs = diffNodes(await readLive(args), files, args);
    host.write(
      args.format === 'json' ? `${JSON.stringify(diffs, null, 2)}\n` : diffs.map(({ diff }) => diff).join(''),
    );
    const problems = diffs.flatMap((each) => each.problems);
    for (const line of problems) host.warn(`${line}\n`);
    if (problems.length > 0) return exitCode.problem;
    return diffs.some(({ changed }) => changed) ? exitCode.differs : exitCode.same;
  } catch (error) {
    if (error instanceof SettingsError || !isOfSurroundings(error)) throw error;
    host.warn(`metallb: ${error.message}\n`);
    return exitCode.problem;
  }
}

/** Each chosen node now, and as its running speaker would make it of the cluster with the files. */
export function diffNodes(
  cluster: readonly Manifest[],
  files: readonly Manifest[],
  args: RenderArguments,
): NodeDiff[] {
  const { namespace, flags, nodes } = args;
  const before = snapshotOf(cluster, args);
  const after = snapshotOf(overlay(cluster, files, namespace), args);
  const nodesBefore = new Map(before.resources.nodes.map((node) => [node.name, node]));
  const show = showing(args);
  return chosenNodes(after, nodes).map((node) => {
    const now = nodeModel(before, nodesBefore.get(node.name) ?? node, flags);
    const then = nodeModel(after, node, flags, now.lastGood);
    const [from, to] = [show(now, node), show(then, node, now)];
    const known = new Set(from.problems);
    const title = `${node.name}/${from.title}`;
    return {
      node: node.name,
      changed: from.config !== to.config,
      diff: unified(from.config, to.config, { from: title, to: `${title} (with the files)` }),
      problems: to.problems.filter((line) => !known.has(line)),
    };
  });
}
