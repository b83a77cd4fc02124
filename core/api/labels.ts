/** Labels that we write on status objects (api.md §10.2) and read on nodes and slices (§10.3). */

/** On ServiceL2Status and ServiceBGPStatus: whose announcement the object describes, and from where. */
export const NODE = 'metallb.io/node';
export const SERVICE_NAME = 'metallb.io/service-name';
export const SERVICE_NAMESPACE = 'metallb.io/service-namespace';

/** On FRRConfigurations, beside the node: the namespace of the MetalLB that made them. */
export const INSTALLATION = 'metallb.io/installation';

/** On BGPSessionState, beside the node: the BGPPeer and the VRF (empty: the default one). */
export const PEER = 'metallb.io/peer';
export const VRF = 'metallb.io/vrf';

/** On ConfigurationState: `controller` or `speaker`, and for a speaker its node. No other label may stand there. */
export const COMPONENT_TYPE = 'metallb.io/component-type';
export const NODE_NAME = 'metallb.io/node-name';

/** On a Node, with any value: it announces nothing, unless the speaker runs with `--ignore-exclude-lb`. */
export const EXCLUDE_FROM_LOAD_BALANCERS = 'node.kubernetes.io/exclude-from-external-load-balancers';
/** On a Node, with any value: the node is being emptied before maintenance; its announcements go elsewhere (by BGP where that is asked for). */
export const DRAIN = 'metallb.io/drain';
/** On an EndpointSlice: the Service it belongs to. */
export const SLICE_SERVICE_NAME = 'kubernetes.io/service-name';
