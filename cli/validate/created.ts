/** How old a manifest counts beside a cluster: of two objects that exclude each other the older one stays. */
import { LATEST } from '#core/config/order.ts';
import type { Manifest } from '#core/config/validate.ts';

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
