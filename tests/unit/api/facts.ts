/**
 * The fields of MetalLB's API as facts, one per line, written from the reference and not from our schemas
 * (api.md §3, §4): `path type flag…`. `+selector`, `+condition`, `+toleration` and the like stand for the shapes of §3.
 */

const SPEC = ['spec object'];
/** §4: nothing is stored there; ours carries a condition (`addedFields`). */
const EMPTY_STATUS = ['status object'];

/** §3.1, below a list of selectors or one selector. */
const selector = (path: string, flags = ''): string[] => [
  `${path} object map-type=atomic ${flags}`,
  ...selectorFields(path),
];
const selectors = (path: string): string[] => [`${path} list(object)`, ...selector(`${path}[]`)];
const selectorFields = (path: string): string[] => [
  `${path}.matchLabels map(string)`,
  `${path}.matchExpressions list(object) list-type=atomic`,
  `${path}.matchExpressions[] object`,
  `${path}.matchExpressions[].key string required`,
  `${path}.matchExpressions[].operator string required`,
  `${path}.matchExpressions[].values list(string) list-type=atomic`,
];
/** §3.2. */
const legacySelectors = (path: string): string[] => [
  `${path} list(object)`,
  `${path}[] object`,
  `${path}[].matchLabels map(string)`,
  `${path}[].matchExpressions list(object)`,
  `${path}[].matchExpressions[] object`,
  `${path}[].matchExpressions[].key string required`,
  `${path}[].matchExpressions[].operator string required`,
  `${path}[].matchExpressions[].values list(string) required minItems=1`,
];
/** §3.4. */
const conditions = (path: string, flags: string): string[] => [
  `${path} list(object) ${flags}`,
  `${path}[] object`,
  String.raw`${path}[].type string required maxLength=316 pattern=^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$`,
  `${path}[].status string required enum=True,False,Unknown`,
  `${path}[].reason string required minLength=1 maxLength=1024 pattern=^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$`,
  `${path}[].message string required maxLength=32768`,
  `${path}[].lastTransitionTime string required format=date-time`,
  `${path}[].observedGeneration integer format=int64 min=0`,
];
/** §3.6. */
const tolerations = (path: string): string[] => [
  `${path} list(object)`,
  `${path}[] object`,
  ...['effect', 'key', 'operator', 'value'].map((field) => `${path}[].${field} string`),
  `${path}[].tolerationSeconds integer format=int64`,
];
const QUANTITY = String.raw`^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$`;
/** The condition Accepted, ours. */
const accepted = conditions('status.conditions', 'list-type=map list-map-keys=type');
const quantities = (path: string): string[] => [
  `${path} map(int-or-string)`,
  `${path}{} int-or-string pattern=${QUANTITY}`,
];
const nodeRequirements = (path: string): string[] => [
  `${path} list(object) list-type=atomic`,
  `${path}[] object`,
  `${path}[].key string required`,
  `${path}[].operator string required`,
  `${path}[].values list(string) list-type=atomic`,
];
const nodeTerm = (path: string, flags = ''): string[] => [
  `${path} object map-type=atomic ${flags}`,
  ...nodeRequirements(`${path}.matchExpressions`),
  ...nodeRequirements(`${path}.matchFields`),
];
const podTerm = (path: string, flags = ''): string[] => [
  `${path} object ${flags}`,
  ...selector(`${path}.labelSelector`),
  `${path}.matchLabelKeys list(string) list-type=atomic`,
  `${path}.mismatchLabelKeys list(string) list-type=atomic`,
  ...selector(`${path}.namespaceSelector`),
  `${path}.namespaces list(string) list-type=atomic`,
  `${path}.topologyKey string required`,
];
/** MLB-3 to MLB-6 as bounds of ours. */
const weights = (path: string): [string, string][] =>
  ['nodeAffinity', 'podAffinity', 'podAntiAffinity'].map((part) => [
    `${path}.affinity.${part}.preferredDuringSchedulingIgnoredDuringExecution[].weight`,
    'min=1 max=100',
  ]);
