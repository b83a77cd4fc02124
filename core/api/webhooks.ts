/** Names of the validating webhooks (api.md §9.1): installations of MetalLB have them in place. */
import type { ConfigKind } from '#core/api/ingest.ts';

export interface WebhookRoute {
  readonly kind: ConfigKind;
  readonly name: string;
  readonly path: string;
  readonly operations: readonly ('CREATE' | 'DELETE' | 'UPDATE')[];
}

const CREATE_UPDATE = ['CREATE', 'UPDATE'] as const;

function route(
  kind: ConfigKind,
  version = 'v1beta1',
  operations: WebhookRoute['operations'] = CREATE_UPDATE,
): WebhookRoute {
  const resource = kind.toLowerCase();
  return {
    kind,
    name: `${resource}validationwebhook.metallb.io`,
    path: `/validate-metallb-io-${version}-${resource}`,
    operations,
  };
}

/** The peers' webhook has the name of MetalLB's chart; its other manifests write `bgppeersvalidationwebhook`. */
export const webhookRoutes: readonly WebhookRoute[] = [
  route('BGPPeer', 'v1beta2'),
  route('BFDProfile', 'v1beta1', ['CREATE', 'DELETE']),
  route('BGPAdvertisement'),
  route('Community'),
  route('IPAddressPool'),
  route('L2Advertisement'),
];

export const WEBHOOK_CONFIGURATION = 'metallb-webhook-configuration';
