/** A cluster with controller, speakers, FRR and a router for the cases of field-cases.md. */
import { expect } from 'vitest';
import { ALLOCATED_FROM_POOL } from '#core/api/annotations.ts';
import { LightStage, type LightSpeakers } from '#lab/demo/light.ts';
import { NAMESPACE } from '#lab/demo/stage.ts';
import { Lab } from '#lab/lab.ts';
import { nodeAddresses } from '#lab/net/plan.ts';
import { quiet } from '#lab/report.ts';
import { endpointSlice, ingressOf } from '#lab/workload/service.ts';
import { eventually } from './eventually.ts';

const WAIT_MS = 30_000;

export interface FieldService {
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec?: Readonly<Record<string, unknown>>;
}

export interface FieldObject {
  readonly metadata: {
    readonly resourceVersion: string;
    readonly annotations?: Record<string, string>;
    readonly [field: string]: unknown;
  };
  readonly status?: Readonly<Record<string, unknown>>;
}

export interface FieldOptions {
  /** 3 unless told. */
  readonly nodes?: number;
  readonly speakers?: LightSpeakers;
  /** Changes the network before any program of ours runs. */
  readonly before?: (lab: Lab) => Promise<void>;
}

export class FieldLab implements AsyncDisposable {
  readonly lab: Lab;
  readonly stage: LightStage;
  #macs: readonly (readonly [mac: string, node: string])[] = [];

  private constructor(lab: Lab, { speakers }: FieldOptions) {
    this.lab = lab;
    this.stage = new LightStage(lab, speakers);
  }

  /** Nodes with speakers that peer with the router; the LAN client has a route to documentation addresses. */
  static async start(name: string, options: FieldOptions = {}): Promise<FieldLab> {
    const { nodes = 3, before } = options;
    const field = new FieldLab(await Lab.up({ name, level: 'light', nodes, report: quiet }), options);
    try {
      await before?.(field.lab);
      await field.#prepare();
    } catch (error) {
      await field[Symbol.asyncDispose]();
      throw error;
    }
    return field;
  }

