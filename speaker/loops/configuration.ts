/**
 * From the stores to the context of all decisions: configuration compiled for this node, and what the protocols
 * need beside it. Problems are isolated per object: each is told in the log and as an Event on its object.
 */
import type { DecisionContext } from '#core/announce/verdict.ts';
import { bgpContext } from '#core/bgp/gates.ts';
import { compileKeeping, type Kept, type LastGood } from '#core/config/keep.ts';
import type { ClusterResources } from '#core/config/resources.ts';
import { Digests } from '#core/election/elect.ts';
import type { BgpPeer, Problem } from '#core/model/config.ts';
import { formatAddress, parseAddress } from '#core/model/ip.ts';
import type { NodeView } from '#core/model/views.ts';
import type { EventRecorder } from '#runtime/kube/events.ts';
import type { Logger } from '#runtime/log/logger.ts';
import type { Gauge, Metrics } from '#runtime/metrics/types.ts';
import type { SpeakerStores } from '#speaker/loops/stores.ts';
import type { MembersPort } from '#speaker/ports.ts';

export interface ConfigurationOptions {
  readonly namespace: string;
  readonly nodeName: string;
  readonly ignoreExcludeLb: boolean;
  readonly stores: SpeakerStores;
  /** Undefined: liveness is off, every known Node counts as alive. */
  readonly members: MembersPort | undefined;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly onProblems: (problems: readonly Problem[]) => void;
}

const API_VERSIONS: Readonly<Record<string, string>> = { BGPPeer: 'metallb.io/v1beta2' };

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
  #told: ReadonlySet<string> = new Set();

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
    this.#problems = compiled.problems;
    this.#loaded.set({}, 1);
    this.#tell(compiled.warnings);
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
      frrExtras: [...stores.extras.values()].join('\n'),
    };
  }

  /** Peers that FRR does not take, or that cannot be written down for it, with the reason; they are problems of the configuration like any other. */
  refused(peers: readonly { readonly peer: string; readonly message: string }[]): void {
    const { namespace } = this.#options;
    this.#refused = peers.map(({ peer, message }) => ({
      code: 'PEER-REFUSED',
      object: { kind: 'BGPPeer', namespace, name: peer },
      field: 'spec',
      message: `peer ${peer} is left out: ${message}`,
      remedy: 'Correct the field that is named; all other peers work.',
      summary: `peer ${peer} is left out: ${message}`,
    }));
    this.#tell([]);
  }

  /** New problems only: a state that lasts is said once. */
  #tell(warnings: readonly Problem[]): void {
    const problems = [...this.#problems, ...this.#refused];
    const told = new Set<string>();
    for (const problem of [...problems, ...warnings]) {
      const id = JSON.stringify([problem.object, problem.field, problem.message]);
      told.add(id);
      if (!this.#told.has(id)) this.#say(problem, problems.includes(problem));
    }
    this.#told = told;
    this.#stale.set({}, problems.length === 0 ? 0 : 1);
    this.#options.onProblems(problems);
  }

  #say({ code, object, field, message, remedy }: Problem, isProblem: boolean): void {
    const { logger, events } = this.#options;
    const record = { ...object, field, code, problem: message, remedy };
    if (isProblem) logger.error('configuration problem', record);
    else logger.warn('configuration warning', record);
    events.record(
      { apiVersion: API_VERSIONS[object.kind] ?? 'metallb.io/v1beta1', ...object },
      {
        type: 'Warning',
        reason: isProblem ? 'ConfigurationError' : 'ConfigurationWarning',
        message: `${field}: ${message}. ${remedy}`,
      },
    );
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
