/** Where the objects of the configuration may stand. */
import type { Finding, ObjectRef } from '#core/config/problems.ts';

/** Creation elsewhere is refused: whatever stands in another namespace is never read. */
const NAMESPACE_RULES: Readonly<Record<string, string>> = {
  BGPPeer: 'PEER-22',
  BFDProfile: 'BFD-9',
  IPAddressPool: 'POOL-12',
  Community: 'COM-3',
  L2Advertisement: 'ADL-9',
  BGPAdvertisement: 'ADB-19',
};

/** The finding that an object stands outside our namespace, or none. */
export function namespaceFindings({ kind, namespace }: ObjectRef, options: { namespace: string }): Finding[] {
  const code = NAMESPACE_RULES[kind];
  if (code === undefined || namespace === options.namespace) return [];
  return [
    {
      code,
      field: 'metadata.namespace',
      message: `resource must be created in ${options.namespace} namespace`,
      remedy: `Set metadata.namespace to ${options.namespace}.`,
    },
  ];
}
