/** `metallb validate`: the verdict on manifests, on a cluster, or on manifests as if they were in the cluster. */
import { parseArgs } from 'node:util';
import { SettingsError } from '#core/errors.ts';
import { METALLB_GROUP } from '#core/api/group.ts';
import { validate, type Manifest, type Verdict } from '#core/config/validate.ts';
import { createdBeside } from '#cli/validate/created.ts';
import { readCluster } from '#cli/validate/cluster.ts';
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

/** What the command needs of its surroundings. */
export interface Host {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly write: (text: string) => void;
}

/** Runs the command; returns the exit code. Throws SettingsError for wrong flags, KubeError for the cluster. */
export async function validateCommand(argv: readonly string[], host: Host): Promise<number> {
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
  const { values, positionals } = parse(argv);
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
    kubeconfig: values.kubeconfig ?? env['KUBECONFIG'] ?? '',
    format: output,
  };
}

const isFormat = (text: string): text is Format => (formats as readonly string[]).includes(text);

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        live: { type: 'boolean' },
        complete: { type: 'boolean' },
        namespace: { type: 'string', short: 'n' },
        kubeconfig: { type: 'string' },
        output: { type: 'string', short: 'o' },
      },
    });
  } catch (error) {
    throw new SettingsError([error instanceof Error ? error.message : String(error)]);
  }
}

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
  const others = cluster.filter((manifest) => !sources.has(keyOf(manifest)));
  const stored = new Map(cluster.map((manifest) => [keyOf(manifest), manifest]));
  const applied = [...sources].map(([name, { manifest }]): Manifest => {
    if (cluster.length === 0) return manifest;
    const creationTimestamp = createdBeside(manifest, stored.get(name));
    return { ...manifest, metadata: { ...manifest.metadata, creationTimestamp } };
  });
  const manifests = [...applied, ...others];
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
