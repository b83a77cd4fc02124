import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { FromMember, MemberArgument, ToMember } from '#tests/integration/members/member-process.ts';
import { eventually } from '#tests/support/eventually.ts';
import { NamespacedProcess, Segment } from '#tests/support/netns.ts';

type Member = NamespacedProcess<ToMember, FromMember>;

const names = ['n1', 'n2', 'n3'];
const address = (name: string, v6: boolean): string =>
  v6 ? `2001:db8::1${name.slice(1)}` : `192.0.2.1${name.slice(1)}`;
const segment = new Segment('l2m');
const members = new Map<string, Member>();

function start(name: string, fields: Partial<MemberArgument> = {}, v6 = false): void {
  const peers = names.map((peer) => ({ name: peer, addresses: [address(peer, false), address(peer, true)] }));
  const argument = { me: name, bindAddress: address(name, v6), peers, secret: 'shared', ...fields };
  members.set(
    name,
    new NamespacedProcess(segment.netns(name), new URL('./member-process.ts', import.meta.url), argument),
  );
}

function member(name: string): Member {
  const found = members.get(name);
  if (found === undefined) throw new Error(`${name} does not run`);
  return found;
}

/** The last view a member reported. */
function view(name: string): FromMember & { readonly kind: 'view' } {
  const last = member(name).received.findLast((message) => message.kind === 'view');
  return last?.kind === 'view' ? last : { kind: 'view', alive: [], gone: [], phase: 'joining', at: 0 };
}

async function see(who: readonly string[], alive: readonly string[], withinMs = 5_000): Promise<void> {
  await eventually(() => {
    for (const name of who) expect(view(name).alive, name).toEqual(alive);
  }, withinMs);
}

/** When the member first reported this view after `since`; milliseconds after it. */
function delay(name: string, alive: readonly string[], since: number): number {
  const first = member(name).received.find(
    (message) => message.kind === 'view' && message.at > since && message.alive.join() === alive.join(),
  );
  return first?.kind === 'view' ? first.at - since : Number.POSITIVE_INFINITY;
}

function clock(): number {
  return performance.timeOrigin + performance.now();
}

async function stopAll(): Promise<void> {
  await Promise.all([...members.values()].map((each) => each.kill('SIGKILL')));
  members.clear();
}

beforeAll(async () => {
  await segment.up();
  for (const name of names)
    await segment.host(name, `${address(name, false)}/24`, `${address(name, true)}/64`);
});

afterAll(async () => {
  await segment.down();
});

describe('mesh of three real nodes', () => {
  beforeEach(async () => {
    for (const name of names) start(name);
    await see(names, names, 15_000);
  });

  afterEach(stopAll);

  it('kill -9 of one is noticed by the others within a second', async () => {
    const at = clock();
    await member('n3').kill('SIGKILL');
    await see(['n1', 'n2'], ['n1', 'n2']);
    for (const name of ['n1', 'n2']) expect(delay(name, ['n1', 'n2'], at)).toBeLessThan(1_000);
  });

  it('a graceful leave is noticed within 100 ms', async () => {
    const at = clock();
    member('n3').send({ kind: 'leave' });
    await see(['n1', 'n2'], ['n1', 'n2']);
    for (const name of ['n1', 'n2']) expect(delay(name, ['n1', 'n2'], at)).toBeLessThan(100);
  });

  it('one that is cut off withdraws when the others take over, and comes back after the heal', async () => {
    const at = clock();
    await segment.cut('n1');
    await see(['n2', 'n3'], ['n2', 'n3']);
    await see(['n1'], []);
    expect(view('n1').phase).toBe('isolated');
    expect(Math.abs(delay('n1', [], at) - delay('n2', ['n2', 'n3'], at))).toBeLessThan(400);
    await segment.heal('n1');
    await see(names, names);
  });

  it('a host that dies is told from a speaker that dies: only the first is gone', async () => {
    await segment.cut('n1');
    await eventually(() => expect(view('n2').gone).toEqual(['n1']), 3_000);
    expect(view('n1').gone).toEqual([]);
    await segment.heal('n1');
    await see(names, names);
    expect(view('n2').gone).toEqual([]);
    await member('n3').kill('SIGKILL');
    await see(['n1', 'n2'], ['n1', 'n2']);
    // Longer than the three knocks: a host that refuses them never becomes gone.
    const since = clock();
    await eventually(() => expect(clock() - since).toBeGreaterThan(700));
    expect(view('n1').gone).toEqual([]);
    await segment.cut('n3');
    await eventually(() => expect(view('n1').gone).toEqual(['n3']), 6_000);
    await segment.heal('n3');
    await eventually(() => expect(view('n1').gone).toEqual([]), 6_000);
  });

  it('one that is stopped for 2 s is replaced, and gives up at once when it goes on', async () => {
    const stopped = clock();
    member('n2').child.kill('SIGSTOP');
    await see(['n1', 'n3'], ['n1', 'n3']);
    expect(delay('n1', ['n1', 'n3'], stopped)).toBeLessThan(1_000);
    await eventually(() => expect(clock() - stopped).toBeGreaterThan(2_000));
    const resumed = clock();
    member('n2').child.kill('SIGCONT');
    await eventually(() => expect(delay('n2', [], resumed)).toBeLessThan(150));
    await see(names, names);
  });
});

describe('mesh over IPv6 and with another key', () => {
  afterEach(stopAll);

  it('works over IPv6', async () => {
    for (const name of names) start(name, {}, true);
    await see(names, names, 15_000);
  });

  it('does not hear one with another key', async () => {
    start('n1');
    start('n2');
    start('n3', { secret: 'another' });
    await see(['n1', 'n2'], ['n1', 'n2'], 15_000);
    await member('n3').expect(({ kind }) => kind === 'started');
    expect(view('n3').alive).toEqual([]);
  });
});
