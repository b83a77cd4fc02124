/**
 * What the image holds, as data: the lab builds it from this, without Docker. The Dockerfile says the same, and a
 * test compares the two (tests/unit/image/recipe.test.ts).
 */

export interface Group {
  readonly name: string;
  readonly gid: number;
}

export interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export interface Copy {
  /** Relative to the repository; `dist/` is what tools/build.ts makes, `node` the program of the npm package of Node. */
  readonly from: string;
  readonly to: string;
}

export interface ImageRecipe {
  /** Of Debian, without those that any Debian image has. */
  readonly packages: readonly string[];
  readonly groups: readonly Group[];
  readonly users: readonly User[];
  /** Group number → users who are in it beside those whose own group it is. */
  readonly members: Readonly<Record<number, readonly string[]>>;
  /** In this order; each is a layer. */
  readonly copies: readonly Copy[];
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly workdir: string;
  /** `uid:gid` */
  readonly user: string;
}

export const RECIPE: ImageRecipe = {
  packages: ['ca-certificates', 'frr', 'iproute2', 'libstdc++6', 'procps', 'tini'],
  groups: [
    { name: 'frr', gid: 101 },
    { name: 'frrvty', gid: 102 },
  ],
  users: [{ name: 'frr', uid: 100, gid: 101 }],
  members: { 102: ['frr', 'root'] },
  copies: [
    { from: 'node', to: '/usr/local/bin/node' },
    { from: 'dist/', to: '/app/' },
    { from: 'image/frr/', to: '/app/frr/' },
    { from: 'image/bin/', to: '/' },
  ],
  env: {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    NODE_ENV: 'production',
    VTYSH_HISTFILE: '/dev/null',
  },
  labels: {
    'org.opencontainers.image.title': 'metallb-ts',
    'org.opencontainers.image.description':
      'Load balancer for bare-metal Kubernetes: controller, speaker, operator and FRR',
    'org.opencontainers.image.licenses': 'Apache-2.0',
  },
  workdir: '/app',
  user: '65534:65534',
};

/** Names of the lab's images, as pods ask for them. They are never pulled. */
export const IMAGES = {
  /** The image of this recipe; nodes also have it by its published name (config/operator/install.yaml). */
  product: 'localhost/metallb-ts:lab',
  /** A web server that says who answers: command `node /web.ts NAME PORT ADDRESS…`. */
  web: 'localhost/metallb-ts-web:lab',
  /** What the two above are made on. */
  runtime: 'localhost/metallb-ts-runtime:lab',
  /** What holds the namespaces of a pod. */
  pause: 'localhost/metallb-ts-pause:lab',
} as const;
