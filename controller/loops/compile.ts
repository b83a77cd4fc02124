/** The stores' content as the compiler takes it. */
import { compile } from '#core/config/compile.ts';
import { noResources } from '#core/config/resources.ts';
import type { Compiled } from '#controller/loops/configuration.ts';
import type { Stores } from '#controller/loops/views.ts';

/** Compiles what concerns the controller: pools and communities. */
export function compileStores({ pools, communities, namespaces }: Stores, namespace: string): Compiled {
  const resources = {
    ...noResources(namespace),
    pools: [...pools.values()].map(({ parsed }) => parsed),
    communities: [...communities.values()].map(({ parsed }) => parsed),
    namespaces: [...namespaces.values()],
  };
  const { config, problems } = compile(resources, { kind: 'controller' });
  return { pools: config.pools, problems };
}
