/** What the manifests know of our image (docs/image.md): programs, users, folders. One image serves all containers. */

export const programs = {
  controller: '/controller',
  speaker: '/speaker',
  operator: '/operator',
  frr: '/frr',
  frrHealthy: '/frr-healthy',
} as const;

/** `nobody`, for programs that need no right at all. */
export const nobody = 65534;

/** Group of FRR's sockets: its members may talk to the daemons. */
export const frrVtyGroup = 102;

/** Folders that FRR's daemons and the speaker's vtysh share through the pod. */
export const frrFolders = {
  run: '/run/frr',
  config: '/etc/frr',
  state: '/var/lib/frr',
  temporary: '/var/tmp/frr',
} as const;

export const certificateFolders = { metrics: '/etc/metrics' } as const;
