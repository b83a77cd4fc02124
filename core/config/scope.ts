/** Which peers and BGP advertisements concern whom. */
import { compileSelectors, type RawSelector } from '#core/config/selectors.ts';
import { selectsAny } from '#core/model/selector.ts';
import type { NodeView } from '#core/model/views.ts';

/**
 * True when an object with these node selectors concerns the scope. One whose selectors cannot be read concerns
 * everyone: whom it is meant for cannot be known, and somebody has to say so.
 */
export function selectsNode(
  nodeSelectors: readonly RawSelector[] | undefined,
  scope: { readonly kind: string; readonly node?: NodeView },
): boolean {
  if (scope.node === undefined) return true;
  const rules = { duplicate: 'duplicate', invalid: 'invalid' };
  const { selectors, findings } = compileSelectors(nodeSelectors, rules, 'spec.nodeSelectors');
  if (findings.some(({ code }) => code === rules.invalid)) return true;
  return selectsAny(selectors, scope.node.labels);
}
