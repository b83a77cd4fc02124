/** Configuration files of containerd, the pod network and the kubelet of one node. */
import type { NodeFiles } from '#lab/full/files.ts';
import { IMAGES } from '#lab/image/recipe.ts';
import { firstPodAddresses, podRanges } from '#lab/net/plan.ts';

/** Snapshotters and plugins that a machine may lack and the lab does not use. */
const DISABLED = [
  'io.containerd.snapshotter.v1.btrfs',
  'io.containerd.snapshotter.v1.zfs',
  'io.containerd.snapshotter.v1.devmapper',
  'io.containerd.snapshotter.v1.aufs',
  'io.containerd.internal.v1.opt',
  'io.containerd.tracing.processor.v1.otlp',
] as const;

interface ContainerdFolders {
  readonly containerdRoot: string;
  readonly containerdState: string;
  readonly socket: string;
}

/** JSON strings are TOML strings. */
function text(value: string): string {
  return JSON.stringify(value);
}

/** The part that every containerd has, for 1.6 and later (configuration version 2). */
export function containerdBase(
  { containerdRoot, containerdState, socket }: ContainerdFolders,
  disabled: readonly string[] = [],
): string {
  return `version = 2
root = ${text(containerdRoot)}
state = ${text(containerdState)}
disabled_plugins = [${[...DISABLED, ...disabled].map(text).join(', ')}]

[grpc]
  address = ${text(socket)}

[debug]
  level = "warn"
`;
}

/** A node's containerd: for the kubelet, everything in the node's own folder. */
export function containerdConfig(files: NodeFiles): string {
  return `${containerdBase(files)}
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = ${text(IMAGES.pause)}
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = ${text(files.cni)}

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
        Root = ${text(files.runc)}
`;
}

/** Name of the pod network, by which the plugins' own cache (/var/lib/cni) names its files. */
export function networkName(labName: string): string {
  return `metallb-lab.${labName}`;
}

/** A bridge per node with an IPv4 and an IPv6 address per pod; routes between nodes are the topology's. */
export function podNetwork(labName: string, index: number, files: NodeFiles): string {
  const ranges = podRanges(index);
  const first = firstPodAddresses(index);
  return JSON.stringify({
    cniVersion: '0.4.0',
    name: networkName(labName),
    plugins: [
      {
        type: 'bridge',
        bridge: 'cni0',
        isGateway: true,
        ipMasq: false,
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          dataDir: files.ipam,
          ranges: [
            [{ subnet: ranges.ipv4, rangeStart: first.ipv4 }],
            [{ subnet: ranges.ipv6, rangeStart: first.ipv6 }],
          ],
          routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  });
}

/**
 * KubeletConfiguration v1beta1. No tree of cgroups by quality of service (several kubelets share the machine's), no
 * eviction, no image collection; the API server alone may call (its client certificate).
 */
export function kubeletConfig(files: NodeFiles, clientCa: string): string {
  return JSON.stringify({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: false },
      x509: { clientCAFile: clientCa },
    },
    authorization: { mode: 'AlwaysAllow' },
    containerRuntimeEndpoint: `unix://${files.socket}`,
    cgroupDriver: 'cgroupfs',
    cgroupsPerQOS: false,
    enforceNodeAllocatable: [],
    failCgroupV1: false,
    failSwapOn: false,
    localStorageCapacityIsolation: false,
    makeIPTablesUtilChains: false,
    oomScoreAdj: 0,
    evictionHard: {
      'memory.available': '0%',
      'nodefs.available': '0%',
      'nodefs.inodesFree': '0%',
      'imagefs.available': '0%',
    },
    imageGCHighThresholdPercent: 100,
    volumePluginDir: `${files.kubelet}/plugins-exec`,
    podLogsDir: files.podLogs,
    nodeStatusUpdateFrequency: '5s',
    syncFrequency: '10s',
    fileCheckFrequency: '1h',
    serializeImagePulls: false,
    shutdownGracePeriod: '0s',
  });
}
