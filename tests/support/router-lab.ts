/** A lab with two routers whose AS each test chooses, for what sessions do: R1 at the router's place, R2 on the LAN. */
import { existsSync, readFileSync } from 'node:fs';
import { LightStage } from '#lab/demo/light.ts';
import { NAMESPACE } from '#lab/demo/stage.ts';
import type { FrrInstance } from '#lab/frr/instance.ts';
import { Lab } from '#lab/lab.ts';
import { LAN_CLIENT, nodeAddresses, ROUTER } from '#lab/net/plan.ts';
import { type RunResult, tryRun } from '#lab/process/run.ts';
import { quiet } from '#lab/report.ts';
import { routerConfigFor } from '#lab/router/config.ts';
import { createService, ingressOf } from '#lab/workload/service.ts';
import { eventually } from './eventually.ts';

/** Addresses of the routers. */
export const R1 = ROUTER.ipv4;
export const R2 = LAN_CLIENT.ipv4;
/** Longest wait for something to come about. */
export const LONG_MS = 60_000;

/** What a router knows of one session (FRR's `show bgp neighbors json`). */
export interface Neighbor {
  readonly bgpState: string;
  readonly localAs: number;
  readonly bgpTimerHoldTimeMsecs: number;
  readonly bgpTimerKeepAliveIntervalMsecs: number;
  readonly connectionsEstablished: number;
  readonly connectionsDropped: number;
  readonly lastResetDueTo?: string;
  readonly messageStats: { readonly keepalivesRecv: number; readonly opensRecv: number };
}

/** AS numbers of a router and of the nodes. */
export interface RouterRole {
  readonly asn: number;
  readonly nodeAsn: number;
  /** Whether the router watches its sessions by BFD; it does not unless told. */
  readonly bfd?: boolean;
  /** Sessions over these; IPv4 only unless told. */
  readonly families?: readonly ('ipv4' | 'ipv6')[];
}

interface RoutePath {
  readonly path: string;
  readonly locPrf?: number;
  readonly nexthops: readonly { readonly ip: string }[];
}

export interface ConfigurationStateStatus {
  readonly result: string;
  readonly errorSummary?: string;
}

export class RouterLab {
  readonly lab: Lab;
  readonly r1: FrrInstance;
  readonly r2: FrrInstance;
  readonly stage: LightStage;

  private constructor(lab: Lab) {
    this.lab = lab;
    this.r1 = lab.router;
    this.r2 = lab.frr('lan');
    this.stage = new LightStage(lab);
  }

  /** Up with both routers; nothing of ours is installed yet. */
  static async up(name: string, nodes: number): Promise<RouterLab> {
    const lab = await Lab.up({ name, level: 'light', nodes, report: quiet });
    const routers = new RouterLab(lab);
    await routers.r2.start();
    return routers;
  }

  /** Lets a router start over in an AS of its own, with a session per node. */
  async route(
    router: FrrInstance,
    { asn, nodeAsn, bfd = false, families = ['ipv4'] }: RouterRole,
  ): Promise<void> {
    const running = await router.vtysh('show running-config');
    const old = running.split('\n').filter((line) => line.startsWith('router bgp '));
    await router.load(old.map((line) => `no ${line}\n`).join(''));
    const routerId = router === this.r1 ? R1 : R2;
    const neighbors = this.stage.nodes.flatMap((index) =>
      families.map((family) => nodeAddresses(index)[family]),
    );
    await router.load(routerConfigFor({ asn, routerId, nodeAsn, neighbors, bfd }));
  }

  /** kubectl, with whatever it answers. */
  async kubectl(args: readonly string[], input?: string): Promise<RunResult> {
    const { argv, env } = this.lab.kubectlCommand(args);
    return tryRun(argv, { env, timeoutMs: LONG_MS, ...(input === undefined ? {} : { input }) });
  }

  /** All objects that users write, gone. */
  async clear(): Promise<void> {
    await this.lab.kubectl(['delete', 'services', '--field-selector=metadata.name!=kubernetes']);
    await this.lab.kubectl(['delete', 'endpointslices', '-l', 'kubernetes.io/service-name!=kubernetes']);
    const kinds = 'bgpadvertisements,bgppeers,bfdprofiles,communities,ipaddresspools,l2advertisements';
    await this.lab.kubectl(['-n', NAMESPACE, 'delete', kinds, '--all']);
  }

  /** A Service with an endpoint on every node, of IPv4 unless told. */
  async service(
    name: string,
    spec: object = { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'] },
  ): Promise<void> {
    await createService(this.lab.api, { name, nodes: this.stage.nodes, spec: { ...spec } });
  }

  addresses(service: string): Promise<readonly string[]> {
    return ingressOf(this.lab.api, service);
  }

  /** An object of ours as the API server gives it. */
  async object<T>(kind: string, name: string): Promise<T> {
    return JSON.parse(
      await this.lab.kubectl(['-n', NAMESPACE, 'get', `${kind}.metallb.io`, name, '-o', 'json']),
    ) as T;
  }

  /** What a program reports of the configuration: `controller` or `speaker-NODE`. */
  async state(of: string): Promise<ConfigurationStateStatus | undefined> {
    return (await this.object<{ status?: ConfigurationStateStatus }>('configurationstates', of)).status;
  }

  /** The router's view of its session with a node, the first one's over IPv4 unless told. */
  async neighbor(router: FrrInstance, index = 1, family: 'ipv4' | 'ipv6' = 'ipv4'): Promise<Neighbor> {
    const address = nodeAddresses(index)[family];
    const found = (await router.json<Record<string, Neighbor>>(`show bgp neighbors ${address} json`))[
      address
    ];
    if (found === undefined) throw new Error(`${router.name} knows no neighbor ${address}`);
    return found;
  }

  async established(router: FrrInstance): Promise<void> {
    await eventually(async () => {
      for (const index of this.stage.nodes) {
        const { bgpState, lastResetDueTo } = await this.neighbor(router, index);
        if (bgpState === 'Established') continue;
        throw new Error(`${router.name}, node ${index}: ${bgpState}, last reset: ${lastResetDueTo}`);
      }
    }, LONG_MS);
  }

  /** Paths of a prefix at a router. */
  async paths(router: FrrInstance, prefix: string): Promise<readonly RoutePath[]> {
    const table = await router.json<{ routes?: Record<string, readonly RoutePath[]> }>(
      'show bgp ipv4 unicast json',
    );
    return table.routes?.[prefix] ?? [];
  }

  /** Next hops of a prefix at a router, sorted. */
  async nextHops(router: FrrInstance, prefix: string): Promise<readonly string[]> {
    const paths = await this.paths(router, prefix);
    return paths.flatMap(({ nexthops }) => nexthops.map(({ ip }) => ip)).sort();
  }

  /** What nodes have as next hops when all of them announce. */
  get allNodes(): readonly string[] {
    return this.stage.nodes.map((index) => nodeAddresses(index).ipv4);
  }

  /** All that a program of ours wrote, runs that have ended included. */
  log(program: string): string {
    const path = this.lab.daemons.logPath(program);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  async down(): Promise<void> {
    await this.lab.down();
  }
}
