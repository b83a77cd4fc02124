/** What both commands do with a cluster: which nodes, and what is to be told of them. */
import { join } from 'node:path';
import { stringify } from 'yaml';
import { AppError, SettingsError } from '#core/errors.ts';
import { frrConfiguration } from '#core/frrk8s/configuration.ts';
import { losses } from '#core/frrk8s/losses.ts';
import { configurationLabels, configurationName, frrConfigurationType } from '#core/frrk8s/object.ts';
import { masked } from '#core/frr/masked.ts';
import type { NodeModel, Snapshot } from '#core/frr/node-model.ts';
import type { Manifest } from '#core/config/validate.ts';
import type { NodeView } from '#core/model/views.ts';
import { readCluster } from '#cli/validate/cluster.ts';
import { readManifests } from '#cli/validate/documents.ts';
import type { ExternalArguments, RenderArguments } from '#cli/render/arguments.ts';
import { loadTemplates, type Renderer } from '#speaker/frr/templates.ts';

/** Reads the files. Throws AppError naming the place of what cannot be read: half a configuration is none. */
export function readFiles(paths: readonly string[]): Manifest[] {
  const { sources, unreadable } = readManifests(paths);
  if (unreadable.length > 0)
    throw new AppError(
      'CONFIG',
      unreadable
        .map(({ place, message }) => `${place.file}:${place.line}:${place.column}: ${message}`)
        .join('\n'),
      { retry: 'never' },
    );
  return sources.map(({ manifest }) => manifest);
}

export function readLive({ kubeconfig, namespace }: RenderArguments): Promise<Manifest[]> {
  return readCluster(kubeconfig, namespace, 'announcements');
}

/** What is shown of a node. */
export interface ShownNode {
  /** Name of the file or object. */
  readonly title: string;
  readonly config: string;
  /** Lines; they differ by node since selectors do. */
  readonly problems: readonly string[];
}

/** Passwords are hidden; those that are not as in `known` are marked as new. */
export type ShowNode = (made: NodeModel, node: NodeView, known?: NodeModel) => ShownNode;

/** frr.conf by the templates of this release or the folder the user names; for an external frr-k8s the FRRConfiguration. */
export function showing(args: RenderArguments): ShowNode {
  const { templates, external, namespace } = args;
  if (external !== undefined) return (...node) => showExternal(external, namespace, node);
  const render: Renderer = loadTemplates(templates ?? join(import.meta.dirname, '..', '..', 'frr-templates'));
  return (made, node, known = made) => ({
    title: 'frr.conf',
    config: render(masked(made.model, known.model)),
    problems: problemLines(made, node.name),
  });
}

function showExternal(
  external: ExternalArguments,
  own: string,
  [made, node, known = made]: Parameters<ShowNode>,
): ShownNode {
  const isReadable = external.secretPassthrough || external.namespace === own;
  const passwords = isReadable ? 'reference' : 'clear';
  const { spec, refused } = frrConfiguration(masked(made.model, known.model), {
    node,
    passwords,
    others: [],
  });
  const name = configurationName(node.name);
  const metadata = { name, namespace: external.namespace, labels: configurationLabels(node.name, own) };
  const { group, version, kind } = frrConfigurationType;
  const problems = [...made.problems, ...losses(made.config, own)];
  const all = { ...made, problems, refused: [...made.refused, ...refused] };
  return {
    title: `FRRConfiguration/${name}`,
    config: stringify({ apiVersion: `${group}/${version}`, kind, metadata, spec }),
    problems: problemLines(all, node.name),
  };
}

/** The nodes that were asked for, by name. Throws SettingsError for one that does not exist. */
export function chosenNodes({ resources }: Snapshot, names: readonly string[]): NodeView[] {
  const byName = new Map(resources.nodes.map((node) => [node.name, node]));
  const missing = names.filter((name) => !byName.has(name));
  if (missing.length > 0) throw new SettingsError(missing.map((name) => `--node: there is no Node ${name}`));
  const chosen = names.length === 0 ? [...byName.keys()].sort() : names;
  return chosen.flatMap((name) => byName.get(name) ?? []);
}

/** One line for each object that is left out on a node. */
function problemLines(
  { problems, refused }: Pick<NodeModel, 'problems' | 'refused'>,
  node: string,
): string[] {
  return [
    ...problems.map(
      ({ code, object, field, message, remedy }) =>
        `${node}: ${code} ${object.kind} ${object.namespace}/${object.name} ${field}: ${message}. ${remedy}`,
    ),
    ...refused.map(({ peer, message }) => `${node}: BGPPeer ${peer} is left out: ${message}`),
  ];
}
