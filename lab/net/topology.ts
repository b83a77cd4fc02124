/** Makes the namespaces of a lab, their links, addresses and routes, and takes single nodes off the segment. */
import { existsSync } from 'node:fs';
import { LabError } from '#lab/errors.ts';
import * as plan from '#lab/net/plan.ts';
import { run, tryRun } from '#lab/process/run.ts';

const BRIDGE = 'br0';

/** Settings before any link exists, so that links inherit them. No duplicate-address wait; answers may come on any path. */
const SYSCTLS = [
  'net.ipv4.ip_forward=1',
  'net.ipv6.conf.all.forwarding=1',
  'net.ipv4.conf.all.rp_filter=0',
  'net.ipv4.conf.default.rp_filter=0',
  'net.ipv6.conf.default.accept_dad=0',
  'net.ipv6.conf.default.dad_transmits=0',
  'net.ipv6.conf.default.accept_ra=0',
  'net.ipv4.fib_multipath_hash_policy=1',
  'net.ipv6.fib_multipath_hash_policy=1',
] as const;

/** Frames on the bridge must not pass the IP filters: ARP and NDP would be seen twice. */
const BRIDGE_SYSCTLS = [
  'net.bridge.bridge-nf-call-iptables=0',
  'net.bridge.bridge-nf-call-ip6tables=0',
  'net.bridge.bridge-nf-call-arptables=0',
] as const;

/** Runs `ip` lines in a namespace in one go. */
async function ipLines(netns: string, lines: readonly string[]): Promise<void> {
  await run(['ip', '-n', netns, '-batch', '-'], { input: `${lines.join('\n')}\n` });
}

function addressLines(device: string, addresses: plan.Addresses): string[] {
  return [
    `addr add ${addresses.ipv4}/24 dev ${device}`,
    `addr add ${addresses.ipv6}/64 dev ${device} nodad`,
    `link set ${device} up`,
  ];
}

function defaultRoutes(gateway: plan.Addresses): string[] {
  return [`route add default via ${gateway.ipv4}`, `route add ::/0 via ${gateway.ipv6}`];
}

/** Routes to the pods of every node but `self`. */
function podRoutes(nodes: number, self: number): string[] {
  return Array.from({ length: nodes }, (_, at) => at + 1)
    .filter((index) => index !== self)
    .flatMap((index) => {
      const [pods, via] = [plan.podRanges(index), plan.nodeAddresses(index)];
      return [`route add ${pods.ipv4} via ${via.ipv4}`, `route add ${pods.ipv6} via ${via.ipv6}`];
    });
}

export class Topology {
  readonly #lab: string;
  readonly #nodes: number;

  constructor(lab: string, nodes: number) {
    this.#lab = lab;
    this.#nodes = nodes;
  }

  netns(place: plan.Place): string {
    return plan.netnsName(this.#lab, place);
  }

  /** @throws LabError when a namespace of one of our names exists: it belongs to somebody else. */
  assertFree(): void {
    const taken = this.#all().find((name) => existsSync(`/run/netns/${name}`));
    if (taken !== undefined)
      throw new LabError(
        `network namespace ${taken} exists but belongs to no recorded lab: choose another name, or delete it with "ip netns delete ${taken}"`,
      );
  }

  async up(): Promise<void> {
    await Promise.all(plan.places(this.#nodes).map((place) => this.#makeNamespace(place)));
    const control = this.netns('control');
    await ipLines(control, [
      `link add ${BRIDGE} type bridge`,
      ...addressLines(BRIDGE, plan.CONTROL),
      ...podRoutes(this.#nodes, 0),
    ]);
    await this.#attach('router', plan.ROUTER);
    await ipLines(control, defaultRoutes(plan.ROUTER));
    await this.#attach('lan', plan.LAN_CLIENT);
    await ipLines(this.netns('router'), podRoutes(this.#nodes, 0));
    await ipLines(this.netns('lan'), defaultRoutes(plan.ROUTER));
    for (let index = 1; index <= this.#nodes; index += 1) {
      const place = plan.nodeName(index);
      await this.#attach(place, plan.nodeAddresses(index));
      await ipLines(this.netns(place), [
        ...defaultRoutes(plan.ROUTER),
        ...podRoutes(this.#nodes, index),
        `addr add ${plan.podAddresses(index).ipv4}/32 dev lo`,
        `addr add ${plan.podAddresses(index).ipv6}/128 dev lo nodad`,
      ]);
    }
    await this.#attachClient();
  }

  /** Takes a place off the segment, as a pulled cable would: its own link goes down as well. */
  async cut(place: plan.Place): Promise<void> {
    await ipLines(this.netns('control'), [`link set ${place} down`]);
  }

  async heal(place: plan.Place): Promise<void> {
    await ipLines(this.netns('control'), [`link set ${place} up`]);
  }

  /** Deletes the namespaces that exist; links go with them. */
  async down(): Promise<void> {
    for (const name of this.#all())
      if (existsSync(`/run/netns/${name}`)) await tryRun(['ip', 'netns', 'delete', name]);
  }

  #all(): readonly string[] {
    return plan.places(this.#nodes).map((place) => this.netns(place));
  }

  async #makeNamespace(place: plan.Place): Promise<void> {
    const name = this.netns(place);
    const sysctls = place === 'control' ? [...SYSCTLS, ...BRIDGE_SYSCTLS] : SYSCTLS;
    await run(['ip', 'netns', 'add', name]);
    await run(['nsenter', `--net=/run/netns/${name}`, 'sysctl', '-qw', ...sysctls]);
    await ipLines(name, ['link set lo up']);
  }

  /** A cable between the bridge (port named after the place) and `eth0` of the place. */
  async #attach(place: plan.Place, addresses: plan.Addresses): Promise<void> {
    const control = this.netns('control');
    await ipLines(control, [
      `link add ${place} type veth peer name eth0 netns ${this.netns(place)}`,
      `link set ${place} master ${BRIDGE} up`,
    ]);
    await ipLines(this.netns(place), addressLines('eth0', addresses));
  }

  async #attachClient(): Promise<void> {
    const [router, client] = [this.netns('router'), this.netns('client')];
    await ipLines(router, [`link add clients type veth peer name eth0 netns ${client}`]);
    await ipLines(router, addressLines('clients', plan.CLIENT_GATEWAY));
    await ipLines(client, [...addressLines('eth0', plan.CLIENT), ...defaultRoutes(plan.CLIENT_GATEWAY)]);
  }
}
