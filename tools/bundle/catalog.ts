/** The file-based catalog: package, channel and bundle as `opm serve` hands them to OLM. */
import { resourceDefinitions } from '#core/api/definitions.ts';
import { clusterServiceVersion, icon } from '#tools/bundle/csv.ts';
import { channelName, csvName, packageName, skipRange, type Release } from '#tools/bundle/release.ts';
import { customResourceDefinition } from '#tools/crds/crd.ts';

type Csv = ReturnType<typeof clusterServiceVersion>;

interface Property {
  readonly type: string;
  readonly value: unknown;
}

/** Kinds that the bundle brings: what others may depend on. */
function provided(release: Release): Property[] {
  const kinds = resourceDefinitions.flatMap(({ group, kind, versions }) =>
    versions
      .filter(({ served }) => served)
      .map((version) => ({ type: 'olm.gvk', value: { group, kind, version: version.name } })),
  );
  const own = { type: 'olm.package', value: { packageName, version: release.version } };
  return [...kinds, own];
}

/** What the catalog tells of a bundle whose objects are in an image. */
function shown({ metadata, spec }: Csv): Property {
  const { install: _install, version: _version, icon: _icon, relatedImages: _images, ...rest } = spec;
  const { customresourcedefinitions: crdDescriptions, ...fields } = rest;
  const { annotations, labels } = metadata;
  return { type: 'olm.csv.metadata', value: { annotations, labels, crdDescriptions, ...fields } };
}

/** The objects themselves, for a bundle that has no image. */
function inline(csv: Csv): Property[] {
  const objects = [csv, ...resourceDefinitions.map((definition) => customResourceDefinition(definition))];
  return objects.map((object) => ({
    type: 'olm.bundle.object',
    value: { data: Buffer.from(JSON.stringify(object)).toString('base64') },
  }));
}

function bundle(release: Release): object {
  const name = csvName(release.version);
  const published = release.bundleImage !== '';
  const image = published ? `${release.bundleImage}:v${release.version}` : '';
  const csv = clusterServiceVersion(release);
  return {
    schema: 'olm.bundle',
    name,
    package: packageName,
    image,
    properties: [...provided(release), ...(published ? [shown(csv)] : inline(csv))],
    relatedImages: [...csv.spec.relatedImages, ...(published ? [{ name: '', image }] : [])],
  };
}

/** The documents of a catalog, oldest release first; each replaces the one that it names. */
export function catalog(releases: readonly Release[]): object[] {
  return [
    {
      schema: 'olm.package',
      name: packageName,
      defaultChannel: channelName,
      description: 'A load balancer for bare-metal Kubernetes clusters',
      icon: icon(),
    },
    {
      schema: 'olm.channel',
      package: packageName,
      name: channelName,
      entries: releases.map((release) => ({
        name: csvName(release.version),
        skipRange: skipRange(release),
        ...(release.replaces === '' ? {} : { replaces: csvName(release.replaces) }),
      })),
    },
    ...releases.map(bundle),
  ];
}
