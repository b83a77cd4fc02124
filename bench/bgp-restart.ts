/**
 * What a client behind a router loses while parts of us are restarted: datagrams to a Service, every 10 ms, through a
 * router with FRR that learnt the address from us. The node answers for the address itself.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { peerAddresses, type BgpStage } from '#bench/bgp-stage.ts';
import type { Figure } from '#bench/figures.ts';
import { NODE_ASN, ROUTER, ROUTER_ASN, nodeAddresses } from '#lab/net/plan.ts';
import { waitFor } from '#lab/process/wait.ts';
import type { Reporter } from '#lab/report.ts';
import { startTraffic } from '#tests/support/echo-traffic.ts';

const ECHO = { name: 'echo', ip: '198.18.255.2', port: 7 };
/** Traffic before and after what happens. */
const CALM_MS = 2_000;

interface Case {
  readonly name: string;
  readonly gracefulRestart: boolean;
  /** Whether the sessions of the listening routers stay too. */
  readonly keepsSessions: boolean;
  readonly goal?: string;
  readonly act: (stage: BgpStage) => Promise<void>;
}

const cases: readonly Case[] = [
  {
    name: 'speaker killed and started again, FRR goes on',
    gracefulRestart: false,
    keepsSessions: true,
    goal: '<= 0',
    act: async ({ lab, light }) => {
      await lab.daemons.find('speaker-node1')?.stop('SIGKILL');
      await light.startSpeaker(1);
      await light.speakerReady(1);
    },
  },
  {
    name: 'container frr killed and started again, graceful restart',
    gracefulRestart: true,
    keepsSessions: false,
    goal: '<= 0',
    act: async ({ frr }) => {
      // As in a pod: the file that the speaker keeps is what FRR starts from.
      const kept = readFileSync(join(frr.configFolder, 'frr.conf'), 'utf8');
      await frr.stop('SIGKILL');
      await frr.start(kept);
    },
  },
  {
    name: 'pod replaced, graceful restart',
    gracefulRestart: true,
    keepsSessions: false,
    goal: '<= 0',
    act: replacePod,
  },
  {
    name: 'pod replaced, no graceful restart',
    gracefulRestart: false,
    keepsSessions: false,
    act: replacePod,
  },
];

/** The kubelet signals both containers at once; the next pod begins with an FRR that has nothing. */
async function replacePod({ lab, light, frr }: BgpStage): Promise<void> {
  await Promise.all([lab.daemons.find('speaker-node1')?.stop('SIGTERM'), frr.stop('SIGTERM')]);
  await light.startSpeaker(1);
  await light.speakerReady(1);
}

export async function restarts(stage: BgpStage, prefixes: number, report: Reporter): Promise<Figure[]> {
  await serveEcho(stage);
  // The router would wait for BFD, which the peer does not ask for here: it hides what graceful restart does.
  const { ipv4 } = nodeAddresses(1);
  await stage.lab.router.vtysh('configure terminal', `router bgp ${ROUTER_ASN}`, `no neighbor ${ipv4} bfd`);
  const figures: Figure[] = [];
  for (const each of cases) {
    report.step(`restarts: ${each.name}`);
    await peerWithRouter(stage, each.gracefulRestart, prefixes + 1);
    await stage.quiet();
    figures.push(...(await measure(stage, each, prefixes)));
    // Graceful restart cannot be changed of a peer.
    await stage.remove('BGPPeer', 'router');
  }
  return figures;
}

async function serveEcho(stage: BgpStage): Promise<void> {
  const { lab } = stage;
  await stage.service(ECHO.name, ECHO.ip, true);
  await lab.exec('node1', ['ip', 'addr', 'add', `${ECHO.ip}/32`, 'dev', 'lo']);
  const script = join(import.meta.dirname, '../tests/support/udp-echo-process.ts');
  const argv = [process.execPath, script, ECHO.ip, String(ECHO.port)];
  const server = lab.spawn('node1', { name: 'echo-server', argv });
  await waitFor('the echo server', () => server.logText().includes('listening'));
}

/** A session with the lab's router; what it agreed on before is forgotten. */
async function peerWithRouter(stage: BgpStage, gracefulRestart: boolean, routes: number): Promise<void> {
  const session = { myASN: NODE_ASN, peerASN: ROUTER_ASN, peerAddress: ROUTER.ipv4, connectTime: '1s' };
  await stage.apply('BGPPeer', 'router', { ...session, enableGracefulRestart: gracefulRestart });
  await stage.quiet();
  await stage.lab.router.vtysh('clear bgp *');
  await waitFor(
    `${routes} routes at the router`,
    async () => {
      const all = await stage.lab.router.json<Record<string, { state: string; pfxRcd: number }>>(
        'show bgp ipv4 unicast summary json',
      );
      const { peers } = all as unknown as { peers: Record<string, { state: string; pfxRcd: number }> };
      return peers[nodeAddresses(1).ipv4]?.pfxRcd === routes;
    },
    { deadlineMs: 60_000 },
  );
}

async function measure(
  stage: BgpStage,
  { name, keepsSessions, goal, act }: Case,
  prefixes: number,
): Promise<Figure[]> {
  const size = `${prefixes} prefixes, a datagram every 10 ms`;
  stage.peers.forget();
  const before = await stage.resets();
  const stop = await startTraffic(stage.lab, 'client', ECHO.ip);
  await sleep(CALM_MS);
  await act(stage);
  await stage.peers.filled(peerAddresses, prefixes + 1);
  // Long enough for what the restarted side says last.
  await sleep(CALM_MS * 2);
  const { sent, received, longestGap } = await stop();
  const about = { unit: '', size };
  const figures: Figure[] = [
    {
      figure: `${name}: packets lost`,
      ...about,
      value: sent - received,
      ...(goal === undefined ? {} : { goal }),
    },
    { figure: `${name}: longest time without an answer`, unit: 'ms', size, value: longestGap },
  ];
  if (!keepsSessions) return figures;
  const withdrawals = (await stage.peers.tallies()).reduce((sum, tally) => sum + tally.withdrawals, 0);
  return [
    ...figures,
    { figure: `${name}: sessions reset`, ...about, value: (await stage.resets()) - before, goal: '<= 0' },
    { figure: `${name}: withdrawals`, ...about, value: withdrawals, goal: '<= 0' },
  ];
}
