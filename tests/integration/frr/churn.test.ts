/** speaker-bgp.md §9.5 with our driver: what many changes, failures and restarts come to, at a real FRR and its router. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LogFields, Logger } from '#runtime/log/logger.ts';
import { community, peer } from '#tests/support/bgp-factories.ts';
import { eventually } from '#tests/support/eventually.ts';
import { announcing, prefixOf } from '#tests/support/frr-driver.ts';
import { OURS, ROUTER } from '#tests/support/frr-lab.ts';
import { LONG, SessionLab } from '#tests/support/session-lab.ts';

interface LogRecord extends LogFields {
  readonly message: string;
}

let s: SessionLab;
const records: LogRecord[] = [];
const record = (message: string, fields?: LogFields): void => void records.push({ message, ...fields });
const log: Logger = { debug: record, info: record, warn: record, error: record, child: () => log };

beforeAll(async () => {
  s = await SessionLab.start('bgpchn');
  await s.lab.router.vtysh('configure terminal', 'debug bgp updates in');
});
afterAll(() => s?.down());
beforeEach(() => {
  records.length = 0;
  s.open(log);
});
afterEach(() => s.close());

const peers = [peer('p', ROUTER.ipv4, { connectTime: 1 })];
const router = () => s.router(64513, { [OURS.ipv4]: ['remote-as 64512', 'passive'] });
const want = (addresses: readonly string[], attributes = {}): void =>
  s.port.setDesired(announcing(addresses, { peers }, attributes));
const some = (first: number, count: number) =>
  Array.from({ length: count }, (_, i) => prefixOf(first + i).replace('/32', ''));
const received = (count: number) =>
  eventually(async () => expect((await s.lab.received()).length).toBe(count), LONG);
/** Numbers of lines typed, application by application. */
const applications = () =>
  records.filter(({ message }) => message.includes('applied: success')).map(({ changes }) => changes);
const routerLog = (): string => s.lab.router.daemon('bgpd')?.logText() ?? '';

/** The number of UPDATE messages at the router, when none has come for two seconds. */
async function settledUpdates(): Promise<number> {
  let last = { count: -1, at: 0 };
  return eventually(async () => {
    const count = (await s.at()).messageStats.updatesRecv;
    if (count !== last.count) last = { count, at: performance.now() };
    expect(performance.now() - last.at, `${count} UPDATE messages`).toBeGreaterThan(2000);
    return count;
  }, LONG);
}

describe('changes in one window', () => {
  it('#91 the first goes out at once (ours), all that come meanwhile in one application, with the last content', async () => {
    await router();
    for (const last of [1, 2, 3, 4]) want([`198.18.9.${last}`]);
    await s.settled();
    expect(applications()).toHaveLength(2);
    await eventually(async () => expect(await s.lab.received()).toEqual(['198.18.9.4/32']), LONG);
    expect(routerLog()).not.toMatch(/198\.18\.9\.[23]\/32/);
  });

  it('#92 there and back in one window: nothing is typed (ours), and an equal model is no application', async () => {
    await router();
    want(some(0, 2));
    await s.settled();
    records.length = 0;
    want(some(0, 3));
    want(some(0, 4));
    want(some(0, 3));
    await s.settled();
    expect(applications()).toEqual([1, 0]);
    want(some(0, 3));
    await s.settled();
    expect(applications()).toHaveLength(2);
  });
});

