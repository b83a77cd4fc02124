/** A node that is emptied, before maintenance or before its speaker ends: real speakers, FRR, router and traffic. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LightStage } from '#lab/demo/light.ts';
import { NAMESPACE } from '#lab/demo/stage.ts';
import { Lab } from '#lab/lab.ts';
import { nodeAddresses, nodeName, podAddresses } from '#lab/net/plan.ts';
import { waitFor } from '#lab/process/wait.ts';
import { quiet } from '#lab/report.ts';
import { createService, endpointSlice, serviceObject } from '#lab/workload/service.ts';
import { startTraffic } from '#tests/support/echo-traffic.ts';
import { eventually } from '#tests/support/eventually.ts';

const LONG = 60_000;
const WAIT_S = 4;
const ECHO = { port: 7, targetPort: 8081 };
const ECHO_IP = '198.51.100.1';
const ONLY_IP = '198.51.100.2';
const root = join(import.meta.dirname, '../../..');

let lab: Lab;
let stage: LightStage;

interface Path {
  readonly locPrf?: number;
  readonly community?: { readonly string: string };
  readonly bestpath?: { readonly overall?: boolean };
  readonly nexthops: readonly { readonly ip: string }[];
}

/** The router's path to an address by a node; undefined: it has none. */
async function pathBy(index: number, ip: string): Promise<Path | undefined> {
  const { paths = [] } = await lab.router.json<{ paths?: readonly Path[] }>(
    `show bgp ipv4 unicast ${ip}/32 json`,
  );
  return paths.find(({ nexthops }) => nexthops[0]?.ip === nodeAddresses(index).ipv4);
}

const isMarked = (path: Path | undefined): boolean =>
  /graceful-?shutdown/i.test(path?.community?.string ?? '');

/** Nodes by which the router sends to an address. */
async function inUse(ip: string): Promise<readonly string[]> {
  const routes = (await lab.at('router').routes()).filter(({ dst }) => dst === ip);
  const hops = routes.flatMap(({ gateway, nexthops = [] }) => [
    ...(gateway === undefined ? [] : [gateway as string]),
    ...(nexthops as readonly { gateway?: string }[]).map((hop) => hop.gateway),
  ]);
  return hops.map((hop) => hop ?? '').sort();
}

/** The node through which datagrams to an address go, while there is traffic. */
async function carrier(ip: string): Promise<number> {
  const captures = await Promise.all(
    stage.nodes.map((index) =>
      lab.at(nodeName(index)).capture(`udp and dst host ${ip} and dst port ${ECHO.port}`),
    ),
  );
  try {
    return await waitFor('the node that carries the traffic', () => {
      const at = captures.findIndex(({ lines }) => lines.length > 0);
      return at < 0 ? undefined : at + 1;
    });
  } finally {
    for (const capture of captures) await capture[Symbol.asyncDispose]();
  }
}