const podAffinity = (path: string): string[] => [
  `${path} object`,
  `${path}.preferredDuringSchedulingIgnoredDuringExecution list(object) list-type=atomic`,
  `${path}.preferredDuringSchedulingIgnoredDuringExecution[] object`,
  ...podTerm(`${path}.preferredDuringSchedulingIgnoredDuringExecution[].podAffinityTerm`, 'required'),
  `${path}.preferredDuringSchedulingIgnoredDuringExecution[].weight integer format=int32 required`,
  `${path}.requiredDuringSchedulingIgnoredDuringExecution list(object) list-type=atomic`,
  ...podTerm(`${path}.requiredDuringSchedulingIgnoredDuringExecution[]`),
];
const affinity = (path: string): string[] => [
  `${path} object`,
  `${path}.nodeAffinity object`,
  `${path}.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution list(object) list-type=atomic`,
  `${path}.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[] object`,
  ...nodeTerm(
    `${path}.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[].preference`,
    'required',
  ),
  `${path}.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[].weight integer format=int32 required`,
  `${path}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution object map-type=atomic`,
  `${path}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms list(object) list-type=atomic required`,
  ...nodeTerm(`${path}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[]`),
  ...podAffinity(`${path}.podAffinity`),
  ...podAffinity(`${path}.podAntiAffinity`),
];
const resources = (path: string): string[] => [
  `${path} object`,
  `${path}.claims list(object) list-type=map list-map-keys=name`,
  `${path}.claims[] object`,
  `${path}.claims[].name string required`,
  `${path}.claims[].request string`,
  ...quantities(`${path}.limits`),
  ...quantities(`${path}.requests`),
];
/** §4.10, `Config`. */
const workload = (path: string): string[] => [
  `${path} object`,
  `${path}.priorityClassName string`,
  `${path}.runtimeClassName string`,
  ...affinity(`${path}.affinity`),
  `${path}.annotations map(string)`,
  ...resources(`${path}.resources`),
];

const AS = 'integer format=int64 max=4294967295';

