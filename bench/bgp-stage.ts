/**
 * What the bench of BGP measures on: a real API server, one node with our speaker as the image runs it and an FRR
 * beside it, and listening routers that note when an UPDATE reaches them. Addresses are given out by hand.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { inParallel } from '#bench/in-parallel.ts';
import { cpuSeconds, memoryOf } from '#bench/process-figures.ts';
import { metallbResources } from '#core/api/resources.ts';
import { LightStage, type LightSpeakers } from '#lab/demo/light.ts';
import { NAMESPACE } from '#lab/demo/stage.ts';
import type { FrrInstance } from '#lab/frr/instance.ts';
import { Lab } from '#lab/lab.ts';
import { NODE_ASN, ROUTER_ASN } from '#lab/net/plan.ts';
import { waitFor } from '#lab/process/wait.ts';
import type { Reporter } from '#lab/report.ts';
import { endpointSlice, serviceObject } from '#lab/workload/service.ts';
import { createKubeClient } from '#runtime/kube/client.ts';
import { loadCredentials, type Credentials } from '#runtime/kube/credentials.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import { createTransport } from '#runtime/kube/transport.ts';
import type { KubeClient, KubeObject, ObjectRef } from '#runtime/kube/types.ts';
import { silent } from '#runtime/log/logger.ts';
import { BgpPeers } from '#tests/support/bgp-peers.ts';

const CREATORS = 16;
export const PEERS = 8;

/** Addresses of the listening routers. */
export const peerAddresses = Array.from({ length: PEERS }, (_, at) => `10.90.0.${101 + at}`);

/** Address of the n-th Service. */
export function addressOf(n: number): string {
  return `198.18.${n >> 8}.${n & 255}`;
}

export interface Costs {
  readonly speaker: number;
  readonly bgpd: number;
}

/** CPU seconds so far. */
export interface Cpu extends Costs {
  /** The control plane: API server, etcd and the controllers of Kubernetes. */
  readonly plane: number;
  /** This process and the listening routers. */
  readonly bench: number;
}

export class BgpStage implements AsyncDisposable {
  readonly lab: Lab;
  readonly light: LightStage;
  readonly peers: BgpPeers;
  readonly frr: FrrInstance;
  readonly client: KubeClient;
  readonly #credentials: Credentials;
  readonly #report: Reporter;
  #services = 0;

  private constructor(light: LightStage, peers: BgpPeers, credentials: Credentials, report: Reporter) {
    this.light = light;
    this.lab = light.lab;
    this.peers = peers;
    this.frr = light.lab.frr('node1');
    this.#credentials = credentials;
    this.#report = report;
    this.client = createKubeClient(createTransport(credentials, { logger: silent }));
  }

  /** A pool and an advertisement are there, no Service and no peer. */
  static async start(speaker: LightSpeakers, report: Reporter): Promise<BgpStage> {
    const lab = await Lab.up({ name: 'mlb-bench', level: 'light', nodes: 1, report });
    try {
      const light = new LightStage(lab, speaker);
      await light.deploy[0]?.run(() => undefined);
      const lan = ['ip', '-n', lab.netns('lan'), 'addr', 'add'];
      for (const address of peerAddresses)
        await lab.exec('control', [...lan, `${address}/24`, 'dev', 'eth0']);
      const peers = await BgpPeers.start(lab.netns('lan'), { asn: ROUTER_ASN, addresses: peerAddresses });
      const credentials = await loadCredentials({ kubeconfig: await lab.hostKubeconfig() });
      const stage = new BgpStage(light, peers, credentials, report);
      await stage.apply('IPAddressPool', 'bench', { addresses: ['198.18.0.0/16'] });
      await stage.apply('BGPAdvertisement', 'bench', { ipAddressPools: ['bench'] });
      await light.startSpeaker(1);
      await light.speakerReady(1);
      return stage;
    } catch (error) {
      await lab.down();
      throw error;
    }
  }

  /** Applies an object of metallb.io. */
  async apply(kind: keyof typeof metallbResources, name: string, spec: object): Promise<void> {
    const type = metallbResources[kind];
    const ref = { type, namespace: NAMESPACE, name };
    const { group, version } = type;
    const about = { apiVersion: `${group}/${version}`, kind, metadata: { name, namespace: NAMESPACE } };
    await this.client.apply(ref, { ...about, spec }, { fieldManager: 'bench' });
  }

  async remove(kind: keyof typeof metallbResources, name: string): Promise<void> {
    await this.client.delete({ type: metallbResources[kind], namespace: NAMESPACE, name });
  }

