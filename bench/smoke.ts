/** The figures a user feels first: how fast a change reaches the router, an address moves, a Service gets one. */
import { join } from 'node:path';
import { distribution, type Figure } from '#bench/figures.ts';
import { RouteWatch } from '#lab/client/route-watch.ts';
import { LightStage } from '#lab/demo/light.ts';
import { ownerOf } from '#lab/demo/steps.ts';
import { Lab } from '#lab/lab.ts';
import { waitFor } from '#lab/process/wait.ts';
import type { Reporter } from '#lab/report.ts';
import { ingressOf, setEndpoints } from '#lab/workload/service.ts';

const CHANGES = 200;
const SERVICES = 50;
const TAKEOVERS = 10;

export async function smoke(report: Reporter): Promise<Figure[]> {
  await using lab = await Lab.up({ name: 'mlb-bench', level: 'light', report });
  const stage = new LightStage(lab);
  for (const step of stage.deploy) {
    report.step(step.does);
    await step.run((text) => report.progress(text));
  }
  const manifests = join(import.meta.dirname, '..', 'lab', 'demo', 'manifests');
  await lab.kubectl(['apply', '-f', join(manifests, 'bgp.yaml'), '-f', join(manifests, 'l2.yaml')]);
  await stage.startWorkload();
  return [
    ...(await addresses(stage, report)),
    ...(await announcements(stage, report)),
    ...(await takeovers(stage, report)),
  ];
}

/** Service created → address in its status, as a client of the API sees it. */
async function addresses(stage: LightStage, report: Reporter): Promise<Figure[]> {
  const samples: number[] = [];
  for (let i = 0; i < SERVICES; i += 1) {
    report.progress(`Service → address: ${i} of ${SERVICES}`);
    const started = performance.now();
    await stage.createService(`bench-${i}`);
    await waitFor(
      `an address of bench-${i}`,
      async () => (await ingressOf(stage.lab.api, `bench-${i}`)).length === 2,
      { intervalMs: 2 },
    );
    samples.push(performance.now() - started);
  }
  return distribution(
    'Service created → address in status',
    { unit: 'ms', size: `${SERVICES} Services` },
    samples,
  );
}

/** Endpoint made ready (the change is sent to the API) → route at the router, and the way back. */
async function announcements(stage: LightStage, report: Reporter): Promise<Figure[]> {
  const { lab } = stage;
  const service = { name: 'bench-0', nodes: stage.nodes };
  const [ipv4 = ''] = await ingressOf(lab.api, service.name);
  await using watch = new RouteWatch(lab.netns('router'));
  const up: number[] = [];
  const down: number[] = [];
  for (let i = 0; i < CHANGES; i += 1) {
    report.progress(`announcements: ${i} of ${CHANGES}`);
    down.push(await timed(watch.next('deleted', ipv4), () => setEndpoints(lab.api, service, false)));
    up.push(await timed(watch.next('added', ipv4), () => setEndpoints(lab.api, service, true)));
  }
  const size = `${CHANGES} changes`;
  return [
    ...distribution('endpoint ready → route at the router', { unit: 'ms', size, goal99: '<= 300' }, up),
    ...distribution('last endpoint gone → route withdrawn', { unit: 'ms', size }, down),
  ];
}

/** From the moment the change is sent to the event: the API server's own time is in it. */
async function timed(event: Promise<{ readonly at: number }>, change: () => Promise<void>): Promise<number> {
  event.catch(() => undefined);
  const started = performance.now();
  await change();
  const { at } = await event;
  return at - started;
}

/** Cable of the owner pulled → another node's hardware address in the LAN client's table. */
async function takeovers(stage: LightStage, report: Reporter): Promise<Figure[]> {
  const { lab } = stage;
  await stage.createService('bench-lan', { pool: 'lan' });
  const [address = ''] = await waitFor('an address of bench-lan', async () => {
    const found = await ingressOf(lab.api, 'bench-lan');
    return found.length === 2 && found;
  });
  const samples: number[] = [];
  for (let i = 0; i < TAKEOVERS; i += 1) {
    report.progress(`take-overs: ${i} of ${TAKEOVERS}`);
    const owner = await settled(lab, address);
    const started = performance.now();
    await lab.cutNode(Number(owner.slice('node'.length)));
    await waitFor('another owner', async () => ![owner, 'nobody'].includes(await ownerOf(lab, address)), {
      intervalMs: 5,
    });
    samples.push(performance.now() - started);
    await lab.healNode(Number(owner.slice('node'.length)));
    await waitFor(`${owner} to own the address again`, async () => (await ownerOf(lab, address)) === owner, {
      deadlineMs: 60_000,
    });
  }
  return distribution(
    'owner cut off → address answered elsewhere',
    { unit: 'ms', size: `${TAKEOVERS} take-overs` },
    samples,
  );
}

/** The owner, once the LAN client has it in its neighbour table. */
async function settled(lab: Lab, address: string): Promise<string> {
  return waitFor('an owner of the address', async () => {
    await lab.lan.curl(`http://${address}/`, { maxTimeMs: 1000 });
    const owner = await ownerOf(lab, address);
    return owner !== 'nobody' && owner;
  });
}
