/** Pods for the tests of the full level. */
import { IMAGES } from '#lab/image/recipe.ts';
import { nodeName } from '#lab/net/plan.ts';

const confined = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
} as const;

function pod(name: string, index: number, spec: object): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { nodeName: nodeName(index), terminationGracePeriodSeconds: 1, ...spec },
  };
}

/** A web server on the pod network, port 8080, with no rights at all. */
export function webPod(name: string, index: number): object {
  return pod(name, index, {
    dnsPolicy: 'Default',
    containers: [
      {
        name: 'web',
        image: IMAGES.web,
        command: ['node', '/web.ts', nodeName(index), '8080', '::'],
        readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
        securityContext: confined,
      },
    ],
  });
}

const SHARED = { run: '/run/frr', conf: '/etc/frr' } as const;
const OWN = { tmp: '/var/tmp/frr', lib: '/var/lib/frr' } as const;
/** docs/image.md, "Users, groups, rights". */
const FRR_CAPABILITIES = [
  'CHOWN',
  'KILL',
  'NET_ADMIN',
  'NET_BIND_SERVICE',
  'NET_RAW',
  'SETGID',
  'SETUID',
  'SYS_ADMIN',
] as const;

function mounts(folders: Readonly<Record<string, string>>): object[] {
  return Object.entries(folders).map(([name, mountPath]) => ({ name, mountPath }));
}

/** Container `frr` as docs/image.md says, and one with the speaker's rights that only waits. */
export function frrPod(name: string, index: number): object {
  return pod(name, index, {
    hostNetwork: true,
    volumes: Object.keys({ ...SHARED, ...OWN }).map((volume) => ({ name: volume, emptyDir: {} })),
    containers: [
      {
        name: 'frr',
        image: IMAGES.product,
        command: ['/frr'],
        startupProbe: { exec: { command: ['/frr-healthy'] }, periodSeconds: 1, failureThreshold: 30 },
        volumeMounts: mounts({ ...SHARED, ...OWN }),
        securityContext: {
          ...confined,
          runAsUser: 0,
          capabilities: { drop: ['ALL'], add: FRR_CAPABILITIES },
        },
      },
      {
        name: 'speaker',
        image: IMAGES.product,
        command: ['sleep', 'infinity'],
        volumeMounts: mounts(SHARED),
        securityContext: {
          ...confined,
          runAsUser: 0,
          capabilities: { drop: ['ALL'], add: ['NET_RAW', 'SYS_NICE'] },
        },
      },
    ],
  });
}
