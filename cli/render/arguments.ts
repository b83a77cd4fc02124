/** Flags that `metallb render` and `metallb diff` share. */
import { SettingsError } from '#core/errors.ts';
import { kubeconfigOf, parseFlags } from '#cli/host.ts';
import { FRR_LOG_WORDS, frrLogLevel } from '#core/frr/build.ts';
import type { SpeakerFlags } from '#core/frr/node-model.ts';

export const sharedUsage = `  --node NAME            this node only; may be repeated (all nodes)
  --namespace NAME       namespace of MetalLB (metallb-system)
  --kubeconfig PATH      kubeconfig of the cluster ($KUBECONFIG)
  --templates FOLDER     templates of your own, as the speakers have them mounted
  --lb-class CLASS, --ignore-exclude-lb, --log-level LEVEL, --frr-logging-level WORD
                         as the speakers are started; the last one stands for their variable FRR_LOGGING_LEVEL and is
                         by default that of this command
  --frrk8s-namespace NAMESPACE, --frrk8s-secret-passthrough
                         as the speakers are started with bgpBackend frr-k8s-external: FRRConfigurations instead of frr.conf
`;

const LOG_LEVELS = ['all', 'debug', 'info', 'warn', 'error', 'none'];

export interface RenderArguments {
  readonly paths: readonly string[];
  readonly live: boolean;
  readonly nodes: readonly string[];
  readonly namespace: string;
  readonly kubeconfig: string;
  readonly templates: string | undefined;
  readonly flags: SpeakerFlags;
  readonly format: 'text' | 'json';
  /** Undefined: the FRR beside the speakers does BGP. */
  readonly external: ExternalArguments | undefined;
}

/** The frr-k8s that does BGP. */
export interface ExternalArguments {
  readonly namespace: string;
  readonly secretPassthrough: boolean;
}

const FLAGS = {
  live: { type: 'boolean' },
  node: { type: 'string', multiple: true },
  namespace: { type: 'string', short: 'n' },
  kubeconfig: { type: 'string' },
  templates: { type: 'string' },
  'lb-class': { type: 'string' },
  'ignore-exclude-lb': { type: 'boolean' },
  'log-level': { type: 'string' },
  'frrk8s-namespace': { type: 'string' },
  'frrk8s-secret-passthrough': { type: 'boolean' },
  'frr-logging-level': { type: 'string' },
  output: { type: 'string', short: 'o' },
} as const;

/** Reads the flags. Throws SettingsError. */
export function readArguments(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): RenderArguments {
  const { values, positionals } = parseFlags(argv, FLAGS);
  return {
    paths: positionals,
    live: values.live ?? false,
    nodes: [...new Set(values.node)].sort(),
    namespace: values.namespace ?? 'metallb-system',
    kubeconfig: kubeconfigOf(values.kubeconfig, env),
    templates: values.templates,
    flags: flagsOf(values, env),
    format: formatOf(values.output ?? 'text'),
    external: externalOf(values),
  };
}

function externalOf(
  values: ReturnType<typeof parseFlags<typeof FLAGS>>['values'],
): ExternalArguments | undefined {
  const namespace = values['frrk8s-namespace'] ?? '';
  const secretPassthrough = values['frrk8s-secret-passthrough'] ?? false;
  if (namespace === '' && secretPassthrough)
    throw new SettingsError(['--frrk8s-secret-passthrough: needs --frrk8s-namespace']);
  return namespace === '' ? undefined : { namespace, secretPassthrough };
}

function formatOf(output: string): RenderArguments['format'] {
  if (output === 'text' || output === 'json') return output;
  throw new SettingsError([`--output: "${output}" is not one of text, json`]);
}

function flagsOf(
  values: ReturnType<typeof parseFlags<typeof FLAGS>>['values'],
  env: Readonly<Record<string, string | undefined>>,
): SpeakerFlags {
  const logLevel = values['log-level'] ?? 'info';
  if (!LOG_LEVELS.includes(logLevel))
    throw new SettingsError([`--log-level: "${logLevel}" is not one of ${LOG_LEVELS.join(', ')}`]);
  const word = values['frr-logging-level'] ?? env['FRR_LOGGING_LEVEL'] ?? '';
  const known = ([...FRR_LOG_WORDS, ''] as const).find((each) => each === word);
  if (known === undefined)
    throw new SettingsError([
      `--frr-logging-level / $FRR_LOGGING_LEVEL: "${word}" is not one of ${FRR_LOG_WORDS.join(', ')}`,
    ]);
  return {
    lbClass: values['lb-class'] ?? '',
    ignoreExcludeLb: values['ignore-exclude-lb'] ?? false,
    frrLog: frrLogLevel(logLevel, known),
  };
}
