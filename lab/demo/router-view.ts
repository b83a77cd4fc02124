/** What the router says of our addresses. */
import type { Lab } from '#lab/lab.ts';

interface BgpRoute {
  readonly paths?: readonly {
    readonly valid?: boolean;
    readonly multipath?: boolean;
    readonly bestpath?: { readonly overall?: boolean };
  }[];
}

function family(address: string): 'ipv4' | 'ipv6' {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}

/** Paths that the router uses side by side for a single address. */
export async function pathsOf(lab: Lab, address: string): Promise<number> {
  const length = family(address) === 'ipv4' ? 32 : 128;
  const route = await lab.router.json<BgpRoute>(
    `show bgp ${family(address)} unicast ${address}/${length} json`,
  );
  return (route.paths ?? []).filter((path) => path.valid === true && path.multipath === true).length;
}

/** Number of BFD sessions that are up. */
export async function bfdUp(lab: Lab): Promise<number> {
  const peers = await lab.router.json<readonly { readonly status: string }[]>('show bfd peers json');
  return peers.filter(({ status }) => status === 'up').length;
}

/** The next hops of the kernel's route to an address. */
export async function nextHops(lab: Lab, address: string): Promise<readonly string[]> {
  const routes = await lab.at('router').routes(family(address) === 'ipv4' ? 4 : 6);
  const route = routes.find(({ dst }) => dst === address) as
    { readonly gateway?: string; readonly nexthops?: readonly { readonly gateway: string }[] } | undefined;
  if (route?.gateway !== undefined) return [route.gateway];
  return (route?.nexthops ?? []).map(({ gateway }) => gateway).sort();
}
