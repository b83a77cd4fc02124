/** Two real FRRs on one segment, for tests of the driver: ours beside the speaker, and a router in another AS. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FrrInstance, type FrrOptions } from '#lab/frr/instance.ts';
import { FrrRoot, unmountBelow } from '#lab/frr/root.ts';
import { DaemonFolder } from '#lab/process/daemon.ts';
import { quiet } from '#lab/report.ts';
import { ensureFrrRootfs } from '#lab/system/frr-rootfs.ts';
import { Segment } from '#tests/support/netns.ts';

export const OURS = { ipv4: '10.77.0.1', ipv6: 'fd77::1' } as const;
export const ROUTER = { ipv4: '10.77.0.2', ipv6: 'fd77::2' } as const;

/** What the router in the other AS is told; sessions of both families, no password. */
export const ROUTER_CONFIG = `router bgp 64513
 bgp router-id 10.77.0.2
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 neighbor 10.77.0.1 remote-as 64512
 neighbor 10.77.0.1 passive
 neighbor fd77::1 remote-as 64512
 neighbor fd77::1 passive
 address-family ipv4 unicast
  neighbor 10.77.0.1 activate
 exit-address-family
 address-family ipv6 unicast
  neighbor fd77::1 activate
 exit-address-family
exit
`;

interface RouteEntry {
  readonly paths?: readonly { readonly valid?: boolean }[];
}

export class FrrLab {
  readonly folder: string;
  readonly ours: FrrInstance;
  readonly router: FrrInstance;
  readonly segment: Segment;
  readonly #root: FrrRoot;

  private constructor(name: string, vrfs: readonly string[], listens: boolean) {
    this.folder = mkdtempSync(join(tmpdir(), `mlb-${name}-`));
    this.segment = new Segment(name);
    this.#root = new FrrRoot(this.folder);
    const daemons = new DaemonFolder(this.folder);
    const vrfNetns = Object.fromEntries(vrfs.map((vrf) => [vrf, this.segment.netns(`vrf-${vrf}`)]));
    const make = (host: string, extra: Partial<FrrOptions>): FrrInstance =>
      new FrrInstance(this.#root, daemons, { name: host, netns: this.segment.netns(host), ...extra });
    this.ours = make('ours', vrfs.length === 0 ? { listens } : { listens, vrfs: vrfNetns });
    this.router = make('router', {});
  }

  /**
   * Starts both. `vrfs` are namespaces that ours has as VRFs. The router is configured only when told so.
   * `listens` false: ours opens sessions and accepts none, as in a pod.
   */
  static async start(
    name: string,
    routerConfig?: string,
    vrfs: readonly string[] = [],
    listens = true,
  ): Promise<FrrLab> {
    const lab = new FrrLab(name, vrfs, listens);
    const lower = await ensureFrrRootfs(quiet);
    await lab.segment.up();
    await lab.segment.host('ours', `${OURS.ipv4}/24`, `${OURS.ipv6}/64`);
    await lab.segment.host('router', `${ROUTER.ipv4}/24`, `${ROUTER.ipv6}/64`);
    for (const vrf of vrfs) await lab.segment.host(`vrf-${vrf}`, '10.78.0.1/24');
    await lab.#root.mount(lower);
    await lab.ours.start();
    await lab.router.start(routerConfig);
    return lab;
  }

  async down(): Promise<void> {
    await Promise.all([this.ours.stop(), this.router.stop()]);
    await unmountBelow(this.folder);
    await this.segment.down();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Prefixes the router has from us, sorted. */
  async received(family: 'ipv4' | 'ipv6' = 'ipv4'): Promise<string[]> {
    const table = await this.router.json<{ routes?: Record<string, readonly unknown[]> }>(
      `show bgp ${family} unicast json`,
    );
    return Object.keys(table.routes ?? {}).sort();
  }

  /** The router's view of one prefix; no paths when it does not have it. */
  async route(prefix: string): Promise<RouteEntry> {
    const family = prefix.includes(':') ? 'ipv6' : 'ipv4';
    return this.router.json<RouteEntry>(`show bgp ${family} unicast ${prefix} json`);
  }

  /** The router's counters of its session with us. */
  async session(
    address: string = OURS.ipv4,
  ): Promise<{ bgpState: string; dropped: number; established: number }> {
    const all =
      await this.router.json<
        Record<string, { bgpState: string; connectionsDropped: number; connectionsEstablished: number }>
      >('show bgp neighbors json');
    const found = all[address];
    return {
      bgpState: found?.bgpState ?? 'none',
      dropped: found?.connectionsDropped ?? 0,
      established: found?.connectionsEstablished ?? 0,
    };
  }
}
