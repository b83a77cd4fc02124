/** Flags that `metallb render` and `metallb diff` share. */
import { SettingsError } from '#core/errors.ts';
import { parseFlags } from '#cli/host.ts';
import type { SpeakerFlags } from '#core/frr/node-model.ts';

export const sharedUsage = `  --node NAME            this node only; may be repeated (all nodes)
  --namespace NAME       namespace of MetalLB (metallb-system)
  --kubeconfig PATH      kubeconfig of the cluster ($KUBECONFIG)
  --templates FOLDER     templates of your own, as the speakers have them mounted
  --lb-class CLASS, --ignore-exclude-lb, --log-level LEVEL
                         as the speakers are started
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
    kubeconfig: values.kubeconfig ?? env['KUBECONFIG'] ?? '',
    templates: values.templates,
    flags: flagsOf(values),
    format: formatOf(values.output ?? 'text'),
  };
}

function formatOf(output: string): RenderArguments['format'] {
  if (output === 'text' || output === 'json') return output;
  throw new SettingsError([`--output: "${output}" is not one of text, json`]);
}

function flagsOf(values: ReturnType<typeof parseFlags<typeof FLAGS>>['values']): SpeakerFlags {
  const logLevel = values['log-level'] ?? 'info';
  if (!LOG_LEVELS.includes(logLevel))
    throw new SettingsError([`--log-level: "${logLevel}" is not one of ${LOG_LEVELS.join(', ')}`]);
  return {
    lbClass: values['lb-class'] ?? '',
    ignoreExcludeLb: values['ignore-exclude-lb'] ?? false,
    logLevel,
  };
}
