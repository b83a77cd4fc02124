/** What stands beside the manifests of a bundle: its annotations, its image, the scorecard's tests. */
import { channelName, packageName } from '#tools/bundle/release.ts';

const prefix = 'operators.operatorframework.io.';

/** The same in `metadata/annotations.yaml` and as labels of the bundle's image. */
export const annotations: Readonly<Record<string, string>> = {
  [`${prefix}bundle.mediatype.v1`]: 'registry+v1',
  [`${prefix}bundle.manifests.v1`]: 'manifests/',
  [`${prefix}bundle.metadata.v1`]: 'metadata/',
  [`${prefix}bundle.package.v1`]: packageName,
  [`${prefix}bundle.channels.v1`]: channelName,
  [`${prefix}bundle.channel.default.v1`]: channelName,
  [`${prefix}test.mediatype.v1`]: 'scorecard+v1',
  [`${prefix}test.config.v1`]: 'tests/scorecard/',
};

/** A bundle's image is its files and its labels. Built with the folder `bundle` as context. */
export function bundleDockerfile(): string {
  return [
    'FROM scratch',
    ...Object.entries(annotations).map(([name, value]) => `LABEL ${name}=${value}`),
    'COPY manifests /manifests/',
    'COPY metadata /metadata/',
    'COPY tests/scorecard /tests/scorecard/',
    '',
  ].join('\n');
}

/** All tests of the scorecard, each with the suite it belongs to. */
export const scorecardTests = [
  { suite: 'basic', test: 'basic-check-spec' },
  { suite: 'olm', test: 'olm-bundle-validation' },
  { suite: 'olm', test: 'olm-crds-have-validation' },
  { suite: 'olm', test: 'olm-crds-have-resources' },
  { suite: 'olm', test: 'olm-spec-descriptors' },
  { suite: 'olm', test: 'olm-status-descriptors' },
] as const;

export function scorecardConfig(): object {
  const tests = scorecardTests.map(({ suite, test }) => ({
    entrypoint: ['scorecard-test', test],
    image: 'quay.io/operator-framework/scorecard-test:v1.42.3',
    labels: { suite, test: `${test}-test` },
  }));
  return {
    apiVersion: 'scorecard.operatorframework.io/v1alpha3',
    kind: 'Configuration',
    metadata: { name: 'config' },
    stages: [{ parallel: true, tests }],
  };
}
