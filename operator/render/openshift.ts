/** What only OpenShift has: the security context constraints that the speaker's pod is admitted by. */
import { frrCapabilities } from '#operator/render/frr.ts';
import { objectLabels, type Manifest, type RenderInput } from '#operator/render/manifest.ts';
import { hasFrr, speakerCapabilities, speakerScc } from '#operator/render/speaker.ts';

/**
 * Exactly the rights the speaker's pod has (operator-packaging.md §4.1); unlike the original's they include FRR's,
 * without which backend `frr` cannot run there.
 */
export function openshiftObjects(input: RenderInput): Manifest[] {
  if (input.options.platform !== 'openshift') return [];
  const frr = hasFrr(input) ? frrCapabilities : [];
  return [
    {
      apiVersion: 'security.openshift.io/v1',
      kind: 'SecurityContextConstraints',
      metadata: {
        name: speakerScc,
        labels: objectLabels(input.options, 'speaker'),
        annotations: {
          'kubernetes.io/description':
            'What the speakers of MetalLB need: host network, raw sockets and FRR.',
        },
      },
      allowHostDirVolumePlugin: false,
      allowHostIPC: false,
      allowHostNetwork: true,
      allowHostPID: false,
      allowHostPorts: true,
      allowPrivilegeEscalation: false,
      allowPrivilegedContainer: false,
      allowedCapabilities: [...new Set([...speakerCapabilities, ...frr])].sort(),
      defaultAddCapabilities: [],
      fsGroup: { type: 'RunAsAny' },
      groups: [],
      priority: null,
      readOnlyRootFilesystem: false,
      requiredDropCapabilities: ['ALL'],
      runAsUser: { type: 'RunAsAny' },
      seLinuxContext: { type: 'RunAsAny' },
      seccompProfiles: ['runtime/default'],
      supplementalGroups: { type: 'RunAsAny' },
      users: [],
      volumes: ['configMap', 'downwardAPI', 'emptyDir', 'projected', 'secret'],
    },
  ];
}
