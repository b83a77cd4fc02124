/** The ClusterServiceVersion: what OLM installs, and what consoles and catalogs show of us. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  namespaceManifest,
  operatorClusterRules,
  operatorDeployment,
  operatorRules,
} from '#operator/render/install.ts';
import { examples } from '#tools/bundle/examples.ts';
import { internalKinds, ownedDefinitions } from '#tools/bundle/owned.ts';
import { csvName, imageOf, namespace, skipRange, type Release } from '#tools/bundle/release.ts';
import { oldestKubernetes, plainOptions } from '#tools/manifests/producer.ts';

const project = 'https://github.com/metallb-ts/metallb-ts';
const architectures = ['amd64', 'arm64'] as const;

const summary = 'A load balancer for bare-metal Kubernetes clusters, by BGP and by ARP and NDP.';

const description = `
Services of type LoadBalancer get addresses from pools that you name, and the addresses are announced to the network:
by **BGP** to your routers (FRR, with BFD, IPv4 and IPv6, ECMP over the nodes), or on the local network by **ARP and
NDP**. The API is MetalLB's; existing objects work unchanged.

## After the installation

1. Create a \`MetalLB\` object named \`metallb\` in the operator's namespace. Its conditions say when controller and
   speakers run, and what is wrong if they do not.
2. Create an \`IPAddressPool\`, and an \`L2Advertisement\`, or a \`BGPPeer\` and a \`BGPAdvertisement\`.

## Good to know

* Install it into the namespace \`${namespace}\`: the operator's cluster-wide rights are for objects that are named after it.
* The namespace must allow privileged pods, since speakers need the host's network and raw sockets.
* No webhook has to be up for anything: what can be checked is checked by the schemas, the rest is told by
  \`ConfigurationState\` objects and Events.
`.trimStart();

/** What the operator can do on OpenShift, in the platform's own words. */
const features = {
  cnf: 'false',
  cni: 'false',
  csi: 'false',
  disconnected: 'true',
  'fips-compliant': 'false',
  'proxy-aware': 'false',
  'tls-profiles': 'true',
  'token-auth-aws': 'false',
  'token-auth-azure': 'false',
  'token-auth-gcp': 'false',
};

const withoutStatus = (example: object | undefined): object => ({ ...example, status: undefined });

function annotations(release: Release): Readonly<Record<string, string>> {
  const all = examples();
  return {
    'alm-examples': JSON.stringify(all, null, 2),
    capabilities: 'Seamless Upgrades',
    categories: 'Networking',
    certified: 'false',
    containerImage: imageOf(release),
    createdAt: release.createdAt,
    description: summary,
    ...Object.fromEntries(
      Object.entries(features).map(([name, value]) => [`features.operators.openshift.io/${name}`, value]),
    ),
    'olm.skipRange': skipRange(release),
    'operatorframework.io/initialization-resource': JSON.stringify(withoutStatus(all[0])),
    'operatorframework.io/suggested-namespace': namespace,
    'operatorframework.io/suggested-namespace-template': JSON.stringify(namespaceManifest(namespace)),
    'operators.operatorframework.io/internal-objects': JSON.stringify(internalKinds),
    repository: project,
    support: 'Community',
  };
}

interface DeploymentSpec {
  readonly template: { readonly metadata: object; readonly spec: { readonly serviceAccountName: string } };
}

/** The operator's Deployment, on machines that the image is built for. */
function deployments(release: Release) {
  const image = imageOf(release);
  const { metadata, spec } = operatorDeployment({
    ...plainOptions('metallb-operator', 'metallb-memberlist'),
    namespace,
    images: { controller: image, speaker: image, frr: image },
    version: release.version,
  });
  const { template, ...rest } = spec as DeploymentSpec;
  const expressions = [
    { key: 'kubernetes.io/arch', operator: 'In', values: architectures },
    { key: 'kubernetes.io/os', operator: 'In', values: ['linux'] },
  ];
  const nodeAffinity = {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchExpressions: expressions }],
    },
  };
  const pod = { ...template.spec, affinity: { nodeAffinity } };
  const deployment = {
    name: metadata.name,
    label: metadata.labels,
    spec: { ...rest, template: { ...template, spec: pod } },
  };
  return { account: template.spec.serviceAccountName, deployments: [deployment] };
}

function install(release: Release) {
  const { account, deployments: list } = deployments(release);
  return {
    strategy: 'deployment',
    spec: {
      clusterPermissions: [{ serviceAccountName: account, rules: operatorClusterRules(namespace) }],
      permissions: [{ serviceAccountName: account, rules: operatorRules() }],
      deployments: list,
    },
  };
}

/** docs/adr/0005: everything of us lives in one namespace, and Services of all namespaces are served. */
const installModes = [
  { type: 'OwnNamespace', supported: true },
  { type: 'SingleNamespace', supported: false },
  { type: 'MultiNamespace', supported: false },
  { type: 'AllNamespaces', supported: true },
];

export function icon(): { readonly base64data: string; readonly mediatype: string } {
  const file = readFileSync(join(import.meta.dirname, 'icon.svg'));
  return { base64data: file.toString('base64'), mediatype: 'image/svg+xml' };
}

function metadata(release: Release) {
  return {
    name: csvName(release.version),
    annotations: annotations(release),
    labels: Object.fromEntries([
      ...architectures.map((name) => [`operatorframework.io/arch.${name}`, 'supported']),
      ['operatorframework.io/os.linux', 'supported'],
    ]) as Record<string, string>,
  };
}

/** The CSV of a release. It stands in no namespace: OLM puts it where the subscription is. */
export function clusterServiceVersion(release: Release) {
  return {
    apiVersion: 'operators.coreos.com/v1alpha1',
    kind: 'ClusterServiceVersion',
    metadata: metadata(release),
    spec: {
      displayName: 'MetalLB Operator',
      description,
      version: release.version,
      ...(release.replaces === '' ? {} : { replaces: csvName(release.replaces) }),
      maturity: 'beta',
      minKubeVersion: oldestKubernetes,
      provider: { name: 'metallb-ts', url: project },
      maintainers: [{ name: 'The metallb-ts maintainers', email: 'metallb-ts@users.noreply.github.com' }],
      keywords: ['metallb', 'load balancer', 'bare metal', 'bgp', 'bfd', 'arp', 'ndp', 'frr'],
      links: [
        { name: 'Project', url: project },
        { name: 'Documentation', url: `${project}/tree/main/docs` },
        { name: 'Differences to MetalLB', url: `${project}/blob/main/docs/compatibility.md` },
      ],
      icon: [icon()],
      installModes,
      install: install(release),
      customresourcedefinitions: { owned: ownedDefinitions() },
      relatedImages: [{ name: 'metallb', image: imageOf(release) }],
    },
  };
}
