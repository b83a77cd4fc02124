/** Traffic at the full level while something happens: an echo server on every node, and a probe that counts losses. */
import { join } from 'node:path';
import type { Lab } from '#lab/lab.ts';
import { IMAGES } from '#lab/image/recipe.ts';
import type { Place } from '#lab/net/plan.ts';
import { waitFor } from '#lab/process/wait.ts';
import { ingressOf } from '#lab/workload/service.ts';

const PORT = 7;
const PORT_IN_POD = 8080;
/** Sends back what it is sent, by UDP; answers HTTP on the same port with the name of its node. */
const SERVER = `
const udp = require('node:dgram').createSocket('udp6');
udp.on('message', (message, from) => udp.send(message, from.port, from.address)).bind(${PORT_IN_POD});
require('node:http').createServer((_, answer) => answer.end(process.env.NODE_NAME)).listen(${PORT_IN_POD}, '::');
process.on('SIGTERM', () => process.exit(0));
`;

/** Starts the servers and waits until they are ready. */
export async function startEcho(lab: Lab): Promise<void> {
  const labels = { app: 'echo' };
  const container = {
    name: 'echo',
    image: IMAGES.runtime,
    imagePullPolicy: 'IfNotPresent',
    command: ['node', '-e', SERVER],
    env: [{ name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }],
    readinessProbe: { httpGet: { path: '/', port: PORT_IN_POD }, periodSeconds: 1 },
  };
  const spec = { terminationGracePeriodSeconds: 1, containers: [container] };
  const template = { metadata: { labels }, spec };
  const echo = { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'echo' } };
  const object = { ...echo, spec: { selector: { matchLabels: labels }, template } };
  await lab.kubectl(['apply', '-f', '-'], { input: JSON.stringify(object) });
  await lab.kubectl(['rollout', 'status', 'daemonset/echo', '--timeout=60s'], { timeoutMs: 90_000 });
}

/** A dual-stack Service of the servers with an address of a pool; returns its IPv4 address. */
export async function echoService(lab: Lab, pool: string): Promise<string> {
  const name = `echo-${pool}`;
  await lab.api.create('/api/v1/namespaces/default/services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, annotations: { 'metallb.io/address-pool': pool } },
    spec: {
      type: 'LoadBalancer',
      ipFamilyPolicy: 'RequireDualStack',
      selector: { app: 'echo' },
      ports: [
        { name: 'http', port: 80, targetPort: PORT_IN_POD, protocol: 'TCP' },
        { name: 'echo', port: PORT, targetPort: PORT_IN_POD, protocol: 'UDP' },
      ],
    },
  });
  return waitFor(`an address of ${name}`, async () => (await ingressOf(lab.api, name))[0], {
    deadlineMs: 60_000,
  });
}

/** Services with an address by BGP and one by Layer 2; resolves when both answer where they are asked for. */
export async function answeringServices(lab: Lab, explain?: () => Promise<string>): Promise<void> {
  for (const [pool, client] of [
    ['bgp', lab.client],
    ['lan', lab.lan],
  ] as const) {
    const address = await echoService(lab, pool);
    await waitFor(`an answer from ${address}`, async () => (await client.curl(`http://${address}/`)).ok, {
      deadlineMs: 60_000,
      ...(explain === undefined ? {} : { explain }),
    });
  }
}

export interface Losses {
  readonly sent: number;
  readonly received: number;
  /** Longest time without an answer, in ms. */
  readonly longestGap: number;
}

/** Started so far: each has a log of its own. */
let probes = 0;

/** Sends a datagram every 10 ms from a place to an echo Service; returns a way to stop and count. */
export async function startTraffic(lab: Lab, place: Place, address: string): Promise<() => Promise<Losses>> {
  const program = join(import.meta.dirname, 'echo-probe-process.ts');
  const argv = [process.execPath, program, address, String(PORT), '10'];
  probes += 1;
  const probe = lab.spawn(place, { name: `echo-probe-${place}-${probes}`, argv });
  await waitFor(`the first answer from ${address}`, () => probe.logText().includes('answered'), {
    deadlineMs: 30_000,
  });
  return async () => {
    await probe.stop('SIGTERM');
    const counts = /^\{.*\}$/m.exec(probe.logText())?.[0];
    if (counts === undefined) throw new Error(`the probe says: ${probe.logTail()}`);
    return JSON.parse(counts) as Losses;
  };
}
