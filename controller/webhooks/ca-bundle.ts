/** Tells the API server which CA our certificate is of: written only where it is not what it should be. */
import { WEBHOOK_CONFIGURATION } from '#core/api/webhooks.ts';
import { KubeError, type KubeClient, type KubeObject, type ResourceType } from '#runtime/kube/types.ts';

const VALIDATING: ResourceType = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  plural: 'validatingwebhookconfigurations',
  kind: 'ValidatingWebhookConfiguration',
  namespaced: false,
};

interface Webhook {
  readonly clientConfig?: { readonly caBundle?: string };
}

export type BundleOutcome = 'unchanged' | 'written' | 'absent';

/** Puts the CA into every webhook of our configuration. Throws KubeError (Conflict: try again). */
export async function ensureCaBundle(
  client: Pick<KubeClient, 'get' | 'replace'>,
  ca: string,
): Promise<BundleOutcome> {
  const ref = { type: VALIDATING, name: WEBHOOK_CONFIGURATION };
  let stored: KubeObject;
  try {
    stored = await client.get(ref);
  } catch (error) {
    if (error instanceof KubeError && error.status === 404) return 'absent';
    throw error;
  }
  const caBundle = Buffer.from(ca).toString('base64');
  const webhooks = (stored['webhooks'] ?? []) as readonly Webhook[];
  if (webhooks.every(({ clientConfig }) => clientConfig?.caBundle === caBundle)) return 'unchanged';
  const updated = webhooks.map((webhook) => ({
    ...webhook,
    clientConfig: { ...webhook.clientConfig, caBundle },
  }));
  const apiVersion = `${VALIDATING.group}/${VALIDATING.version}`;
  await client.replace(ref, { ...stored, apiVersion, kind: VALIDATING.kind, webhooks: updated });
  return 'written';
}
