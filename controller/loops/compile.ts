/** The stores' content as the compiler takes it, and what it remembers from one run to the next. */
import { compileKeeping, type LastGood } from '#core/config/keep.ts';
import { noResources } from '#core/config/resources.ts';
import type { Compiled } from '#controller/loops/configuration.ts';
import type { Stores } from '#controller/loops/views.ts';

/** Compiles what concerns the controller, pools and communities; each call looks at the stores anew. */
export function createCompiler(
  { pools, communities, namespaces }: Pick<Stores, 'pools' | 'communities' | 'namespaces'>,
  namespace: string,
): () => Compiled {
  let lastGood: LastGood = new Map();
  return () => {
    const resources = {
      ...noResources(namespace),
      pools: [...pools.values()].map(({ parsed }) => parsed),
      communities: [...communities.values()].map(({ parsed }) => parsed),
      namespaces: [...namespaces.values()],
    };
    const { config, problems, warnings, ...memory } = compileKeeping(
      resources,
      { kind: 'controller' },
      lastGood,
    );
    ({ lastGood } = memory);
    return { pools: config.pools, problems, warnings };
  };
}
