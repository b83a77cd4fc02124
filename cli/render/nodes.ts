/** What both commands do with a cluster: which nodes, and what is to be told of them. */
import { join } from 'node:path';
import { AppError, SettingsError } from '#core/errors.ts';
import type { NodeModel, Snapshot } from '#core/frr/node-model.ts';
import type { Manifest } from '#core/config/validate.ts';
import type { NodeView } from '#core/model/views.ts';
import { readCluster } from '#cli/validate/cluster.ts';
import { readManifests } from '#cli/validate/documents.ts';
import type { RenderArguments } from '#cli/render/arguments.ts';
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

/** The templates of this release, or the folder the user names. */
export function rendererOf({ templates }: RenderArguments): Renderer {
  return loadTemplates(templates ?? join(import.meta.dirname, '..', '..', 'frr-templates'));
}

/** The nodes that were asked for, by name. Throws SettingsError for one that does not exist. */
export function chosenNodes({ resources }: Snapshot, names: readonly string[]): NodeView[] {
  const byName = new Map(resources.nodes.map((node) => [node.name, node]));
  const missing = names.filter((name) => !byName.has(name));
  if (missing.length > 0) throw new SettingsError(missing.map((name) => `--node: there is no Node ${name}`));
  const chosen = names.length === 0 ? [...byName.keys()].sort() : names;
  return chosen.flatMap((name) => byName.get(name) ?? []);
}

/** One line for each object that is left out on a node; they differ by node since selectors do. */
export function problemLines({ problems, refused }: NodeModel, node: string): string[] {
  return [
    ...problems.map(
      ({ code, object, field, message, remedy }) =>
        `${node}: ${code} ${object.kind} ${object.namespace}/${object.name} ${field}: ${message}. ${remedy}`,
    ),
    ...refused.map(({ peer, message }) => `${node}: BGPPeer ${peer} is left out: ${message}`),
  ];
}
