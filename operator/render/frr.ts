/**
 * Container `frr`: FRR's daemons beside the speaker, from the same image, so that the speaker's vtysh always has
 * their version. What the two share are folders of the pod.
 */
import { image } from '#operator/render/containers.ts';
import { frrFolders, programs } from '#operator/render/image.ts';
import { optional, type RenderInput } from '#operator/render/manifest.ts';

/** Volumes of the pod and who mounts each. */
const shared: readonly { name: string; folder: string; speaker: boolean; medium?: string }[] = [
  { name: 'frr-sockets', folder: frrFolders.run, speaker: true },
  { name: 'frr-conf', folder: frrFolders.config, speaker: true },
  { name: 'frr-lib', folder: frrFolders.state, speaker: false },
  { name: 'frr-tmp', folder: frrFolders.temporary, speaker: false },
];

/** All of the pod's folders for FRR; they go with the pod. */
export function frrVolumes(): object[] {
  return shared.map(({ name }) => ({ emptyDir: {}, name }));
}

/** The mounts of one of the two containers. */
export function frrMounts(container: 'frr' | 'speaker'): object[] {
  return shared
    .filter((volume) => container === 'frr' || volume.speaker)
    .map(({ name, folder }) => ({ mountPath: folder, name }));
}

/** What each is for: docs/image.md. Root starts the daemons, which go on as user `frr`. */
export const frrCapabilities: readonly string[] = [
  'CHOWN',
  'KILL',
  'NET_ADMIN',
  'NET_BIND_SERVICE',
  'NET_RAW',
  'SETGID',
  'SETUID',
  'SYS_ADMIN',
];

/**
 * Container `frr` of the speaker's pod. watchfrr restarts a daemon that died or hangs, and the container ends with
 * watchfrr: a liveness probe through vtysh would only add a way to kill a busy router.
 */
export function frrContainer(input: RenderInput): object {
  const { spec, options } = input;
  return {
    command: [programs.frr],
    // The speaker, told to stop at the same moment, has this long to hand over before the sessions end.
    lifecycle: { preStop: { exec: { command: ['sleep', String(2 + drainSeconds(input))] } } },
    ...image(options.images.frr, options),
    name: 'frr',
    ...optional('resources', spec.speakerConfig?.frrResources),
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { add: frrCapabilities, drop: ['ALL'] },
      readOnlyRootFilesystem: true,
      runAsUser: 0,
    },
    startupProbe: {
      exec: { command: [programs.frrHealthy] },
      failureThreshold: 30,
      initialDelaySeconds: 1,
      periodSeconds: 1,
      timeoutSeconds: 5,
    },
    volumeMounts: frrMounts('frr'),
  };
}

/** How much longer a pod takes to end, since its speaker moves the traffic elsewhere first. */
export function drainSeconds({ spec, backend }: RenderInput): number {
  const seconds = spec.speakerConfig?.gracefulShutdownSeconds ?? 0;
  // The routes of an external frr-k8s stay while a speaker is replaced.
  return seconds === 0 || backend === 'frr-k8s-external' ? 0 : seconds + 4;
}
