/** ConfigMap `metallb-excludel2`: interfaces that never answer for an address (api.md §10.7). */
import { namespaced, type Manifest, type RenderInput } from '#operator/render/manifest.ts';

/** Regular expressions, in the original's order: bridges, virtual links and tunnels of container networks. */
export const excludedInterfaces: readonly string[] = [
  '^docker.*',
  '^cbr.*',
  '^dummy.*',
  '^virbr.*',
  '^lxcbr.*',
  '^veth.*',
  '^lo$',
  '^cali.*',
  '^tunl.*',
  '^flannel.*',
  '^kube-ipvs.*',
  '^cni.*',
  '^nodelocaldns.*',
  '^lxc.*',
];

/** The speakers read it once, at start. */
export function excludeL2ConfigMap({ spec, options }: RenderInput): Manifest {
  const own = spec.speakerConfig?.excludedInterfaces;
  const lines =
    own === undefined
      ? `\n${excludedInterfaces.map((expression) => `  - ${expression}\n`).join('')}`
      : ` ${JSON.stringify(own)}\n`;
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: namespaced('metallb-excludel2', options),
    data: { 'excludel2.yaml': `announcedInterfacesToExclude:${lines}` },
  };
}
