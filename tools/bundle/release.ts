/** What changes from one release of the bundle to the next, and the names that never change. */
import packageFile from '../../package.json' with { type: 'json' };
import releaseFile from './release.json' with { type: 'json' };

export interface Release {
  /** Without a leading `v`. */
  readonly version: string;
  /** Repository of the one image of all containers. */
  readonly image: string;
  /** `sha256:…` of that image; empty as long as nothing is published: then the tag `vVERSION` stands for it. */
  readonly digest: string;
  /** Repository of the image that carries the bundle; empty: the catalog carries the bundle itself. */
  readonly bundleImage: string;
  /** Version of the release before, which this one replaces in the channel; empty: none. */
  readonly replaces: string;
  /** RFC 3339. */
  readonly createdAt: string;
}

/** The release that the repository stands at: `package.json` and `release.json` beside this file. */
export const currentRelease: Release = { version: packageFile.version, ...releaseFile };

/** Package name of the original's operator: subscriptions go on. */
export const packageName = 'metallb-operator';
export const channelName = 'stable';

/** Where the operator is at home: its cluster-wide rights name objects after its namespace (docs/adr/0005). */
export const namespace = 'metallb-system';

export function csvName(version: string): string {
  return `${packageName}.v${version}`;
}

/** What to pull: by digest as soon as there is one. */
export function imageOf({ image, digest, version }: Release): string {
  return digest === '' ? `${image}:v${version}` : `${image}@${digest}`;
}

/** Any older release may go to this one directly. */
export function skipRange({ version }: Release): string {
  return `<${version}`;
}
