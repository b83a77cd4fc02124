/** Tells the API server which CA our certificate is of: written only where it is not what it should be. */
import { metallbResources } from '#core/api/resources.ts';
import { WEBHOOK_CONFIGURATION } from '#core/api/webhooks.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import type { KubeClient } from '#runtime/kube/types.ts';
import { unless } from '#runtime/kube/unless.ts';

const { CustomResourceDefinition: DEFINITION, ValidatingWebhookConfiguration: VALIDATING } = kinds;

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
  const stored = await unless(404, client.get(ref));
  if (stored === undefined) return 'absent';
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

interface ServiceName {
  readonly name: string;
  readonly namespace: string;
}

interface ClientConfig {
  readonly caBundle?: string;
  readonly service?: Partial<ServiceName>;
}

interface Conversion {
  readonly strategy?: string;
  readonly webhook?: { readonly clientConfig?: ClientConfig };
}

/**
 * Puts the CA into the conversion stanza of the BGPPeer CRD, if it has one that calls us: our own CRD has none (ADR 3),
 * that of a MetalLB installation has. Throws KubeError (Conflict: try again).
 */
export async function ensureConversionCa(
  client: Pick<KubeClient, 'get' | 'replace'>,
  service: ServiceName,
  ca: string,
): Promise<BundleOutcome> {
  const { plural, group } = metallbResources.BGPPeer;
  const ref = { type: DEFINITION, name: `${plural}.${group}` };
  const stored = await unless(404, client.get(ref));
  const spec = (stored?.['spec'] ?? {}) as { readonly conversion?: Conversion };
  const { conversion } = spec;
  const config = conversion?.webhook?.clientConfig;
  if (stored === undefined || conversion?.strategy !== 'Webhook' || !calls(config, service)) return 'absent';
  const caBundle = Buffer.from(ca).toString('base64');
  if (config.caBundle === caBundle) return 'unchanged';
  const webhook = { ...conversion.webhook, clientConfig: { ...config, caBundle } };
  await client.replace(ref, {
    ...stored,
    apiVersion: `${DEFINITION.group}/${DEFINITION.version}`,
    kind: DEFINITION.kind,
    spec: { ...spec, conversion: { ...conversion, webhook } },
  });
  return 'written';
}

const calls = (config: ClientConfig | undefined, service: ServiceName): config is ClientConfig =>
  config?.service?.name === service.name && config.service.namespace === service.namespace;
