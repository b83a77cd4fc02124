/**
 * The bundle before the judges of the operator framework: format, content, every validator of the suite
 * `operatorframework`, the six tests of the scorecard, and opm for the catalog. Each judge also gets a bundle that
 * it has to refuse.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scorecardTests } from '#tools/bundle/metadata.ts';
import { bundleFiles, catalogFiles } from '#tools/bundle/producer.ts';
import { currentRelease } from '#tools/bundle/release.ts';
import { write } from '#tools/generated-file.ts';
import { BundleFolder, packaging, scorecard, type Csv } from '#tests/support/bundle-folder.ts';

describe('validators of the suite operatorframework (operator-packaging.md §5.6)', () => {
  it('102: find no error and no warning', async () => {
    const { code, stdout } = await packaging('bundletool', ['bundle', 'bundle']);
    expect(stdout).toBe('0 findings\n');
    expect(code).toBe(0);
  });

  it('find none in a later release, by digest and with an upgrade edge', async () => {
    using folder = new BundleFolder();
    const release = {
      ...currentRelease,
      version: '9.9.9',
      replaces: '9.9.8',
      digest: `sha256:${'a'.repeat(64)}`,
    };
    write(bundleFiles(release), folder.path);
    const { stdout } = await packaging('bundletool', ['bundle', folder.path]);
    expect(stdout).toBe('0 findings\n');
  });

  const deployment = 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: more}\n';
  const broken: readonly (readonly [what: string, says: string, (bundle: BundleFolder) => void])[] = [
    ['no icon', 'icon', csv(({ spec }) => delete spec.icon)],
    ['version 0.0.0', 'version', csv(({ spec }) => (spec.version = '0.0.0'))],
    ['no oldest Kubernetes', 'minKubeVersion', csv(({ spec }) => delete spec.minKubeVersion)],
    ['a kind without example', 'provided API should have an example', csv(withoutExample)],
    [
      'a CRD nobody owns',
      'not defined in CSV',
      csv(({ spec }) => spec.customresourcedefinitions.owned.pop()),
    ],
    [
      'a kind without description',
      'description',
      csv(({ spec }) => delete spec.customresourcedefinitions.owned[0]?.description),
    ],
    [
      'an unknown capability level',
      'capabilities',
      csv(({ metadata }) => (metadata.annotations['capabilities'] = 'All of them')),
    ],
    ['an unknown category', 'categor', csv(({ metadata }) => (metadata.annotations['categories'] = 'Nets'))],
    [
      'a container without requests',
      'resources',
      csv(({ spec }) => {
        const [container] = spec.install.spec.deployments[0]?.spec.template.spec.containers ?? [];
        delete container?.resources;
      }),
    ],
    ['no install mode', 'install', csv(({ spec }) => (spec.installModes = []))],
    ['a channel called alpha', 'channel', edit('metadata/annotations.yaml', /stable/g, 'alpha')],
    ['another media type', 'format', edit('metadata/annotations.yaml', 'registry+v1', 'helm')],
    [
      'a Deployment among the manifests',
      'not allowed',
      (folder) => folder.write('manifests/more.yaml', deployment),
    ],
  ];
  it.each(broken)('refuse a bundle with %s', async (_, says, change) => {
    using folder = new BundleFolder();
    change(folder);
    const { code, stdout } = await packaging('bundletool', ['bundle', folder.path]);
    expect(code).toBe(1);
    expect(stdout.toLowerCase()).toContain(says.toLowerCase());
  });
});

function csv(change: (csv: Csv) => unknown): (folder: BundleFolder) => void {
  return (folder) => folder.editCsv((csv) => void change(csv));
}

function edit(file: string, from: RegExp | string, to: string): (folder: BundleFolder) => void {
  return (folder) => folder.edit(file, (text) => text.replace(from, to));
}

function withoutExample({ metadata }: Csv): void {
  const examples = JSON.parse(metadata.annotations['alm-examples'] ?? '') as { kind: string }[];
  metadata.annotations['alm-examples'] = JSON.stringify(examples.filter(({ kind }) => kind !== 'Community'));
}

describe('scorecard (operator-packaging.md §5.4)', () => {
  it.each(scorecardTests)('$test passes without an error and without a suggestion', async ({ test }) => {
    using folder = new BundleFolder();
    const { state, errors = [], suggestions = [] } = await scorecard(folder, test);
    expect({ state, errors }).toEqual({ state: 'pass', errors: [] });
    expect(suggestions).toEqual([]);
  });

  const everyKind = (change: (owned: Csv['spec']['customresourcedefinitions']['owned'][number]) => unknown) =>
    csv(({ spec }) => spec.customresourcedefinitions.owned.forEach(change));
  const broken: readonly (readonly [test: string, (bundle: BundleFolder) => void])[] = [
    ['olm-bundle-validation', csv(({ spec }) => (spec.installModes = []))],
    ['olm-crds-have-validation', edit('manifests/metallb.io_communities.yaml', /communities:$/m, 'others:')],
    ['olm-crds-have-resources', everyKind((owned) => delete owned.resources)],
    ['olm-spec-descriptors', everyKind((owned) => (owned.specDescriptors = []))],
    ['olm-status-descriptors', everyKind((owned) => (owned.statusDescriptors = []))],
  ];
  it.each(broken)('%s fails where it should', async (test, change) => {
    using folder = new BundleFolder();
    change(folder);
    expect((await scorecard(folder, test)).state).toBe('fail');
  });

  it('basic-check-spec has a suggestion for an example without spec', async () => {
    using folder = new BundleFolder();
    folder.editCsv(({ metadata }) => {
      const [first, ...rest] = JSON.parse(metadata.annotations['alm-examples'] ?? '') as { spec?: object }[];
      delete first?.spec;
      metadata.annotations['alm-examples'] = JSON.stringify([first, ...rest]);
    });
    expect((await scorecard(folder, 'basic-check-spec')).suggestions).toHaveLength(1);
  });
});

describe('catalog (operator-packaging.md §5.5)', () => {
  it('of the repository is valid', async () => {
    const { code, stderr } = await packaging('bundletool', ['validate', 'config/olm/catalog']);
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });

  it('with a release that replaces one, and bundles without images, is valid; with a gap it is not', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'metallb-catalog-'));
    const first = { ...currentRelease, version: '9.9.8', bundleImage: '' };
    const second = { ...first, version: '9.9.9', replaces: '9.9.8' };
    write(catalogFiles([first, second]), folder);
    expect(await packaging('bundletool', ['validate', folder])).toMatchObject({ code: 0, stderr: '' });
    const [file] = catalogFiles([first, second]);
    const gap =
      file?.content.replace(
        'schema: olm.bundle\nname: metallb-operator.v9.9.8',
        'schema: olm.bundle\nname: other.v9.9.8',
      ) ?? '';
    write([{ path: file?.path ?? '', content: gap }], folder);
    expect((await packaging('bundletool', ['validate', folder])).code).toBe(1);
    rmSync(folder, { recursive: true });
  });
});
