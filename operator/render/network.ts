/** NetworkPolicies of what we make: the controller's. Speakers are host-networked, which no policy reaches. */
import { namespaced, selectorLabels, type Manifest, type RenderInput } from '#operator/render/manifest.ts';

/** The controller talks to the API server, behind whatever address, and is scraped; that is all. */
export function networkPolicies(input: RenderInput): Manifest[] {
  const { options } = input;
  if (!options.networkPolicies) return [];
  return [
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: namespaced('controller', options, 'controller'),
      spec: {
        egress: [{ ports: options.apiPorts.map((port) => ({ port, protocol: 'TCP' })) }],
        ingress: [{ ports: [{ port: 'metricshttps', protocol: 'TCP' }] }],
        podSelector: { matchLabels: selectorLabels('controller') },
        policyTypes: ['Ingress', 'Egress'],
      },
    },
  ];
}
