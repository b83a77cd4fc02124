/**
 * From the stores to the context of all decisions: configuration compiled for this node, and what the protocols
 * need beside it. Problems are isolated per object: each is told in the log and as an Event on its object.
 */
import type { DecisionContext } from '#core/announce/verdict.ts';
import { bgpContext } from '#core/bgp/gates.ts';
import { Tellings } from '#core/status/tellings.ts';
import { compileKeeping, type Kept, type LastGood } from '#core/config/keep.ts';
import type { ConfigKind } from '#core/api/ingest.ts';
import { losses } from '#core/frrk8s/losses.ts';
import type { ClusterResources } from '#core/config/resources.ts';
import { Digests } from '#core/election/elect.ts';
import type { BgpPeer, Problem } from '#core/model/config.ts';
import { formatAddress, parseAddress } from '#core/model/ip.ts';
import type { NodeView } from '#core/model/views.ts';
import type { EventRecorder } from '#runtime/kube/events.ts';
import type { Store } from '#runtime/kube/types.ts';
import type { Logger } from '#runtime/log/logger.ts';
import type { Gauge, Metrics } from '#runtime/metrics/types.ts';
import type { SpeakerStores } from '#speaker/loops/stores.ts';
import type { MembersPort } from '#speaker/ports.ts';

export interface ConfigurationOptions {
  readonly namespace: string;
  readonly nodeName: string;
  readonly ignoreExcludeLb: boolean;
  /** BGP is done by an external frr-k8s, which cannot do everything. */
  readonly isExternal: boolean;
  readonly secretPassthrough?: boolean;
  readonly stores: SpeakerStores;
  /** Undefined: liveness is off, every known Node counts as alive. */
  readonly members: MembersPort | undefined;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly onProblems: (problems: readonly Problem[]) => void;
}

/** A peer that the router does not take; partial: that it takes without something. */
export interface Refusal {
  readonly peer: string;
  readonly message: string;
  readonly isPartial?: boolean;
}

export class Configuration {
  readonly #options: ConfigurationOptions;
  readonly #digests = new Digests();
  readonly #loaded: Gauge;
  readonly #stale: Gauge;
  #lastGood: LastGood = new Map();
  #peers: readonly BgpPeer[] = [];
  #problems: readonly Problem[] = [];
  /** What FRR refuses of what was compiled. */
  #refused: readonly Problem[] = [];
  #warnings: readonly Problem[] = [];
  readonly #tellings = new Tellings();

  constructor(options: ConfigurationOptions) {
    this.#options = options;
    const { metrics } = options;
    this.#loaded = metrics.gauge({
      name: 'metallb_k8s_client_config_loaded_bool',
      help: '1 once a configuration was accepted.',
    });
    this.#stale = metrics.gauge({
      name: 'metallb_k8s_client_config_stale_bool',
      help: '1 while some object of the configuration cannot be used as it is.',
    });
    this.#loaded.set({}, 0);
    this.#stale.set({}, 0);
  }

  /** The peers of this node in force. */
  get peers(): readonly BgpPeer[] {
    return this.#peers;
  }

  /** Compiles; undefined while the Node object of this node is not known. Synchronous. */
  context(): DecisionContext | undefined {
    const { stores, nodeName, ignoreExcludeLb, members, logger } = this.#options;
    const node = stores.nodes.get(nodeName);
    if (node === undefined) {
      logger.warn('the Node object of this speaker does not exist yet, nothing is decided', {
        node: nodeName,
      });
      return undefined;
    }
    const { config } = this.#compile(node);
    const bgp = bgpContext(config, node, ignoreExcludeLb, members?.gone);
    this.#peers = bgp.peers;
    const l2 = {
      me: nodeName,
      advertisements: config.l2Advertisements,
      nodes: stores.nodes,
      alive: members?.alive,
      ignoreExcludeLabel: ignoreExcludeLb,
      digests: this.#digests,
      nodeAddresses: nodeAddresses(stores.nodes.values()),
      ...(members === undefined
        ? {}
        : {
            gone: members.gone,
            holders: (key: string) => members.heldBy(key),
            usableInterfaces: (name: string) => members.usableInterfaces(name),
          }),
    };
    return { bgp, l2 };
  }

  #compile(node: NodeView): Kept {
    const compiled = compileKeeping(this.#resources(), { kind: 'speaker', node }, this.#lastGood);
    this.#lastGood = compiled.lastGood;
    const { isExternal, namespace } = this.#options;
    this.#problems = [...compiled.problems, ...(isExternal ? losses(compiled.config, namespace) : [])];
    this.#loaded.set({}, 1);
    this.#warnings = compiled.warnings;
    this.#tell();
    return compiled;
  }

  #resources(): ClusterResources {
    const { namespace, stores } = this.#options;
    const { config } = stores;
    return {
      namespace,
      pools: [...config.IPAddressPool.values()],
      l2Advertisements: [...config.L2Advertisement.values()],
      bgpAdvertisements: [...config.BGPAdvertisement.values()],
      peers: [...config.BGPPeer.values()],
      bfdProfiles: [...config.BFDProfile.values()],
      communities: [...config.Community.values()],
      namespaces: [...stores.namespaces.values()],
      nodes: [...stores.nodes.values()],
      secrets: [...stores.secrets.values()],
      secretPassthrough: this.#options.secretPassthrough ?? false,
      frrExtras: [...stores.extras.values()].join('\n'),
    };
  }

  /** Peers that the router does not take, or only in part, with the reason; they are problems of the configuration like any other. */
  refused(peers: readonly Refusal[]): void {
    const { namespace } = this.#options;
    this.#refused = peers.map(({ peer, message: why, isPartial = false }) => {
      const message = isPartial
        ? `peer ${peer} is used without a part of it: ${why}`
        : `peer ${peer} is left out: ${why}`;
      return {
        code: isPartial ? 'FRRK8S-2' : 'PEER-REFUSED',
        object: { kind: 'BGPPeer', namespace, name: peer },
        field: 'spec',
        message,
        remedy: isPartial
          ? 'All else of the peer works.'
          : 'Correct the field that is named; all other peers work.',
        summary: message,
      };
    });
    this.#tell();
  }

  /** New ones only. Every speaker sees the same objects: one Event is enough. */
  #tell(): void {
    const { logger, events, stores } = this.#options;
    const problems = [...this.#problems, ...this.#refused];
    for (const { level, line, fields, object, event } of this.#tellings.news(problems, this.#warnings)) {
      logger[level](line, fields);
      const store: Store<unknown> | undefined =
        object.kind === 'ConfigMap' ? stores.extras : stores.config[object.kind as ConfigKind];
      const uid = store?.uidOf(`${object.namespace}/${object.name}`);
      events.record({ ...object, uid }, { ...event, shared: true });
    }
    this.#stale.set({}, problems.length === 0 ? 0 : 1);
    this.#options.onProblems(problems);
  }
}

/** Addresses of the nodes themselves, in canonical text: only their node may answer for them. */
function nodeAddresses(nodes: Iterable<NodeView>): ReadonlyMap<string, string> {
  const addresses = new Map<string, string>();
  for (const { name, internalIPs } of nodes)
    for (const text of internalIPs) {
      const address = parseAddress(text);
      if (address !== undefined) addresses.set(formatAddress(address), name);
    }
  return addresses;
}