describe('failures', () => {
  it('#93 FRR is away: it is tried (ours: soon, then later and later) until it answers, and gets the newest content', async () => {
    await router();
    want(some(0, 2));
    await received(2);
    await s.lab.ours.stop();
    const failures = () => records.filter(({ message }) => message.includes('not applied')).length;
    want(some(0, 3));
    await eventually(() => expect(failures()).toBeGreaterThanOrEqual(3), LONG);
    want(some(0, 4));
    await s.lab.ours.start();
    await received(4);
    await s.settled();
    expect(s.port.state.lastError).toBeUndefined();
  });

  it('#94 a daemon that starts before there is a model gets nothing; afterwards it gets the last one again (ours)', async () => {
    await s.lab.ours.daemon('bgpd')?.stop();
    await s.lab.ours.startDaemon('bgpd');
    await eventually(() => s.lab.ours.vtysh('show bgp summary'), LONG);
    expect(s.port.state).toMatchObject({ desired: 0, applied: 0 });
    await router();
    want(some(0, 2));
    await received(2);
    // Only the restart after the first model is told.
    expect(records.filter(({ message }) => message.includes('daemon of FRR was started'))).toEqual([]);
    await s.lab.ours.daemon('bgpd')?.stop();
    await s.lab.ours.startDaemon('bgpd');
    await received(2);
    await s.settled();
    expect(s.port.state.desired).toBe(1);
  });
});

describe('many prefixes', () => {
  it('#98 a prefix before a thousand others (ours): one line is typed, one UPDATE goes out, nothing is withdrawn', async () => {
    await router();
    want(some(1, 1000));
    await received(1000);
    const updates = await settledUpdates();
    const before = routerLog().length;
    records.length = 0;
    want(some(0, 1001));
    await received(1001);
    expect(applications()).toEqual([1]);
    expect((await settledUpdates()) - updates).toBe(1);
    expect(routerLog().slice(before)).not.toContain('withdrawn');
  });

  it('#99 neither a Service nor new attributes are a change of filters for what was sent: one UPDATE each (ours)', async () => {
    await router();
    want(some(0, 200));
    await received(200);
    const updates = await settledUpdates();
    want(some(0, 201));
    await received(201);
    expect(await settledUpdates()).toBe(updates + 1);
    const before = routerLog().length;
    const other = announcing(['198.18.7.7'], { peers }, { communities: [community('64512:9')] });
    s.port.setDesired(merged(announcing(some(0, 201), { peers }), other));
    await received(202);
    await settledUpdates();
    // Left to itself FRR sends all routes of that neighbour once more 1 s later (`bgp route-map delay-timer 1`).
    expect(await settledUpdates()).toBe(updates + 2);
    const said = routerLog().slice(before).split('\n');
    expect(said.filter((line) => line.includes('withdrawn'))).toEqual([]);
    expect(said.filter((line) => line.includes(` ${prefixOf(1)} `))).toEqual([]);
  });

  it('#142 while filters change all the time, an earlier change takes effect (ours), and a removed route goes', async () => {
    await router();
    const churning = async (addresses: readonly string[], until: () => Promise<boolean>): Promise<number> => {
      for (let round = 1; round < 400; round += 1) {
        const churn = announcing(['198.18.8.8'], { peers }, { communities: [community(`64512:${round}`)] });
        s.port.setDesired(
          merged(announcing(addresses, { peers }, { communities: [community('64513:1')] }), churn),
        );
        await s.settled();
        if (await until()) return round;
      }
      throw new Error('the change did not take effect while others came');
    };
    want(['198.18.8.8']);
    await received(1);
    const arrived = async () => (await s.route('198.18.8.9/32')).includes('64513:1');
    expect(await churning(['198.18.8.9'], arrived)).toBeLessThan(400);
    const gone = async () => !(await s.lab.received()).includes('198.18.8.9/32');
    expect(await churning([], gone)).toBeLessThan(400);
  });
});

/** Two models of the same peers in one: the routes and classes of both. */
function merged(a: ReturnType<typeof announcing>, b: ReturnType<typeof announcing>): typeof a {
  return {
    ...a,
    routers: a.routers.map((router, i) => ({
      ...router,
      networks: [...router.networks, ...(b.routers[i]?.networks ?? [])],
      classes: [...router.classes, ...(b.routers[i]?.classes ?? [])].sort((x, y) => x.tag - y.tag),
    })),
  };
}