/** Kind and version → its fields. */
export const fields: Readonly<Record<string, readonly string[]>> = {
  'IPAddressPool v1beta1': [
    'spec object required',
    'spec.addresses list(string) required',
    'spec.autoAssign boolean default=true',
    'spec.avoidBuggyIPs boolean default=false',
    'spec.serviceAllocation object',
    'spec.serviceAllocation.priority integer',
    'spec.serviceAllocation.namespaces list(string)',
    ...selectors('spec.serviceAllocation.namespaceSelectors'),
    ...selectors('spec.serviceAllocation.serviceSelectors'),
    'status object',
    'status.assignedIPv4 integer format=int64 required',
    'status.assignedIPv6 integer format=int64 required',
    'status.availableIPv4 integer format=int64 required',
    'status.availableIPv6 integer format=int64 required',
  ],
  'L2Advertisement v1beta1': [
    ...SPEC,
    'spec.ipAddressPools list(string)',
    ...selectors('spec.ipAddressPoolSelectors'),
    ...selectors('spec.nodeSelectors'),
    'spec.interfaces list(string)',
    ...selectors('spec.serviceSelectors'),
    'spec.preferredNodeSelectors list(object)',
    'spec.preferredNodeSelectors[] object',
    'spec.preferredNodeSelectors[].weight integer format=int32 required min=1 max=100',
    ...selector('spec.preferredNodeSelectors[].preference', 'required'),
    ...EMPTY_STATUS,
  ],
  'BGPAdvertisement v1beta1': [
    'spec object cel=1',
    'spec.aggregationLength integer format=int32 default=32 min=1',
    'spec.aggregationLengthV6 integer format=int32 default=128',
    // int32 in the reference, which refuses half of what a router carries: field case B26.
    'spec.localPref integer format=int64',
    'spec.communities list(string)',
    'spec.ipAddressPools list(string)',
    ...selectors('spec.ipAddressPoolSelectors'),
    ...selectors('spec.nodeSelectors'),
    'spec.peers list(string)',
    ...selectors('spec.serviceSelectors'),
    ...EMPTY_STATUS,
  ],
  'BGPPeer v1beta2': [
    ...SPEC,
    `spec.myASN ${AS} min=0 required`,
    `spec.peerASN ${AS} min=0`,
    `spec.localASN ${AS} min=1`,
    'spec.dynamicASN string enum=internal,external',
    ...['peerAddress', 'interface', 'sourceAddress', 'routerID', 'password', 'bfdProfile', 'vrf'].map(
      (field) => `spec.${field} string`,
    ),
    'spec.peerPort integer default=179 min=1 max=16384',
    'spec.holdTime string',
    'spec.keepaliveTime string',
    'spec.connectTime string cel=2',
    ...selectors('spec.nodeSelectors'),
    'spec.passwordSecret object map-type=atomic',
    'spec.passwordSecret.name string',
    'spec.passwordSecret.namespace string',
    'spec.enableGracefulRestart boolean cel=1',
    'spec.ebgpMultiHop boolean',
    'spec.disableMP boolean default=false',
    'spec.dualStackAddressFamily boolean default=false',
    ...EMPTY_STATUS,
  ],
  'BGPPeer v1beta1': [
    ...SPEC,
    `spec.myASN ${AS} min=0 required`,
    `spec.peerASN ${AS} min=0 required`,
    'spec.peerAddress string required',
    'spec.sourceAddress string',
    'spec.peerPort integer min=0 max=16384',
    ...['holdTime', 'keepaliveTime', 'routerID', 'password', 'bfdProfile'].map(
      (field) => `spec.${field} string`,
    ),
    ...legacySelectors('spec.nodeSelectors'),
    'spec.ebgpMultiHop boolean',
    ...EMPTY_STATUS,
  ],
  'BFDProfile v1beta1': [
    ...SPEC,
    'spec.receiveInterval integer format=int32 min=10 max=60000',
    'spec.transmitInterval integer format=int32 min=10 max=60000',
    'spec.detectMultiplier integer format=int32 min=2 max=255',
    'spec.echoInterval integer format=int32 min=10 max=60000',
    'spec.echoMode boolean',
    'spec.passiveMode boolean',
    'spec.minimumTtl integer format=int32 min=1 max=254',
    ...EMPTY_STATUS,
  ],
  'Community v1beta1': [
    ...SPEC,
    'spec.communities list(object)',
    'spec.communities[] object',
    'spec.communities[].name string',
    'spec.communities[].value string',
    ...EMPTY_STATUS,
  ],
  'ServiceL2Status v1beta1': [
    ...SPEC,
    'status object',
    'status.node string cel=1',
    'status.serviceName string cel=1',
    'status.serviceNamespace string cel=1',
    'status.interfaces list(object)',
    'status.interfaces[] object',
    'status.interfaces[].name string',
  ],
  'ServiceBGPStatus v1beta1': [
    ...SPEC,
    'status object',
    'status.node string cel=1',
    'status.serviceName string cel=1',
    'status.serviceNamespace string cel=1',
    'status.peers list(string)',
  ],
  'ConfigurationState v1beta1': [
    'status object',
    'status.result string enum=Valid,Invalid,Unknown',
    'status.errorSummary string',
    ...conditions('status.conditions', 'list-type=map list-map-keys=type'),
  ],
  // Ours.
  'BGPSessionState v1beta1': [
    'spec object',
    'status object',
    'status.node string',
    'status.peer string',
    'status.address string',
    'status.vrf string',
    'status.bgpStatus string',
    'status.bfdStatus string',
    'status.since string format=date-time',
    ...['prefixesSent', 'prefixesIntended', 'prefixesAccepted', 'timesEstablished'].map(
      (field) => `status.${field} integer format=int32`,
    ),
    'status.lastError string',
    'status.remedy string',
    ...conditions('status.conditions', 'list-type=map list-map-keys=type'),
  ],
  'IPReservation v1beta1': [
    'spec object required',
    'spec.service object required',
    'spec.service.namespace string minLength=1 required',
    'spec.service.name string minLength=1 required',
    'spec.addresses list(string) minItems=1 maxItems=2 required',
    'spec.reserveFor string',
    'spec.expiresAt string format=date-time',
    'status object',
    'status.pool string',
    ...conditions('status.conditions', 'list-type=map list-map-keys=type'),
  ],
  'MetalLB v1beta1': [
    ...SPEC,
    'spec.image string',
    'spec.logLevel string enum=all,debug,info,warn,error,none',
    String.raw`spec.loadBalancerClass string pattern=^([a-z0-9A-Z]([\w.-]*[a-z0-9A-Z])?/)?[a-z0-9A-Z]([\w.-]*[a-z0-9A-Z])?$`,
    'spec.nodeSelector map(string)',
    ...tolerations('spec.speakerTolerations'),
    ...workload('spec.speakerConfig'),
    'spec.controllerNodeSelector map(string)',
    ...tolerations('spec.controllerTolerations'),
    ...workload('spec.controllerConfig'),
    'spec.bgpBackend string',
    'spec.frrk8sConfig object',
    'spec.frrk8sConfig.alwaysBlock list(string)',
    'spec.frrk8sConfig.namespace string',
    'spec.frrk8sConfig.secretPassthrough boolean',
    'status object',
    ...conditions('status.conditions', ''),
  ],
};

