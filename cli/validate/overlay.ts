/** Manifests as if they had been applied to a cluster: which take the place of which, and how old they count. */
import { METALLB_GROUP } from '#core/api/group.ts';
import { LATEST } from '#core/config/order.ts';
import type { Manifest } from '#core/config/validate.ts';

/** Kinds that live in MetalLB's namespace when nothing else is said; all others live in `default`. */
function namespaceOf({ apiVersion, kind, metadata }: Manifest, metallb: string): string | undefined {
  if (kind === 'Node' || kind === 'Namespace') return undefined;
  if (metadata.namespace !== undefined) return metadata.namespace;
  const isConfiguration =
    apiVersion.startsWith(`${METALLB_GROUP}/`) || kind === 'Secret' || kind === 'ConfigMap';
  return isConfiguration ? metallb : 'default';
}

/** Manifests on top of a cluster: what the API server keeps (creation, status) is kept, the rest is as written. */
export function overlay(
  cluster: readonly Manifest[],
  files: readonly Manifest[],
  namespace: string,
): Manifest[] {
  const keyOf = (manifest: Manifest): string =>
    `${manifest.kind} ${namespaceOf(manifest, namespace) ?? ''}/${manifest.metadata.name}`;
  const result = new Map(cluster.map((manifest) => [keyOf(manifest), manifest]));
  for (const file of files) {
    const known = result.get(keyOf(file));
    const own = namespaceOf(file, namespace);
    const placed = { ...file.metadata, ...(own === undefined ? {} : { namespace: own }) };
    result.set(keyOf(file), {
      ...file,
      metadata: {
        ...placed,
        ...(cluster.length > 0 ? { creationTimestamp: createdBeside(file, known) } : {}),
      },
      ...(known !== undefined && 'status' in known ? { status: known['status'] } : {}),
    });
  }
  return [...result.values()];
}

/**
 * The creation time of a manifest that is read as if it were applied: as stored when it changes nothing of the stored
 * object's labels and spec, else later than everything, as a running program takes an edit.
 */
export function createdBeside(written: Manifest, stored: Manifest | undefined): unknown {
  const unchanged =
    stored !== undefined &&
    adds(written['spec'], stored['spec']) &&
    adds(written.metadata['labels'], stored.metadata['labels']);
  return unchanged ? stored.metadata['creationTimestamp'] : LATEST;
}

/** Whether all that is written is stored; the API server adds defaults. */
function adds(written: unknown, stored: unknown): boolean {
  if (written === undefined || written === null) return true;
  if (typeof written !== 'object' || typeof stored !== 'object' || stored === null) return written === stored;
  if (Array.isArray(written) && written.length !== (stored as readonly unknown[]).length) return false;
  return Object.entries(written).every(([key, value]) =>
    adds(value, (stored as Record<string, unknown>)[key]),
  );
}