  /** Peers with the first so many routers and with no others; returns when all sessions are up. */
  async peerWith(count: number): Promise<readonly string[]> {
    const wanted = peerAddresses.slice(0, count);
    for (const [at, peerAddress] of peerAddresses.entries()) {
      const spec = { myASN: NODE_ASN, peerASN: ROUTER_ASN, peerAddress, connectTime: '1s' };
      if (at < count) await this.apply('BGPPeer', `peer${at}`, spec);
      else if (this.peers.established.includes(peerAddress)) await this.remove('BGPPeer', `peer${at}`);
    }
    await this.peers.sessions(wanted);
    await waitFor('the other sessions to end', () => this.peers.established.length === count);
    return wanted;
  }

  /** So many Services with an address and a ready endpoint each; those that are missing are created. */
  async services(count: number): Promise<void> {
    const names = Array.from({ length: count - this.#services }, (_, at) => this.#services + at);
    await inParallel(names, CREATORS, (n) => this.service(`s${n}`, addressOf(n + 1), true));
    this.#services = count;
  }

  /** A Service with that address; its endpoint on node1 is ready or not. */
  async service(
    name: string,
    ip: string,
    ready: boolean,
    labels: Record<string, string> = {},
  ): Promise<void> {
    const single = { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'] };
    const object = serviceObject({ name, nodes: [1], spec: single }) as unknown as KubeObject;
    const metadata = { ...object.metadata, namespace: 'default', labels };
    await this.client.create(kinds.Service, { ...object, metadata });
    const status = { status: { loadBalancer: { ingress: [{ ip, ipMode: 'VIP' }] } } };
    const ref = { type: kinds.Service, namespace: 'default', name };
    await this.client.patch(ref, status, { subresource: 'status' });
    const slice = endpointSlice({ name, nodes: [1] }, 'IPv4', ready) as unknown as KubeObject;
    const about = { ...slice.metadata, namespace: 'default' };
    await this.client.create(kinds.EndpointSlice, { ...slice, metadata: about });
  }

  /** Makes the endpoint of a Service ready or not: one request. */
  async setReady(name: string, ready: boolean): Promise<void> {
    const { endpoints } = endpointSlice({ name, nodes: [1] }, 'IPv4', ready);
    const ref: ObjectRef = { type: kinds.EndpointSlice, namespace: 'default', name: `${name}-ipv4` };
    await this.client.patch(ref, { endpoints });
  }

  get pids(): { readonly speaker: number | undefined; readonly bgpd: number | undefined } {
    return { speaker: this.lab.daemons.find('speaker-node1')?.pid, bgpd: this.frr.daemon('bgpd')?.pid };
  }

  cpu(): Cpu {
    const programs = ['kube-apiserver', 'etcd', 'kube-controller-manager'];
    return {
      speaker: cpuSeconds(this.pids.speaker),
      bgpd: cpuSeconds(this.pids.bgpd),
      plane: programs.reduce((sum, name) => sum + cpuSeconds(this.lab.daemons.find(name)?.pid), 0),
      bench: cpuSeconds(process.pid) + cpuSeconds(this.peers.pid),
    };
  }

  /** Sessions of the listening routers that ended so far. */
  async resets(): Promise<number> {
    return (await this.peers.tallies()).reduce((sum, { down }) => sum + down, 0);
  }

  /** Resident memory in MB. */
  memory(): Costs {
    return { speaker: memoryOf(this.pids.speaker).now, bgpd: memoryOf(this.pids.bgpd).now };
  }

  /** How long the speaker says that the last application of at least so many changes took, in ms. */
  lastApplied(changes: number): number {
    const log = this.lab.daemons.find('speaker-node1')?.logText() ?? '';
    const lines = log.split('\n').filter((line) => line.includes('FRR configuration applied'));
    const applied = lines.map((line) => JSON.parse(line) as { changes: number; durationMs: number });
    return applied.findLast((each) => each.changes >= changes)?.durationMs ?? Number.NaN;
  }

  /** Waits until the speaker has written its Events and status objects: for two seconds it did hardly anything. */
  async quiet(): Promise<void> {
    this.#report.progress('waiting until the speaker has written its Events and status objects');
    for (;;) {
      const before = this.cpu().speaker;
      await sleep(2000);
      if (this.cpu().speaker - before < 0.2) return;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.peers.stop();
    await this.#credentials[Symbol.asyncDispose]();
    await this.lab.down();
  }
}