const SERVICE_COLUMNS = [
  'Service Name string .status.serviceName',
  'Service Namespace string .status.serviceNamespace',
];
const PEER_COLUMNS = [
  'Address string .spec.peerAddress',
  'ASN string .spec.peerASN',
  'BFD Profile string .spec.bfdProfile',
  'Multi Hops string .spec.ebgpMultiHop',
];
const available = (type: string) => `${type} string .status.conditions[?(@.type=='${type}')].status`;

/** Kind and version → its printer columns, in order (§2). */
export const columns: Readonly<Record<string, readonly string[]>> = {
  'IPAddressPool v1beta1': [
    'Auto Assign boolean .spec.autoAssign',
    'Avoid Buggy IPs boolean .spec.avoidBuggyIPs',
    'Addresses string .spec.addresses',
  ],
  'L2Advertisement v1beta1': [
    'IPAddressPools string .spec.ipAddressPools',
    'IPAddressPool Selectors string .spec.ipAddressPoolSelectors',
    'Interfaces string .spec.interfaces',
    'Node Selectors string .spec.nodeSelectors priority=10',
  ],
  'BGPAdvertisement v1beta1': [
    'IPAddressPools string .spec.ipAddressPools',
    'IPAddressPool Selectors string .spec.ipAddressPoolSelectors',
    'Peers string .spec.peers',
    'Node Selectors string .spec.nodeSelectors priority=10',
  ],
  'BGPPeer v1beta1': PEER_COLUMNS,
  'BGPPeer v1beta2': PEER_COLUMNS,
  'BFDProfile v1beta1': [
    'Passive Mode boolean .spec.passiveMode',
    'Transmit Interval integer .spec.transmitInterval',
    'Receive Interval integer .spec.receiveInterval',
    'Multiplier integer .spec.detectMultiplier',
  ],
  'Community v1beta1': [],
  'ServiceL2Status v1beta1': ['Allocated Node string .status.node', ...SERVICE_COLUMNS],
  'ServiceBGPStatus v1beta1': ['Node string .status.node', ...SERVICE_COLUMNS],
  'BGPSessionState v1beta1': [
    'Node string .status.node',
    'Peer string .status.peer',
    'VRF string .status.vrf priority=1',
    'Address string .status.address',
    'BGP string .status.bgpStatus',
    'Since date .status.since',
    'BFD string .status.bfdStatus',
    'Sent integer .status.prefixesSent',
    'Accepted integer .status.prefixesAccepted priority=1',
    'In Sync string .status.conditions[?(@.type=="InSync")].status',
    'Last Error string .status.lastError',
    'Remedy string .status.remedy priority=1',
  ],
  'IPReservation v1beta1': [
    'Service Namespace string .spec.service.namespace',
    'Service Name string .spec.service.name',
    'Addresses string .spec.addresses',
    'Expires string .spec.expiresAt',
    'Reserved string .status.conditions[?(@.type=="Reserved")].reason',
  ],
  'ConfigurationState v1beta1': [
    'Result string .status.result',
    'ErrorSummary string .status.errorSummary',
    'Age date .metadata.creationTimestamp',
  ],
  'MetalLB v1beta1': [
    ...['Available', 'Degraded', 'Progressing'].map(available),
    'Age date .metadata.creationTimestamp',
  ],
};

