/** What a cluster with OLM is given to install us: namespace, operator group, catalog and subscription. */
import { namespaceManifest } from '#operator/render/install.ts';
import { channelName, namespace, packageName } from '#tools/bundle/release.ts';

const catalogName = 'metallb-ts-catalog';

/** The source of a catalog: an image that `opm serve`s it, or a server that runs already (`host:port`). */
export type CatalogSource = { readonly image: string } | { readonly address: string };

/** The group has one target, our own namespace (docs/adr/0005). */
export function subscription(source: CatalogSource): object[] {
  const meta = (name: string) => ({ name, namespace });
  return [
    namespaceManifest(namespace),
    {
      apiVersion: 'operators.coreos.com/v1',
      kind: 'OperatorGroup',
      metadata: meta(packageName),
      spec: { targetNamespaces: [namespace] },
    },
    {
      apiVersion: 'operators.coreos.com/v1alpha1',
      kind: 'CatalogSource',
      metadata: meta(catalogName),
      spec: { sourceType: 'grpc', displayName: 'metallb-ts', publisher: 'metallb-ts', ...source },
    },
    {
      apiVersion: 'operators.coreos.com/v1alpha1',
      kind: 'Subscription',
      metadata: meta(packageName),
      spec: {
        name: packageName,
        channel: channelName,
        source: catalogName,
        sourceNamespace: namespace,
        installPlanApproval: 'Automatic',
      },
    },
  ];
}
