/** The OLM bundle says what the schemas, the operator's rights and its Deployment say, for any release. */
import { describe, expect, it } from 'vitest';
import { resourceDefinitions } from '#core/api/definitions.ts';
import { operatorClusterRules, operatorRules } from '#operator/render/install.ts';
import { clusterServiceVersion } from '#tools/bundle/csv.ts';
import { catalog } from '#tools/bundle/catalog.ts';
import { examples } from '#tools/bundle/examples.ts';
import { currentRelease, imageOf, namespace, type Release } from '#tools/bundle/release.ts';
import { words } from '#tools/bundle/words.ts';
import { rootSchema } from '#tools/crds/crd.ts';
import { fieldsOf } from '#tools/crds/docs.ts';

interface Descriptor {
  readonly path: string;
  readonly description: string;
  readonly 'x-descriptors': readonly string[];
}

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;
const later: Release = { ...currentRelease, version: '1.2.3', replaces: '1.2.2', digest };
const { metadata, spec } = clusterServiceVersion(later);
const owned = spec.customresourcedefinitions.owned;

const served = resourceDefinitions.flatMap((definition) =>
  definition.versions.filter((version) => version.served).map((version) => ({ definition, version })),
);

/** Below these a console shows a widget of its own. */
const whole = /\.(resources|nodeAffinity|podAffinity|podAntiAffinity|conditions)[.[]/;

describe('descriptors', () => {
  it.each(
    served.map(({ definition, version }) => [definition.kind, version.name, definition, version] as const),
  )('%s %s: every field has one, with the description of the schema', (kind, name, definition, version) => {
    const entry = owned.find((candidate) => candidate.kind === kind && candidate.version === name);
    for (const part of ['spec', 'status'] as const) {
      const list = (part === 'spec' ? entry?.specDescriptors : entry?.statusDescriptors) as Descriptor[];
      const fields = fieldsOf(rootSchema(definition, version)).filter(
        ({ path }) => path.startsWith(`${part}.`) && !whole.test(path),
      );
      expect(list.map(({ path }) => path)).toEqual(
        fields.map(({ path }) => path.slice(part.length + 1).replaceAll('[]', '[0]')),
      );
      expect(list.filter(({ description }) => description === '')).toEqual([]);
    }
  });

  it('tell the widget: switch, number, choice, conditions, Secret, resources, affinity', () => {
    const widgets = (kind: string, path: string): readonly string[] => {
      const entry = owned.find(
        (candidate) => candidate.kind === kind && !candidate.displayName.includes('('),
      );
      const all = [...(entry?.specDescriptors ?? []), ...(entry?.statusDescriptors ?? [])] as Descriptor[];
      const found = all.find((descriptor) => descriptor.path === path)?.['x-descriptors'] ?? [];
      return found.map((text) => text.replace('urn:alm:descriptor:', '').replace('com.tectonic.ui:', ''));
    };
    expect(widgets('IPAddressPool', 'autoAssign')).toEqual(['booleanSwitch']);
    expect(widgets('BGPPeer', 'peerASN')).toEqual(['number']);
    expect(widgets('BGPPeer', 'passwordSecret.name')).toEqual([
      'fieldGroup:passwordSecret',
      'io.kubernetes:Secret',
    ]);
    expect(widgets('MetalLB', 'conditions')).toEqual(['io.kubernetes.conditions']);
    expect(widgets('MetalLB', 'bgpBackend')).toContain('select:frr-k8s-external');
    expect(widgets('MetalLB', 'speakerConfig.resources')).toEqual([
      'fieldGroup:speakerConfig',
      'resourceRequirements',
    ]);
    expect(widgets('MetalLB', 'speakerTolerations[0].key')).toEqual([
      'arrayFieldGroup:speakerTolerations',
      'text',
    ]);
    expect(widgets('MetalLB', 'speakerConfig.affinity.nodeAffinity').at(-1)).toBe('nodeAffinity');
    expect(widgets('MetalLB', 'image')).toEqual(['hidden']);
  });

  it.each([
    ['peerASN', 'Peer ASN'],
    ['ipAddressPools', 'IP Address Pools'],
    ['avoidBuggyIPs', 'Avoid Buggy IPs'],
    ['assignedIPv4', 'Assigned IPv4'],
    ['ebgpMultiHop', 'eBGP Multi Hop'],
    ['dualStackAddressFamily', 'Dual Stack Address Family'],
  ])('%s reads %s', (field, text) => expect(words(field)).toBe(text));
});

describe('the CSV', () => {
  it('lists every version that is served, has an example and a related resource for each', () => {
    const key = ({ kind, version }: { kind: string; version: string }) => `${kind} ${version}`;
    const wanted = served.map(({ definition, version }) => `${definition.kind} ${version.name}`);
    expect(owned.map(key).toSorted()).toEqual(wanted.toSorted());
    const shown = examples().map(({ kind, apiVersion }) => `${kind} ${apiVersion.split('/')[1]}`);
    expect(shown.toSorted()).toEqual(wanted.toSorted());
    expect(owned.filter(({ resources }) => resources.length === 0)).toEqual([]);
  });

  it('grants the operator what it is granted everywhere: cluster-wide and in its namespace, apart', () => {
    const { clusterPermissions, permissions } = spec.install.spec;
    expect(clusterPermissions.map(({ rules }) => rules)).toEqual([operatorClusterRules(namespace)]);
    expect(permissions.map(({ rules }) => rules)).toEqual([operatorRules()]);
  });

  it('names its image by digest everywhere as soon as there is one, else by the version', () => {
    expect(imageOf(later)).toBe(`${currentRelease.image}@${digest}`);
    expect(imageOf({ ...later, digest: '' })).toBe(`${currentRelease.image}:v1.2.3`);
    const images = JSON.stringify({ metadata, spec }).match(/ghcr\.io\/[^"\\]+/g) ?? [];
    expect(new Set(images)).toEqual(new Set([imageOf(later)]));
    expect(spec.relatedImages).toEqual([{ name: 'metallb', image: imageOf(later) }]);
  });

  it('has upgrade edges from the release before and from every older one', () => {
    expect(metadata.name).toBe('metallb-operator.v1.2.3');
    expect(spec).toMatchObject({ version: '1.2.3', replaces: 'metallb-operator.v1.2.2' });
    expect(metadata.annotations).toMatchObject({ 'olm.skipRange': '<1.2.3' });
    expect(clusterServiceVersion({ ...later, replaces: '' }).spec).not.toHaveProperty('replaces');
  });

  it('has no webhook, so that one namespace is enough (docs/adr/0005)', () => {
    expect(spec).not.toHaveProperty('webhookdefinitions');
    const supported = spec.installModes.filter((mode) => mode.supported).map(({ type }) => type);
    expect(supported).toEqual(['OwnNamespace', 'AllNamespaces']);
  });
});

describe('the catalog', () => {
  it('carries the objects of a bundle without image, and names the image of one that has it', () => {
    const [, channel, bundle] = catalog([{ ...later, bundleImage: '' }]) as [
      object,
      object,
      { properties: { type: string }[] },
    ];
    const types = bundle.properties.map(({ type }) => type);
    expect(types.filter((type) => type === 'olm.bundle.object')).toHaveLength(1 + resourceDefinitions.length);
    expect(channel).toMatchObject({
      entries: [{ name: 'metallb-operator.v1.2.3', replaces: 'metallb-operator.v1.2.2' }],
    });
    const [, , published] = catalog([later]);
    expect(published).toMatchObject({ image: `${currentRelease.bundleImage}:v1.2.3` });
  });
});
