/** The kinds as a CSV lists them: every version that is served, with what stands behind an object of it. */
import type { ResourceDefinition, ResourceVersion } from '#core/api/define.ts';
import { resourceDefinitions } from '#core/api/definitions.ts';
import { render } from '#operator/render/render.ts';
import { descriptors } from '#tools/bundle/descriptors.ts';
import { namespace } from '#tools/bundle/release.ts';
import { plainOptions } from '#tools/manifests/producer.ts';

interface Resource {
  readonly kind: string;
  readonly name: string;
  readonly version: string;
}

const resource = (kind: string, version = 'v1'): Resource => ({ kind, name: '', version });

/** What is made, read or written for an object, beside its pods; a console lists it with the object. */
const related: Readonly<Record<string, readonly Resource[]>> = {
  IPAddressPool: [resource('Service'), resource('IPReservation', 'v1beta1')],
  L2Advertisement: [resource('Service'), resource('ServiceL2Status', 'v1beta1')],
  BGPAdvertisement: [resource('Service'), resource('ServiceBGPStatus', 'v1beta1')],
  BGPPeer: [resource('Secret'), resource('BGPSessionState', 'v1beta1')],
  BFDProfile: [resource('BGPPeer', 'v1beta2')],
  Community: [resource('BGPAdvertisement', 'v1beta1')],
  ServiceL2Status: [resource('Service')],
  ServiceBGPStatus: [resource('Service')],
  ConfigurationState: [resource('Pod')],
  BGPSessionState: [resource('BGPPeer', 'v1beta2')],
  IPReservation: [resource('Service')],
  MetalLB: operands(),
};

/** Kinds that the operator makes for a MetalLB object. */
function operands(): Resource[] {
  const options = { ...plainOptions('metallb-operator', 'metallb-memberlist'), namespace };
  const kinds = new Map(
    render({}, options).map(({ kind, apiVersion }) => [kind, apiVersion.split('/').at(-1) ?? '']),
  );
  return [...kinds].map(([kind, version]) => resource(kind, version)).concat(resource('Pod'));
}

const titles: Readonly<Record<string, string>> = {
  BFDProfile: 'BFD Profile',
  BGPAdvertisement: 'BGP Advertisement',
  BGPPeer: 'BGP Peer',
  BGPSessionState: 'BGP Session State',
  ConfigurationState: 'Configuration State',
  IPAddressPool: 'IP Address Pool',
  IPReservation: 'IP Reservation',
  L2Advertisement: 'L2 Advertisement',
  ServiceBGPStatus: 'Service BGP Status',
  ServiceL2Status: 'Service L2 Status',
};

export interface Owned {
  readonly name: string;
  readonly kind: string;
  readonly version: string;
  readonly displayName: string;
  readonly description: string;
  readonly resources: readonly Resource[];
  readonly specDescriptors: readonly object[];
  readonly statusDescriptors: readonly object[];
}

function owned(definition: ResourceDefinition, version: ResourceVersion): Owned {
  const { kind, plural, group, description } = definition;
  const { spec, status } = descriptors(definition, version);
  const title = titles[kind] ?? kind;
  return {
    name: `${plural}.${group}`,
    kind,
    version: version.name,
    displayName: version.storage ? title : `${title} (${version.name})`,
    description,
    resources: related[kind] ?? [],
    specDescriptors: spec,
    statusDescriptors: status,
  };
}

/** MetalLB comes first: it is what people make first. */
export function ownedDefinitions(): Owned[] {
  const first = (definition: ResourceDefinition): number => (definition.kind === 'MetalLB' ? 0 : 1);
  return resourceDefinitions
    .toSorted((a, b) => first(a) - first(b))
    .flatMap((definition) =>
      definition.versions.filter(({ served }) => served).map((version) => owned(definition, version)),
    );
}

/** Kinds that only our programs write: a console does not offer to make one. */
export const internalKinds = ['bgpsessionstates', 'configurationstates', 'servicebgpstatuses', 'servicel2statuses'].map(
  (plural) => `${plural}.metallb.io`,
);