/** Kind → plural, singular, list kind (§2). Short names are ours and only must not collide. */
export const names: Readonly<Record<string, readonly string[]>> = {
  IPAddressPool: ['ipaddresspools', 'ipaddresspool', 'IPAddressPoolList'],
  L2Advertisement: ['l2advertisements', 'l2advertisement', 'L2AdvertisementList'],
  BGPAdvertisement: ['bgpadvertisements', 'bgpadvertisement', 'BGPAdvertisementList'],
  BGPPeer: ['bgppeers', 'bgppeer', 'BGPPeerList'],
  BFDProfile: ['bfdprofiles', 'bfdprofile', 'BFDProfileList'],
  Community: ['communities', 'community', 'CommunityList'],
  ServiceL2Status: ['servicel2statuses', 'servicel2status', 'ServiceL2StatusList'],
  ServiceBGPStatus: ['servicebgpstatuses', 'servicebgpstatus', 'ServiceBGPStatusList'],
  BGPSessionState: ['bgpsessionstates', 'bgpsessionstate', 'BGPSessionStateList'],
  IPReservation: ['ipreservations', 'ipreservation', 'IPReservationList'],
  ConfigurationState: ['configurationstates', 'configurationstate', 'ConfigurationStateList'],
  MetalLB: ['metallbs', 'metallb', 'MetalLBList'],
};

/**
 * CEL rules that we add to those of the reference, by kind, version and field: what the webhook of the original
 * refuses (or, PEER-15, only the speakers), refused by the schema.
 */
export const addedRules: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'BGPPeer v1beta1': { 'spec.routerID': 1, 'spec.sourceAddress': 1 },
  'BGPPeer v1beta2': {
    spec: 4,
    'spec.holdTime': 1,
    'spec.keepaliveTime': 1,
    'spec.routerID': 1,
    'spec.sourceAddress': 1,
  },
  'BGPAdvertisement v1beta1': {
    'spec.aggregationLength': 1,
    'spec.aggregationLengthV6': 1,
    'spec.localPref': 1,
  },
  'MetalLB v1beta1': {
    'spec.bgpBackend': 1,
    'spec.speakerTolerations[]': 1,
    'spec.controllerTolerations[]': 1,
    'spec.frrk8sConfig.alwaysBlock[]': 1,
  },
};

/** Bounds that we add, so that the API server can tell what the rules cost at most. */
export const addedBounds: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'IPAddressPool v1beta1': { 'spec.addresses': 'maxItems=10000' },
  'MetalLB v1beta1': {
    'spec.frrk8sConfig.alwaysBlock': 'maxItems=1000',
    ...Object.fromEntries([...weights('spec.speakerConfig'), ...weights('spec.controllerConfig')]),
  },
};

/** Fields that MetalLB does not have, by kind and version, and items of lists that have bounds of ours. */
export const addedFields: Readonly<Record<string, readonly string[]>> = {
  'IPAddressPool v1beta1': [
    'spec.addresses[] string maxLength=100 cel=3',
    'spec.excludedAddresses list(string) maxItems=10000',
    'spec.excludedAddresses[] string maxLength=100 cel=1',
  ],
  'BFDProfile v1beta1': accepted,
  'Community v1beta1': accepted,
  'BGPPeer v1beta1': accepted,
  'BGPPeer v1beta2': accepted,
  'BGPAdvertisement v1beta1': [
    ...accepted,
    'spec.asPathPrepend integer format=int32 min=0 max=10',
    'spec.med integer format=int64 min=0 max=4294967295',
    'spec.weightByEndpoints boolean',
  ],
  'L2Advertisement v1beta1': [
    ...accepted,
    'spec.failover string enum=Default,Sticky,Spread',
    'spec.answerPing boolean',
  ],
  'MetalLB v1beta1': [
    'spec.frrk8sConfig.alwaysBlock[] string maxLength=100',
    'spec.imagePullSecrets list(object)',
    'spec.imagePullSecrets[] object',
    'spec.imagePullSecrets[].name string required minLength=1',
    'spec.controllerConfig.labels map(string)',
    'spec.controllerConfig.replicas integer format=int32 min=1',
    'spec.speakerConfig.labels map(string)',
    ...resources('spec.speakerConfig.frrResources'),
    'spec.speakerConfig.updateStrategy object',
    'spec.speakerConfig.updateStrategy.type string enum=RollingUpdate,OnDelete',
    'spec.speakerConfig.updateStrategy.rollingUpdate object',
    'spec.speakerConfig.updateStrategy.rollingUpdate.maxUnavailable int-or-string pattern=^([1-9][0-9]*|[1-9][0-9]?%|100%)$',
    'spec.speakerConfig.excludedInterfaces list(string)',
    'spec.speakerConfig.ignoreExcludeLB boolean',
    'spec.speakerConfig.gracefulShutdownSeconds integer format=int32 min=0 max=600',
  ],
};
