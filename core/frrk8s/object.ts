/** The FRRConfiguration of a node as an object of the API: its name, what is kept of stored ones, and comparisons. */
import { INSTALLATION, NODE } from '#core/api/labels.ts';
import { otherConfiguration, type OtherConfiguration } from '#core/frrk8s/others.ts';
import type { RawObject } from '#core/model/projections.ts';
import type { Labels } from '#core/model/selector.ts';
import { sessionStateLabels } from '#core/status/bgp-session-state.ts';

/** Structurally the runtime's ResourceType. */
export const frrConfigurationType = {
  group: 'frrk8s.metallb.io',
  version: 'v1beta1',
  plural: 'frrconfigurations',
  kind: 'FRRConfiguration',
  namespaced: true,
} as const;

/** The one object of a node (speaker-bgp.md §8.1). */
export function configurationName(node: string): string {
  return `metallb-${node}`;
}

/** Marks an object as made by the speaker of a node, of the MetalLB in that namespace. */
export function configurationLabels(node: string, installation: string): Labels {
  return { [NODE]: sessionStateLabels(node, '', '')[NODE] ?? node, [INSTALLATION]: installation };
}

/** Selects all objects that the speakers of one MetalLB have made. */
export function installationSelector(installation: string): string {
  return `${NODE},${INSTALLATION}=${installation}`;
}

/** Selects the objects that no speaker of ours has written. */
export const OTHERS_SELECTOR = `!${NODE}`;

/** What is kept of the node's own object. */
export interface ConfigurationView {
  readonly isLabelled: boolean;
  /** As stored; may hold passwords. */
  readonly spec: unknown;
}

export function projectConfiguration(raw: RawObject): ConfigurationView {
  const labels = (raw.metadata['labels'] ?? {}) as Labels;
  return {
    isLabelled: labels[NODE] !== undefined && labels[INSTALLATION] !== undefined,
    spec: structuredClone(raw['spec']),
  };
}

/** The objects beside that of `node`, as far as ours must not contradict them. */
export function projectOther(node: string): (raw: RawObject) => OtherConfiguration | undefined {
  return (raw) =>
    raw.metadata.name === configurationName(node) ? undefined : otherConfiguration(raw['spec']);
}

/**
 * What a spec says, as text to compare: keys sorted; without what is empty, false, or the default of the kind
 * (`mode: filtered`), which the API server adds or drops.
 */
export function meaningOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((each) => meaningOf(each)).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  const entries = Object.entries(value)
    .filter(([key, each]) => each !== false && each !== '' && !(key === 'mode' && each === 'filtered'))
    .map(([key, each]) => [key, meaningOf(each)] as const)
    .filter(([, text]) => !['null', '{}', '[]'].includes(text))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, text]) => `${JSON.stringify(key)}:${text}`).join()}}`;
}

/** Paths of what was sent and is not stored: fields that the installed kind does not know, which the API server drops. */
export function lostFields(sent: unknown, stored: unknown, path = 'spec'): string[] {
  if (Array.isArray(sent)) {
    const elements: readonly unknown[] = Array.isArray(stored) ? stored : [];
    return sent.flatMap((each, i) => lostFields(each, elements[i], `${path}[${i}]`));
  }
  if (typeof sent !== 'object' || sent === null) return stored === undefined ? [path] : [];
  if (stored === undefined) return meaningOf(sent) === '{}' ? [] : [path];
  const fields = stored as Readonly<Record<string, unknown>>;
  return Object.entries(sent).flatMap(([key, each]) => lostFields(each, fields[key], `${path}.${key}`));
}