async function createEcho(): Promise<void> {
  const udp = { name: 'echo', protocol: 'UDP' };
  const spec = { ports: [{ ...udp, ...ECHO }], ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'] };
  const service = { name: 'echo', nodes: stage.nodes, spec };
  await lab.api.create('/api/v1/namespaces/default/services', serviceObject(service));
  const slice = { ...endpointSlice(service, 'IPv4'), ports: [{ ...udp, port: ECHO.targetPort }] };
  await lab.api.create('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', slice);
  for (const index of stage.nodes)
    lab.spawn(nodeName(index), {
      name: `echo-${nodeName(index)}`,
      argv: [
        process.execPath,
        join(root, 'tests/support/udp-echo-process.ts'),
        podAddresses(index).ipv4,
        String(ECHO.targetPort),
      ],
    });
}

const label = (index: number, change: string) =>
  lab.kubectl(['label', 'node', nodeName(index), `metallb.io/drain${change}`, '--overwrite']);

beforeAll(async () => {
  lab = await Lab.up({ name: 'mlb-t-drain', level: 'light', nodes: 3, report: quiet });
  stage = new LightStage(lab, { args: [`--graceful-shutdown-seconds=${WAIT_S}`] });
  for (const step of stage.deploy) await step.run(() => undefined);
  await lab.kubectl(['apply', '-f', join(root, 'lab/demo/manifests/bgp.yaml')]);
  for (const index of stage.nodes) lab.startProxy(index);
  await createEcho();
  await eventually(async () => expect(await inUse(ECHO_IP)).toHaveLength(3), LONG);
  const states = [
    '-n',
    NAMESPACE,
    'get',
    'bgpsessionstates.metallb.io',
    '-o',
    'jsonpath={.items[*].status.bgpStatus}',
  ];
  await eventually(async () => {
    const words = (await lab.kubectl(states)).split(' ');
    expect(words.filter((word) => word === 'Established')).toHaveLength(6);
  }, LONG);
}, 300_000);
afterAll(() => lab?.down());

describe('the label metallb.io/drain on a node that carries traffic', () => {
  it('the router is told, moves the traffic, and then the path goes: not one datagram is lost', async () => {
    const stop = await startTraffic(lab, 'client', ECHO_IP);
    const index = await carrier(ECHO_IP);
    const others = stage.nodes.filter((each) => each !== index).map((each) => nodeAddresses(each).ipv4);
    await label(index, '=true');
    const marked = await waitFor('the community at the router', async () => {
      const path = await pathBy(index, ECHO_IP);
      return isMarked(path) ? path : undefined;
    });
    // RFC 8326: the router gives such a path the preference 0, so that every other one is better.
    expect(marked.locPrf).toBe(0);
    await eventually(async () => expect(await inUse(ECHO_IP)).toEqual(others), LONG);
    expect(await pathBy(index, ECHO_IP)).toBeDefined();
    await eventually(async () => expect(await pathBy(index, ECHO_IP)).toBeUndefined(), LONG);
    await label(index, '-');
    await eventually(async () => expect(await inUse(ECHO_IP)).toHaveLength(3), LONG);
    expect(isMarked(await pathBy(index, ECHO_IP))).toBe(false);
    const { sent, received } = await stop();
    expect(received).toBe(sent);
    expect(sent).toBeGreaterThan((WAIT_S * 1000) / 10 / 2);
  });

  it('the last path to an address stays, unmarked; when another node announces it too, it goes', async () => {
    const only = {
      name: 'only',
      nodes: [1],
      spec: { externalTrafficPolicy: 'Local', ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'] },
    };
    await createService(lab.api, only);
    await eventually(async () => expect(await inUse(ONLY_IP)).toEqual([nodeAddresses(1).ipv4]), LONG);
    await label(1, '=true');
    await eventually(async () => expect(await pathBy(1, ECHO_IP)).toBeUndefined(), LONG);
    expect(isMarked(await pathBy(1, ONLY_IP))).toBe(false);
    const { endpoints } = endpointSlice({ ...only, nodes: [1, 2] }, 'IPv4');
    const path = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/only-ipv4';
    await lab.api.patch(path, { endpoints });
    await eventually(async () => expect(await inUse(ONLY_IP)).toEqual([nodeAddresses(2).ipv4]), LONG);
    await eventually(async () => expect(await pathBy(1, ONLY_IP)).toBeUndefined(), LONG);
    // The other one is emptied as well: of two that go, both stay.
    await label(2, '=true');
    await eventually(async () => {
      expect(await inUse(ONLY_IP)).toEqual([1, 2].map((index) => nodeAddresses(index).ipv4));
    }, LONG);
    await label(1, '-');
    await label(2, '-');
    await lab.kubectl(['delete', 'service', 'only']);
    await eventually(async () => expect(await inUse(ECHO_IP)).toHaveLength(3), LONG);
  });
});

describe('a speaker that is told to end, and its FRR after it', () => {
  it('the traffic goes elsewhere first: not one datagram is lost; a last path is left to the end', async () => {
    const stop = await startTraffic(lab, 'client', ECHO_IP);
    const index = await carrier(ECHO_IP);
    const spec = { externalTrafficPolicy: 'Local', ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'] };
    await createService(lab.api, { name: 'last', nodes: [index], spec });
    await eventually(async () => expect(await inUse(ONLY_IP)).toEqual([nodeAddresses(index).ipv4]), LONG);
    const speaker = lab.daemons.find(`speaker-${nodeName(index)}`);
    speaker?.signal('SIGTERM');
    await waitFor('the community at the router', async () => isMarked(await pathBy(index, ECHO_IP)));
    expect(speaker?.alive).toBe(true);
    await waitFor('the speaker to end', () => speaker?.alive === false, { deadlineMs: 30_000 });
    expect(speaker?.logText()).toMatch(/"msg":"stopped".*"code":0/);
    expect(await pathBy(index, ECHO_IP)).toBeUndefined();
    expect(isMarked(await pathBy(index, ONLY_IP))).toBe(false);
    expect(await inUse(ONLY_IP)).toEqual([nodeAddresses(index).ipv4]);
    await lab.frr(nodeName(index)).stop('SIGTERM');
    await eventually(async () => expect(await inUse(ONLY_IP)).toEqual([]), LONG);
    const { sent, received } = await stop();
    expect(received).toBe(sent);
  });
});