  async #prepare(): Promise<void> {
    const { lab, stage } = this;
    for (const step of stage.deploy) await step.run(() => undefined);
    await this.apply('BFDProfile', 'fast', { receiveInterval: 300, transmitInterval: 300 });
    const router = { myASN: 64512, peerASN: 64513, peerAddress: '10.90.0.254', bfdProfile: 'fast' };
    await this.apply('BGPPeer', 'router', { ...router, connectTime: '1s' });
    for (const range of ['192.0.2.0/24', '198.51.100.0/24', '2001:db8:0:1::/64'])
      await lab.exec('lan', ['ip', 'route', 'replace', range, 'dev', 'eth0']);
    await this.learnCards();
    await eventually(async () => expect(await this.established()).toBe(stage.nodes.length), WAIT_MS);
  }

  /** Notes the MAC addresses of all cards of the nodes: `eth0` goes by the name of its node, others by `node1/eth1`. */
  async learnCards(): Promise<void> {
    const macs: (readonly [string, string])[] = [];
    for (let index = 1; index <= this.lab.nodeCount; index += 1) {
      const { stdout } = await this.lab.exec(`node${index}`, ['ip', '-j', 'link', 'show']);
      for (const { ifname, address } of JSON.parse(stdout) as { ifname: string; address: string }[])
        macs.push([address, ifname === 'eth0' ? `node${index}` : `node${index}/${ifname}`]);
    }
    this.#macs = macs;
  }

  /** The card with this MAC address, or the address itself. */
  cardOf(mac: string): string {
    return this.#macs.find(([known]) => known === mac)?.[1] ?? mac;
  }

  /** Applies an object of metallb.io to our namespace. */
  async apply(kind: string, name: string, spec?: object): Promise<void> {
    const apiVersion = `metallb.io/${kind === 'BGPPeer' ? 'v1beta2' : 'v1beta1'}`;
    const object = { apiVersion, kind, metadata: { name, namespace: NAMESPACE }, ...(spec && { spec }) };
    const input = JSON.stringify(object);
    await this.lab.kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], { input });
  }

  pool(name: string, addresses: readonly string[], spec: object = {}): Promise<void> {
    return this.apply('IPAddressPool', name, { addresses, ...spec });
  }

  async poolStatus(name: string): Promise<unknown> {
    const path = `/apis/metallb.io/v1beta1/namespaces/${NAMESPACE}/ipaddresspools/${name}`;
    return (await this.lab.api.get<FieldObject>(path)).status;
  }

  /** A load balancer Service on port 80 with an endpoint on every node; returns at once. */
  async service(
    name: string,
    { namespace = 'default', labels = {}, annotations = {}, spec = {} }: FieldService = {},
  ): Promise<void> {
    await this.lab.api.create(`/api/v1/namespaces/${namespace}/services`, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, labels, annotations },
      spec: {
        type: 'LoadBalancer',
        allocateLoadBalancerNodePorts: false,
        selector: { app: 'web' },
        ports: [{ name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }],
        ...spec,
      },
    });
    for (const family of ['IPv4', 'IPv6'] as const) {
      const slice = endpointSlice({ name, nodes: this.stage.nodes }, family);
      await this.lab.api.send(
        'POST',
        `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`,
        slice,
      );
    }
  }

  #path(name: string, namespace: string): string {
    return `/api/v1/namespaces/${namespace}/services/${name}`;
  }

  read(name: string, namespace = 'default'): Promise<FieldObject> {
    return this.lab.api.get<FieldObject>(this.#path(name, namespace));
  }

  async patch(name: string, body: object): Promise<void> {
    await this.lab.api.patch(this.#path(name, 'default'), body);
  }

  async delete(name: string, namespace = 'default'): Promise<void> {
    await this.lab.api.delete(this.#path(name, namespace));
  }

  async versions(...names: readonly string[]): Promise<string[]> {
    return Promise.all(names.map(async (name) => (await this.read(name)).metadata.resourceVersion));
  }

  async poolOf(name: string): Promise<string | undefined> {
    return (await this.read(name)).metadata.annotations?.[ALLOCATED_FROM_POOL];
  }

  ips(name: string, namespace = 'default'): Promise<readonly string[]> {
    return ingressOf(this.lab.api, name, namespace);
  }

  async expectIps(name: string, ips: readonly string[], namespace = 'default'): Promise<void> {
    await eventually(async () => expect(await this.ips(name, namespace), name).toEqual(ips), WAIT_MS);
  }

  async events(name: string): Promise<{ reason: string; message: string; type: string }[]> {
    const { items } = await this.lab.api.get<{
      items: { involvedObject: { name: string }; reason: string; message: string; type: string }[];
    }>('/api/v1/events');
    return items.filter(({ involvedObject }) => involvedObject.name === name);
  }

  async expectEvent(name: string, reason: string, message: RegExp): Promise<void> {
    await eventually(async () => {
      const events = (await this.events(name)).filter((event) => event.reason === reason);
      expect(events.map((event) => event.message).join('\n'), `${reason} of ${name}`).toMatch(message);
    }, WAIT_MS);
  }

  /** Cards that answer for an address on a LAN of the client: ARP, or neighbour discovery. */
  async responders(ip: string, device = 'eth0'): Promise<string[]> {
    const argv = ip.includes(':')
      ? ['ndisc6', '-m', '-r', '2', '-w', '300', ip, device]
      : ['arping', '-i', device, '-c', '3', '-W', '0.1', ip];
    const { stdout } = await this.lab.exec('lan', argv);
    const macs = stdout.toLowerCase().match(/(?:[\da-f]{2}:){5}[\da-f]{2}/g) ?? [];
    return [...new Set(macs.map((mac) => this.cardOf(mac)))].sort();
  }

  /** The one node that answers. */
  responder(ip: string): Promise<string> {
    return eventually(async () => {
      const found = await this.responders(ip);
      expect(found, ip).toEqual([expect.stringMatching(/^node\d$/)]);
      return found[0] ?? '';
    }, WAIT_MS);
  }

  async silent(ip: string, withinMs = WAIT_MS): Promise<void> {
    await eventually(async () => expect(await this.responders(ip), ip).toEqual([]), withinMs);
  }

  /** Asks by ARP twenty times a second until the returned function is called, which gives [asked, unanswered]. */
  probe(ip: string): () => Promise<readonly [number, number]> {
    const daemon = this.lab.spawn('lan', {
      name: `probe-${ip}`,
      argv: ['arping', '-i', 'eth0', '-W', '0.05', ip],
    });
    return async () => {
      await daemon.stop('SIGINT');
      const [, asked = '0', answered = '0'] =
        /(\d+) packets transmitted, (\d+) packets received/.exec(daemon.logText()) ?? [];
      // The last question may have been asked just now.
      return [Number(asked), Math.max(Number(asked) - Number(answered) - 1, 0)];
    };
  }

  async #neighbors(): Promise<readonly { bgpState: string; messageStats: { updatesRecv: number } }[]> {
    return Object.values(await this.lab.router.json<Record<string, never>>('show bgp neighbors json'));
  }

  async established(): Promise<number> {
    return (await this.#neighbors()).filter(({ bgpState }) => bgpState === 'Established').length;
  }

  /** UPDATE messages that the router has received so far. */
  async updates(): Promise<number> {
    const counts = (await this.#neighbors()).map(({ messageStats }) => messageStats.updatesRecv);
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** As `updates`, when none has come for a second and a half: sessions end their start with some of their own. */
  async settledUpdates(): Promise<number> {
    let last = { count: await this.updates(), at: performance.now() };
    return eventually(async () => {
      const count = await this.updates();
      if (count !== last.count) last = { count, at: performance.now() };
      expect(performance.now() - last.at, `${count} UPDATE messages`).toBeGreaterThan(1500);
      return count;
    }, WAIT_MS);
  }

  /** Paths to the address at the router. */
  async expectPaths(ip: string, count: number, withinMs = WAIT_MS): Promise<void> {
    await eventually(async () => {
      const { paths = [] } = await this.lab.router.json<{ paths?: unknown[] }>(
        `show bgp ipv4 unicast ${ip}/32 json`,
      );
      expect(paths, ip).toHaveLength(count);
    }, withinMs);
  }

  /** Nodes that the router has as next hops of an address, by number, sorted. */
  async announcers(ip: string): Promise<readonly number[]> {
    const [family, length] = ip.includes(':') ? ['ipv6', 128] : ['ipv4', 32];
    const { paths = [] } = await this.lab.router.json<{ paths?: { peer?: { peerId?: string } }[] }>(
      `show bgp ${family} unicast ${ip}/${length} json`,
    );
    const peers = paths.map(({ peer }) => peer?.peerId ?? '');
    return this.stage.nodes.filter((index) => {
      const { ipv4, ipv6 } = nodeAddresses(index);
      return peers.includes(ipv4) || peers.includes(ipv6);
    });
  }

  async expectAnnouncers(ip: string, nodes: readonly number[], withinMs = WAIT_MS): Promise<void> {
    await eventually(async () => expect(await this.announcers(ip), ip).toEqual(nodes), withinMs);
  }

  /** Removes objects of metallb.io from our namespace. */
  async remove(kind: string, ...names: readonly string[]): Promise<void> {
    await this.lab.kubectl(['-n', NAMESPACE, 'delete', `${kind}.metallb.io`, ...names]);
  }

  /** A ConfigurationState. */
  state(name: string): Promise<FieldObject> {
    return this.lab.api.get(`/apis/metallb.io/v1beta1/namespaces/${NAMESPACE}/configurationstates/${name}`);
  }

  /** `NAME RESULT` of every ConfigurationState. */
  async states(): Promise<string[]> {
    const columns = 'custom-columns=N:.metadata.name,R:.status.result';
    const text = await this.lab.kubectl([
      '-n',
      NAMESPACE,
      'get',
      'configurationstates',
      '--no-headers',
      '-o',
      columns,
    ]);
    return text
      .trim()
      .split('\n')
      .map((line) => line.trim().replace(/\s+/, ' '));
  }

  /** Removes Services, pools, advertisements and events. */
  async reset(): Promise<void> {
    await this.lab.kubectl([
      'delete',
      'services',
      '-A',
      '-l',
      '!provider',
      '--field-selector',
      'metadata.name!=kubernetes',
      '--wait',
    ]);
    await this.lab.kubectl([
      'delete',
      'endpointslices',
      '-A',
      '-l',
      'kubernetes.io/service-name!=kubernetes',
    ]);
    const kinds = 'ipaddresspools,l2advertisements,bgpadvertisements,ipreservations';
    await this.lab.kubectl(['-n', NAMESPACE, 'delete', kinds, '--all']);
    await this.lab.kubectl(['delete', 'events', '-A', '--all']);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.lab.down();
  }
}
