/** Our FRR with a driver and a router whose configuration each test writes: sessions of every kind. */
import type { Grant } from '#core/bgp/route.ts';
import type { BgpPeer, Config } from '#core/model/config.ts';
import { silent, type Logger } from '#runtime/log/logger.ts';
import { openFrr } from '#speaker/frr/driver.ts';
import { loadTemplates } from '#speaker/frr/templates.ts';
import type { FrrPort } from '#speaker/ports.ts';
import { eventually } from '#tests/support/eventually.ts';
import { announcing } from '#tests/support/frr-driver.ts';
import { FrrLab, OURS } from '#tests/support/frr-lab.ts';

/** Longest wait for something to come about. */
export const LONG = 40_000;
const render = loadTemplates('frr-templates');

/** What FRR says of one session (`show bgp neighbors json`). */
export interface SessionView {
  readonly bgpState: string;
  readonly remoteAs: number;
  readonly remoteRouterId: string;
  readonly nbrExternalLink?: boolean;
  readonly bgpTimerHoldTimeMsecs: number;
  readonly bgpTimerConfiguredHoldTimeMsecs: number;
  readonly bgpTimerConfiguredKeepAliveIntervalMsecs: number;
  readonly connectRetryTimer: number;
  readonly connectionsEstablished: number;
  readonly connectionsDropped: number;
  readonly addressFamilyInfo: Readonly<Record<string, object>>;
  readonly gracefulRestartInfo?: { readonly remoteGrMode: string };
  readonly messageStats: {
    readonly opensSent: number;
    readonly opensRecv: number;
    readonly updatesRecv: number;
    readonly updatesSent: number;
  };
}

/** What FRR says of one BFD session (`show bfd peers json`). */
export interface BfdView {
  readonly peer: string;
  readonly interface?: string;
  readonly multihop: boolean;
  readonly status: string;
  readonly 'remote-receive-interval': number;
  readonly 'remote-transmit-interval': number;
  readonly 'remote-echo-receive-interval': number;
  readonly 'remote-detect-multiplier': number;
}

/** Lines of a neighbour in the router's configuration, without `neighbor ADDRESS`. */
export type Neighbors = Readonly<Record<string, readonly string[]>>;

export class SessionLab {
  readonly lab: FrrLab;
  port!: FrrPort;

  private constructor(lab: FrrLab) {
    this.lab = lab;
  }

  /** Both FRRs run, the router without configuration. `vrfs` are VRFs of ours. */
  static async start(name: string, vrfs: readonly string[] = []): Promise<SessionLab> {
    return new SessionLab(await FrrLab.start(name, undefined, vrfs));
  }

  /** A new driver, as a speaker that has just started has. `vtysh` is what it types into. */
  open(log: Logger = silent, vtysh = this.lab.ours.vtyshCommand): void {
    const settings = { vtysh, configFile: undefined, runDir: this.lab.ours.runFolder, checkMs: 500 };
    this.port = openFrr(settings, render, log);
  }

  /** Takes all sessions away on both sides, so that the next test's have no history, and ends the driver. */
  async close(): Promise<void> {
    await this.lab.router.vtysh('configure terminal', 'no router bgp').catch(() => '');
    this.announce([]);
    await this.settled();
    await this.port.close();
  }

  async down(): Promise<void> {
    await this.lab.down();
  }

  /** Configures the router with these neighbours; all of them carry both families. */
  async router(asn: number, neighbors: Neighbors): Promise<void> {
    const words = Object.keys(neighbors);
    const lines = Object.entries(neighbors).flatMap(([word, own]) =>
      own.map((line) => ` neighbor ${word} ${line}`),
    );
    const families = ['ipv4', 'ipv6'].flatMap((family) => [
      ` address-family ${family} unicast`,
      ...words.map((word) => `  neighbor ${word} activate`),
      ' exit-address-family',
    ]);
    const global = [
      `router bgp ${asn}`,
      ' bgp router-id 10.77.0.2',
      ' no bgp ebgp-requires-policy',
      ' no bgp default ipv4-unicast',
    ];
    await this.lab.router.load([...global, ...lines, ...families, 'exit', ''].join('\n'));
  }

  /** Has our FRR announce 198.18.0.1/32 and 2001:db8::1/128 to these peers. */
  announce(peers: readonly BgpPeer[], part: Partial<Config> = {}, grant: Partial<Grant> = {}): void {
    this.port.setDesired(announcing(['198.18.0.1', '2001:db8::1'], { peers, ...part }, grant));
  }

  /** FRR has what was announced last. */
  async settled(): Promise<void> {
    await eventually(() => {
      if (this.port.state.applied !== this.port.state.desired)
        throw new Error(`not applied: ${this.port.state.lastError}`);
    }, LONG);
  }

  /** All that the router knows of one prefix, as text. */
  async route(prefix = '198.18.0.1/32'): Promise<string> {
    return JSON.stringify(await this.lab.route(prefix));
  }

  /** A session as the router sees it; `neighbor` is our address. */
  at(neighbor: string = OURS.ipv4): Promise<SessionView> {
    return this.#session('router', neighbor);
  }

  /** A session as our FRR sees it. */
  ours(neighbor: string): Promise<SessionView> {
    return this.#session('ours', neighbor);
  }

  async #session(side: 'ours' | 'router', neighbor: string): Promise<SessionView> {
    const all = await this.lab[side].json<Record<string, SessionView>>('show bgp neighbors json');
    const found = all[neighbor];
    if (found === undefined) throw new Error(`${side} has no neighbor ${neighbor}`);
    return found;
  }

  /** The router has an established session with this address of ours. */
  async established(neighbor: string = OURS.ipv4): Promise<SessionView> {
    return eventually(async () => {
      const session = await this.at(neighbor);
      if (session.bgpState !== 'Established') throw new Error(`${neighbor}: ${session.bgpState}`);
      return session;
    }, LONG);
  }

  /** The router's BFD session with an address of ours that is up. */
  async bfdUp(neighbor: string = OURS.ipv4): Promise<BfdView> {
    return eventually(async () => {
      const peers = await this.lab.router.json<readonly BfdView[]>('show bfd peers json');
      const found = peers.find((one) => one.peer === neighbor);
      if (found?.status !== 'up') throw new Error(`BFD with ${neighbor}: ${found?.status}`);
      return found;
    }, LONG);
  }
}
