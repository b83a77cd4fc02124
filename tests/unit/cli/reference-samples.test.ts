/**
 * The samples of MetalLB and its operator (api.md §11), each with the file of config/samples that stands for it.
 * tests/integration/operator/manifests.test.ts applies every file there to a real API server.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';

const folder = join(import.meta.dirname, '../../../config/samples');

interface Sample {
  readonly original: string;
  /** Ours; several where the original keeps several things in one file. */
  readonly files: readonly string[];
  /** What makes the sample what it is: `Kind spec.path` for each thing that it shows. */
  readonly shows: readonly string[];
}
const sample = (original: string, files: string, ...shows: string[]): Sample => ({
  original,
  files: files.split(' '),
  shows,
});

const samples: readonly Sample[] = [
  sample(
    'bgpadv_selectspool_by_label',
    'bgpadvertisement-pools-by-label',
    'BGPAdvertisement spec.ipAddressPoolSelectors',
  ),
  sample(
    'bgpadv_selectspool_by_list',
    'bgpadvertisement-pools-by-name',
    'BGPAdvertisement spec.ipAddressPools',
    'BGPAdvertisement spec.peers',
  ),
  sample(
    'bgpadvertisement_communities_localpref',
    'bgpadvertisement-attributes',
    'BGPAdvertisement spec.communities',
    'BGPAdvertisement spec.localPref',
  ),
  sample(
    'bgpadvertisement_community_alias',
    'bgpadvertisement-community-alias',
    'BGPAdvertisement spec.communities',
    'Community spec.communities',
  ),
  sample(
    'bgpadvertisement_with_node_selector',
    'bgpadvertisement-node-selector',
    'BGPAdvertisement spec.nodeSelectors',
  ),
  sample('bgppeer_simple', 'bgppeer-simple', 'BGPPeer spec.peerAddress'),
  sample(
    'bgppeer_with_bfdprofile',
    'bgppeer-bfd',
    'BGPPeer spec.bfdProfile',
    'BFDProfile spec.receiveInterval',
    'BFDProfile spec.transmitInterval',
  ),
  sample('bgppeer_with_session_options', 'bgppeer-session-options', 'BGPPeer spec.connectTime'),
  sample('bgppeer_with_vrf', 'bgppeer-vrf', 'BGPPeer spec.vrf'),
  sample('bgppeer_withsecret', 'bgppeer-secret', 'BGPPeer spec.passwordSecret', 'BGPPeer spec.holdTime'),
  sample(
    'deployment_bgp',
    'deployment-bgp',
    'IPAddressPool spec.addresses',
    'BGPAdvertisement',
    'BGPPeer spec.peerAddress',
    'Deployment',
    'Service',
  ),
  sample(
    'deployment_l2',
    'deployment-l2',
    'IPAddressPool spec.addresses',
    'L2Advertisement',
    'Deployment',
    'Service',
  ),
  sample('ipaddresspool_simple', 'ipaddresspool-simple', 'IPAddressPool spec.addresses'),
  sample(
    'ipaddresspool_with_selector',
    'ipaddresspool-service-allocation',
    'IPAddressPool spec.avoidBuggyIPs',
    'IPAddressPool spec.serviceAllocation.priority',
    'IPAddressPool spec.serviceAllocation.namespaces',
    'IPAddressPool spec.serviceAllocation.namespaceSelectors',
    'IPAddressPool spec.serviceAllocation.serviceSelectors',
  ),
  sample(
    'l2adv_selects_pools_by_list',
    'l2advertisement-pools-by-name',
    'L2Advertisement spec.ipAddressPools',
  ),
  sample('l2adv_with_node_selector', 'l2advertisement-nodes', 'L2Advertisement spec.nodeSelectors'),
  sample('simple_pool_adv_bgp', 'pool-and-bgp', 'IPAddressPool spec.addresses', 'BGPAdvertisement'),
  sample('simple_pool_adv_l2', 'pool-and-l2', 'IPAddressPool spec.addresses', 'L2Advertisement'),
  sample('operator: metallb', 'metallb', 'MetalLB'),
  sample('operator: metallb_frrk8s', 'metallb-frr-k8s', 'MetalLB spec.bgpBackend'),
  // One file for both demos, without `runtimeClassName`: a class that does not exist keeps the pods from starting.
  sample(
    'operator: demo/metallb and demo/metallb-advanced-config',
    'metallb-options',
    'MetalLB spec.nodeSelector',
    'MetalLB spec.loadBalancerClass',
    'MetalLB spec.speakerTolerations',
    'MetalLB spec.logLevel',
    'MetalLB spec.speakerConfig.priorityClassName',
    'MetalLB spec.controllerConfig.affinity',
    'MetalLB spec.speakerConfig.resources',
    'MetalLB spec.speakerConfig.annotations',
  ),
  sample('operator: metallb.io_v1beta1_bgppeer and peer', 'bgppeer-v1beta1', 'BGPPeer spec.peerAddress'),
  // Split: three peers with one address cannot be in force at once (FRR-2).
  sample(
    'operator: metallb.io_v1beta2_bgppeer',
    'bgppeer-simple bgppeer-bfd bgppeer-secret',
    'BGPPeer spec.bfdProfile',
    'BGPPeer spec.passwordSecret',
  ),
  sample('operator: metallb.io_v1beta1_bfdprofile', 'bgppeer-bfd', 'BFDProfile spec.receiveInterval'),
  sample(
    'operator: metallb.io_v1beta1_ipaddresspool',
    'ipaddresspool-simple ipaddresspool-manual',
    'IPAddressPool spec.autoAssign',
    'IPAddressPool metadata.labels',
  ),
  sample(
    'operator: metallb_v1beta1_bgpadvertisement',
    'bgpadvertisement-pools-by-name bgpadvertisement-pools-by-label bgpadvertisement-attributes bgpadvertisement-community-alias bgpadvertisement-node-selector',
    'BGPAdvertisement spec.peers',
    'BGPAdvertisement spec.ipAddressPoolSelectors',
    'BGPAdvertisement spec.communities',
    'Community spec.communities',
    'BGPAdvertisement spec.nodeSelectors',
  ),
  sample(
    'operator: metallb_v1beta1_l2advertisement',
    'l2advertisement-pools-by-name l2advertisement-nodes',
    'L2Advertisement spec.ipAddressPools',
    'L2Advertisement spec.nodeSelectors',
  ),
];

