/** Routes asked for again, and sent again; no session notices either. */
import { parseNeighbors } from '#core/frr/parse.ts';
import type { Target } from '#core/frr/sessions.ts';
import { VtyshError, type Vtysh } from '#speaker/frr/vtysh.ts';

const WORD = /^[A-Za-z0-9.:_-]+$/;

/**
 * Asks each neighbour once per session for its routes, so that the inbound map in force (ours, or what users
 * appended to it while the session came up) has seen them all. Tools expect every established peer to show at
 * least one route refresh (speaker-bgp.md #145). Sends the requests that are due; FRR's answers are not looked at: the next call
 * sees what is still due.
 */
export async function refreshInbound(vtysh: Vtysh): Promise<void> {
  const [text = ''] = await vtysh.run(['show bgp vrf all neighbors json']);
  const due = parseNeighbors(JSON.parse(text))
    .filter(({ state, messages }) => state === 'Established' && messages.routeRefreshSent === 0)
    .filter(isWritable)
    .map(({ vrf, neighbor }) => `clear bgp ${inVrf(vrf)}${neighbor} in`);
  if (due.length > 0) await vtysh.run(due);
}

/** Has FRR evaluate and send all routes of one family to each neighbour again. Throws VtyshError when FRR complains. */
export async function resendRoutes(vtysh: Vtysh, targets: readonly Target[]): Promise<void> {
  const commands = targets
    .filter(isWritable)
    .map(({ vrf, neighbor, family }) => `clear bgp ${inVrf(vrf)}${family} unicast ${neighbor} soft out`);
  await command(vtysh, commands, 'send routes again');
}

/** Has FRR begin these sessions, none of which is up. Throws VtyshError when FRR complains. */
export async function beginSessions(
  vtysh: Vtysh,
  sessions: readonly Pick<Target, 'vrf' | 'neighbor'>[],
): Promise<void> {
  const commands = sessions
    .filter(isWritable)
    .map(({ vrf, neighbor }) => `clear bgp ${inVrf(vrf)}${neighbor}`);
  await command(vtysh, commands, 'begin a session');
}

async function command(vtysh: Vtysh, commands: readonly string[], what: string): Promise<void> {
  if (commands.length === 0) return;
  const complaint = (await vtysh.run(commands)).find((output) => output.includes('%'));
  if (complaint !== undefined) throw new VtyshError(`FRR does not ${what}: ${complaint}`);
}

function isWritable({ vrf, neighbor }: { readonly vrf: string; readonly neighbor: string }): boolean {
  return WORD.test(neighbor) && (vrf === '' || WORD.test(vrf));
}

function inVrf(vrf: string): string {
  return vrf === '' ? '' : `vrf ${vrf} `;
}
