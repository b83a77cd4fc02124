/** `metallb validate`: the verdict on manifests, on a cluster, or on manifests as if they were in the cluster. */
import { SettingsError } from '#core/errors.ts';
import { METALLB_GROUP } from '#core/api/group.ts';
import { validate, type Manifest, type Verdict } from '#core/config/validate.ts';
import { kubeconfigOf, parseFlags, type Host } from '#cli/host.ts';
import { readCluster } from '#cli/validate/cluster.ts';
import { overlay } from '#cli/validate/overlay.ts';
import { readManifests, type Documents, type Source } from '#cli/validate/documents.ts';
import { formats, render, sortLines, type Format, type Line } from '#cli/validate/report.ts';

export const usage = `metallb validate [flags] [FILE|FOLDER|-]...

Checks configuration: schema, misspelt fields, and every rule between objects. Exit code 1 when something is wrong.
Without --live a reference to a Secret, BFD profile or alias that is not among the files is a warning.

  --live                 read the cluster, and judge the files as if they were applied to it
  --complete             the files are all there is: what they refer to must be among them
  --namespace NAME       namespace of the configuration (the only one in the files, else metallb-system)
  --kubeconfig PATH      kubeconfig of the cluster ($KUBECONFIG)
  -o, --output FORMAT    ${formats.join(', ')} (default text)
`;

interface Arguments {
  readonly paths: readonly string[];
  readonly live: boolean;
  readonly complete: boolean;
  readonly namespace: string;
  readonly kubeconfig: string;
  readonly format: Format;
}

const FLAGS = {
  live: { type: 'boolean' },
  complete: { type: 'boolean' },
  namespace: { type: 'string', short: 'n' },
  kubeconfig: { type: 'string' },
  output: { type: 'string', short: 'o' },
} as const;

/** Runs the command; returns the exit code. Throws SettingsError for wrong flags, KubeError for the cluster. */
export async function validateCommand(
  argv: readonly string[],
  host: Pick<Host, 'env' | 'write'>,
): Promise<number> {
  const args = readArguments(argv, host.env);
  const documents = readManifests(args.paths);
  const namespace = namespaceOf(args, documents.sources);
  const cluster = args.live ? await readCluster(args.kubeconfig, namespace) : [];
  const lines = judge(documents, cluster, { namespace, complete: args.complete || args.live });
  const objects = documents.sources.length + cluster.length;
  host.write(render(lines, args.format, objects));
  return lines.some(({ severity }) => severity === 'error') ? 1 : 0;
}

function readArguments(argv: readonly string[], env: Host['env']): Arguments {
  const { values, positionals } = parseFlags(argv, FLAGS);
  const output = values.output ?? 'text';
  const problems = [
    ...(positionals.length === 0 && values.live !== true
      ? ['nothing to validate: name files or folders, - for standard input, or --live']
      : []),
    ...(isFormat(output) ? [] : [`--output: "${output}" is not one of ${formats.join(', ')}`]),
  ];
  if (problems.length > 0 || !isFormat(output)) throw new SettingsError(problems);
  return {
    paths: positionals,
    live: values.live ?? false,
    complete: values.complete ?? false,
    namespace: values.namespace ?? '',
    kubeconfig: kubeconfigOf(values.kubeconfig, env),
    format: output,
  };
}

const isFormat = (text: string): text is Format => (formats as readonly string[]).includes(text);

/** The namespace that was asked for, or the only one that the files name, or the usual one. */
function namespaceOf({ namespace }: Arguments, sources: readonly Source[]): string {
  if (namespace !== '') return namespace;
  const named = new Set(
    sources
      .filter(({ manifest }) => manifest.apiVersion.startsWith(`${METALLB_GROUP}/`))
      .flatMap(({ manifest }) => manifest.metadata.namespace ?? []),
  );
  const [only, second] = [...named];
  return only !== undefined && second === undefined ? only : 'metallb-system';
}

/** Verdicts as lines; a manifest takes the place of its namesake in the cluster. */
export function judge(
  documents: Documents,
  cluster: readonly Manifest[],
  options: { namespace: string; complete: boolean },
): Line[] {
  const key = (kind: string, namespace: string, name: string): string => `${kind} ${namespace}/${name}`;
  const keyOf = ({ kind, metadata }: Manifest): string =>
    key(kind, metadata.namespace ?? options.namespace, metadata.name);
  const sources = new Map(documents.sources.map((source) => [keyOf(source.manifest), source]));
  const files = [...sources.values()].map(({ manifest }) => manifest);
  const manifests = overlay(cluster, files, options.namespace);
  const lineOf = ({ severity, problem }: Verdict): Line => {
    const { code, object, field, message, remedy } = problem;
    const name = key(object.kind, object.namespace, object.name);
    return { severity, place: sources.get(name)?.placeOf(field), code, object: name, field, message, remedy };
  };
  return sortLines([
    ...documents.unreadable.map(({ place, message }): Line => {
      const remedy = 'Correct the text; nothing of this document was looked at.';
      return { severity: 'error', place, code: 'YAML', object: '', field: '', message, remedy };
    }),
    ...twice(documents.sources, keyOf),
    ...validate(manifests, options).map(lineOf),
  ]);
}

/** Of two manifests of one object only the later counts; that is hardly meant. */
function twice(sources: readonly Source[], keyOf: (manifest: Manifest) => string): Line[] {
  const seen = new Set<string>();
  return sources.flatMap(({ manifest, placeOf }): Line[] => {
    const object = keyOf(manifest);
    if (!seen.has(object)) {
      seen.add(object);
      return [];
    }
    const message = 'the object is written twice: this one counts';
    const line = { code: 'TWICE', object, field: 'metadata.name', message, remedy: 'Remove one of the two.' };
    return [{ severity: 'warning', place: placeOf('metadata.name'), ...line }];
  });
}