/** Kind, and `Kind path` for each field, of everything in the files. */
function contentsOf(files: readonly string[]): Set<string> {
  const found = new Set<string>();
  const walk = (value: unknown, path: string): void => {
    found.add(path);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
    const start = path.includes(' ') ? `${path}.` : `${path} `;
    for (const [name, below] of Object.entries(value)) walk(below, `${start}${name}`);
  };
  for (const file of files)
    for (const document of parseAllDocuments(readFileSync(join(folder, `${file}.yaml`), 'utf8'))) {
      const object = document.toJS() as { readonly kind: string };
      walk(object, object.kind);
    }
  return found;
}

const missing = ({ files, shows }: Sample): string[] => {
  const contents = contentsOf(files);
  return shows.filter((path) => !contents.has(path));
};

describe('samples of the original (api.md §11)', () => {
  it.each(samples)('$original: $files', (one) => {
    expect(missing(one)).toEqual([]);
  });

  it('18 of the main project, and those of the operator', () => {
    expect(samples.filter(({ original }) => !original.startsWith('operator')).length).toBe(18);
    expect(samples.filter(({ original }) => original.startsWith('operator')).length).toBe(9);
  });

  it('what we have beyond them is known', () => {
    const used = new Set(samples.flatMap(({ files }) => files.map((file) => `${file}.yaml`)));
    expect(readdirSync(folder).filter((file) => !used.has(file))).toEqual([
      'bgp.yaml',
      'bgppeer-unnumbered.yaml',
      'l2advertisement-preferred-nodes.yaml',
      'layer2.yaml',
      'services.yaml',
    ]);
  });

  it('positive control: a sample that lacks what it shows is noticed', () => {
    expect(missing(sample('x', 'bgppeer-simple', 'BGPPeer spec.vrf'))).toEqual(['BGPPeer spec.vrf']);
  });
});
