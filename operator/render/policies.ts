/** NetworkPolicies of what is installed beside the operands: the operator, the webhook server, and nothing for all others. */
import { operatorSelector, type Labels, type Manifest } from '#operator/render/manifest.ts';

interface PolicyOptions {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Labels;
}

function policy({ name, namespace, labels }: PolicyOptions, spec: object): Manifest {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, namespace, labels },
    spec: { ...spec, policyTypes: ['Ingress', 'Egress'] },
  };
}

/**
 * Only the metrics are reached from outside. The way out is open: where the API server is to be found is not known
 * when a manifest is written, and an operator that cannot reach it could not even say so.
 */
export function operatorPolicy(options: PolicyOptions): Manifest {
  return policy(options, {
    egress: [{}],
    ingress: [{ ports: [{ port: 'metricshttps', protocol: 'TCP' }] }],
    podSelector: { matchLabels: operatorSelector },
  });
}

/** Only the API server's calls come in; it comes from the hosts' network, which cannot be named here. */
export function webhookPolicy(options: PolicyOptions, selector: Labels): Manifest {
  return policy(options, {
    egress: [{}],
    ingress: [{ ports: [{ port: 'webhook-server', protocol: 'TCP' }] }],
    podSelector: { matchLabels: selector },
  });
}

/** For who wants it: whatever else runs in the namespace is cut off. All of ours have policies of their own. */
export function defaultDeny(options: PolicyOptions): Manifest {
  return policy(options, { podSelector: {} });
}
