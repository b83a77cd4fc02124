/** ConfigMap `metallb-excludel2`: interfaces that never answer for an address (api.md §10.7). */
import { usualExclusions } from '#core/l2/interfaces.ts';
import { namespaced, type Manifest, type RenderInput } from '#operator/render/manifest.ts';

/** The speakers read it once, at start. */
export function excludeL2ConfigMap({ spec, options }: RenderInput): Manifest {
  const own = spec.speakerConfig?.excludedInterfaces;
  const lines =
    own === undefined
      ? `\n${usualExclusions.map((expression) => `  - ${expression}\n`).join('')}`
      : ` ${JSON.stringify(own)}\n`;
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: namespaced('metallb-excludel2', options),
    data: { 'excludel2.yaml': `announcedInterfacesToExclude:${lines}` },
  };
}
