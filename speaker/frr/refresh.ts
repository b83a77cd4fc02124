/**
 * Asks each neighbour once per session for its routes, so that the inbound map in force (ours, or what users
 * appended to it while the session came up) has seen them all. Tools expect every established peer to show at
 * least one route refresh (speaker-bgp.md #145).
 */
import { parseNeighbors } from '#core/frr/parse.ts';
import type { Vtysh } from '#speaker/frr/vtysh.ts';

const WORD = /^[A-Za-z0-9.:_-]+$/;

/** Sends the requests that are due; FRR's answers are not looked at: the next call sees what is still due. */
export async function refreshInbound(vtysh: Vtysh): Promise<void> {
  const [text = ''] = await vtysh.run(['show bgp vrf all neighbors json']);
  const due = parseNeighbors(JSON.parse(text))
    .filter(({ state, messages }) => state === 'Established' && messages.routeRefreshSent === 0)
    .filter(({ vrf, neighbor }) => WORD.test(neighbor) && (vrf === '' || WORD.test(vrf)))
    .map(({ vrf, neighbor }) => `clear bgp ${vrf === '' ? '' : `vrf ${vrf} `}${neighbor} in`);
  if (due.length > 0) await vtysh.run(due);
}
