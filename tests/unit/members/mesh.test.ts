import { describe, expect, it } from 'vitest';
import { PAGE, type Heartbeat } from '#core/members/heartbeat.ts';
import { MeshSimulation } from '#tests/support/mesh-simulation.ts';

function running(nodes: number, options: { seed?: number; loss?: number } = {}): MeshSimulation {
  const simulation = new MeshSimulation(nodes, { seed: 1, ...options });
  simulation.startAll();
  expect(until(simulation, 3_000, () => allSee(simulation, simulation.names))).toBeLessThan(3_000);
  return simulation;
}

/** Runs until the condition holds; how many milliseconds that took. */
function until(simulation: MeshSimulation, limit: number, holds: () => boolean): number {
  const start = simulation.now;
  for (let step = 0; step < limit / 5; step += 1) {
    if (holds()) return simulation.now - start;
    simulation.run(5);
  }
  return limit;
}

function sees(simulation: MeshSimulation, name: string): string[] {
  return [...simulation.mesh(name).alive()].sort();
}

/** Each of these nodes sees exactly these nodes. */
function allSee(simulation: MeshSimulation, names: readonly string[]): boolean {
  const wanted = [...names].sort().join();
  return names.every((name) => sees(simulation, name).join() === wanted);
}

function without(names: readonly string[], ...gone: readonly string[]): string[] {
  return names.filter((name) => !gone.includes(name));
}

describe('mesh: start', () => {
  it.each([1, 2, 3, 5, 20])('%i speakers started at once find each other within a second', (nodes) => {
    const simulation = new MeshSimulation(nodes, { seed: 7 });
    simulation.startAll();
    expect(until(simulation, 1_000, () => allSee(simulation, simulation.names))).toBeLessThan(1_000);
  });

  it('a speaker announces nothing before it has listened', () => {
    const simulation = running(3);
    simulation.kill('node-0');
    simulation.run(2_000);
    simulation.start('node-0');
    expect(sees(simulation, 'node-0')).toEqual([]);
    simulation.run(100);
    expect(sees(simulation, 'node-0')).toEqual([]);
    expect(until(simulation, 1_000, () => allSee(simulation, simulation.names))).toBeLessThan(1_000);
  });

  it('one of three whose peers never come takes part after ten seconds, one of two after one', () => {
    const three = new MeshSimulation(3, { seed: 1 });
    three.start('node-0');
    three.run(9_900);
    expect(sees(three, 'node-0')).toEqual([]);
    three.run(1_000);
    expect(sees(three, 'node-0')).toEqual(['node-0']);
    const two = new MeshSimulation(2, { seed: 1 });
    two.start('node-0');
    expect(until(two, 5_000, () => sees(two, 'node-0').length === 1)).toBeLessThan(1_500);
  });

  it.each([
    { nodes: 3, patience: 10_000 },
    { nodes: 2, patience: 1_000 },
  ])('waits for its peers from when it knows them: $patience ms of $nodes nodes', ({ nodes, patience }) => {
    const simulation = new MeshSimulation(nodes, { seed: 1 });
    simulation.startWithoutPeers('node-0');
    simulation.run(15_000);
    simulation.list('node-0', simulation.names);
    simulation.run(patience - 50);
    expect(sees(simulation, 'node-0')).toEqual([]);
    simulation.run(500);
    expect(sees(simulation, 'node-0')).toEqual(['node-0']);
  });

  it('a new list does not begin the waiting again', () => {
    const simulation = new MeshSimulation(3, { seed: 1 });
    simulation.start('node-0');
    simulation.run(8_000);
    simulation.list('node-0', simulation.names);
    simulation.run(2_500);
    expect(sees(simulation, 'node-0')).toEqual(['node-0']);
  });

  it('a new node joins a running cluster, also before the others have heard of its Node object', () => {
    const simulation = new MeshSimulation(4, { seed: 1 });
    for (const name of simulation.names.slice(0, 3)) simulation.start(name, simulation.names.slice(0, 3));
    simulation.run(1_000);
    simulation.start('node-3');
    expect(until(simulation, 2_000, () => allSee(simulation, simulation.names))).toBeLessThan(1_000);
  });
});

describe('mesh: death', () => {
  it.each([2, 3, 5, 20])('kill -9 of one of %i is noticed by all others within 600 ms', (nodes) => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const simulation = running(nodes, { seed });
      simulation.run(seed * 37);
      simulation.kill('node-1');
      const rest = without(simulation.names, 'node-1');
      expect(until(simulation, 2_000, () => allSee(simulation, rest))).toBeLessThan(600);
    }
  });

  it('a graceful leave is noticed within 30 ms', () => {
    const simulation = running(5);
    simulation.leave('node-2');
    expect(
      until(simulation, 500, () => allSee(simulation, without(simulation.names, 'node-2'))),
    ).toBeLessThan(30);
  });

  it('nodes may die one after the other down to the last', () => {
    const simulation = running(5);
    for (const [index, name] of simulation.names.slice(0, 4).entries()) {
      simulation.kill(name);
      simulation.run(1_500);
      expect(allSee(simulation, simulation.names.slice(index + 1))).toBe(true);
    }
  });

  it('a speaker that comes back is alive again', () => {
    const simulation = running(3);
    simulation.kill('node-0');
    simulation.run(5_000);
    simulation.start('node-0');
    expect(until(simulation, 2_000, () => allSee(simulation, simulation.names))).toBeLessThan(1_000);
  });

  it('a node that voted before it knew the dead one does not keep it alive', () => {
    const simulation = running(3);
    simulation.kill('node-1');
    simulation.kill('node-2');
    simulation.start('node-1');
    simulation.run(3_000);
    expect(allSee(simulation, ['node-0', 'node-1'])).toBe(true);
  });
});

describe('mesh: cuts', () => {
  it('the smaller side withdraws about when the larger one takes over', () => {
    const simulation = running(5);
    const [minority, majority] = [simulation.names.slice(0, 2), simulation.names.slice(2)];
    simulation.partition(minority, majority);
    expect(until(simulation, 2_000, () => allSee(simulation, majority))).toBeLessThan(600);
    expect(
      until(simulation, 500, () => minority.every((name) => sees(simulation, name).length === 0)),
    ).toBeLessThan(120);
    simulation.run(60_000);
    expect(minority.map((name) => sees(simulation, name))).toEqual([[], []]);
    simulation.heal();
    expect(until(simulation, 2_000, () => allSee(simulation, simulation.names))).toBeLessThan(600);
  });

  it('of two equal halves the one with the first name goes on', () => {
    const simulation = running(4);
    simulation.partition(simulation.names.slice(0, 2), simulation.names.slice(2));
    simulation.run(2_000);
    expect(allSee(simulation, ['node-0', 'node-1'])).toBe(true);
    expect(sees(simulation, 'node-2')).toEqual([]);
  });

  it('a node that hears nobody withdraws; so does one that nobody hears', () => {
    for (const deaf of [true, false]) {
      const simulation = running(4);
      for (const other of without(simulation.names, 'node-3'))
        if (deaf) simulation.cut(other, 'node-3');
        else simulation.cut('node-3', other);
      simulation.run(1_500);
      expect(sees(simulation, 'node-3')).toEqual([]);
      expect(allSee(simulation, simulation.names.slice(0, 3))).toBe(true);
      simulation.heal();
      expect(until(simulation, 2_000, () => allSee(simulation, simulation.names))).toBeLessThan(600);
    }
  });

  it('one broken path changes nothing: the others vouch', () => {
    const simulation = running(4);
    simulation.cut('node-0', 'node-1');
    simulation.cut('node-1', 'node-0');
    expect(simulation.run(10_000, () => !allSee(simulation, simulation.names))).toBe(false);
  });

  it('one of two that is not heard steps back; both go on when they are cut apart', () => {
    const oneWay = running(2);
    oneWay.cut('node-0', 'node-1');
    oneWay.run(2_000);
    expect([sees(oneWay, 'node-0'), sees(oneWay, 'node-1')]).toEqual([[], ['node-1']]);
    const both = running(2);
    both.partition(['node-0'], ['node-1']);
    both.run(2_000);
    expect([sees(both, 'node-0'), sees(both, 'node-1')]).toEqual([['node-0'], ['node-1']]);
    both.heal();
    expect(until(both, 2_000, () => allSee(both, both.names))).toBeLessThan(600);
  });

  it('after all were cut from all, they find together again', () => {
    const simulation = running(3);
    for (const name of simulation.names) simulation.partition([name], without(simulation.names, name));
    simulation.run(5_000);
    expect(simulation.names.flatMap((name) => sees(simulation, name))).toEqual([]);
    simulation.heal();
    expect(until(simulation, 2_000, () => allSee(simulation, simulation.names))).toBeLessThan(800);
  });
});

describe('mesh: trouble', () => {
  it('a node that stands still for 2 s is replaced, and takes part again afterwards', () => {
    const simulation = running(3);
    simulation.freeze('node-0', 2_000);
    simulation.run(700);
    expect(sees(simulation, 'node-1')).toEqual(['node-1', 'node-2']);
    simulation.run(1_310);
    simulation.run(60);
    expect(sees(simulation, 'node-0')).toEqual([]);
    expect(until(simulation, 2_000, () => allSee(simulation, simulation.names))).toBeLessThan(600);
  });

  it('a stall of 200 ms changes nothing', () => {
    const simulation = running(3);
    simulation.freeze('node-0', 200);
    expect(simulation.run(3_000, () => !allSee(simulation, simulation.names))).toBe(false);
  });

  it('when all stand still together, all go on', () => {
    const simulation = running(3);
    for (const name of simulation.names) simulation.freeze(name, 5_000);
    simulation.run(5_000);
    expect(until(simulation, 2_000, () => allSee(simulation, simulation.names))).toBeLessThan(800);
  });

  it('a third of the packets lost moves nothing for a minute', () => {
    const simulation = running(10, { loss: 0.33 });
    let moves = 0;
    let last = simulation.owners().join();
    for (let step = 0; step < 600; step += 1) {
      simulation.run(100);
      const owners = simulation.owners().join();
      if (owners !== last) moves += 1;
      last = owners;
    }
    expect(moves).toBe(0);
  });

  it('recorded heartbeats keep no dead node alive, also not towards a restarted peer', () => {
    const simulation = new MeshSimulation(3, { seed: 3 });
    const recorded: Heartbeat[] = [];
    simulation.tap = (to, beat) => {
      if (to === 'node-1' && beat.from === 'node-0') recorded.push(beat);
    };
    simulation.startAll();
    simulation.run(5_000);
    simulation.kill('node-0');
    for (const beat of recorded.splice(0)) {
      simulation.run(20);
      simulation.inject('node-1', beat);
    }
    expect(sees(simulation, 'node-1')).toEqual(['node-1', 'node-2']);
    simulation.kill('node-1');
    simulation.start('node-1');
    simulation.run(2_000);
    for (const beat of recorded) simulation.inject('node-1', beat);
    simulation.run(50);
    expect(sees(simulation, 'node-1')).toEqual(['node-1', 'node-2']);
  });

  it('heartbeats of an earlier process of a peer are refused while the new one runs', () => {
    const simulation = new MeshSimulation(3, { seed: 3 });
    const recorded: Heartbeat[] = [];
    simulation.tap = (to, beat) => {
      if (to === 'node-1' && beat.from === 'node-0') recorded.push(beat);
    };
    simulation.startAll();
    simulation.run(2_000);
    const old = { ...recorded.at(-1)!, sequence: 1e9, leaving: true };
    simulation.kill('node-0');
    simulation.run(2_000);
    simulation.start('node-0');
    simulation.run(2_000);
    simulation.inject('node-1', old);
    expect(sees(simulation, 'node-1')).toEqual(simulation.names);
  });

  it('a late greeting of an earlier process does not shut out the present one', () => {
    const simulation = new MeshSimulation(2, { seed: 3 });
    let old: Heartbeat | undefined;
    simulation.tap = (to, beat) => {
      if (to === 'node-0' && beat.from === 'node-1') old ??= beat;
    };
    simulation.startAll();
    simulation.run(1_000);
    simulation.kill('node-0');
    simulation.kill('node-1');
    simulation.startAll();
    simulation.run(20);
    if (old !== undefined) simulation.inject('node-0', old);
    expect(until(simulation, 2_000, () => allSee(simulation, simulation.names))).toBeLessThan(2_000);
  });

  it('tells on which interfaces a node can answer', () => {
    const simulation = running(2);
    const sends = simulation
      .mesh('node-0')
      .step({ kind: 'links', now: simulation.now, names: ['eth0', 'vlan7'] });
    expect(sends).toEqual([]);
    simulation.run(200);
    expect(simulation.mesh('node-1').links('node-0')).toEqual(new Set(['eth0', 'vlan7']));
    expect(simulation.mesh('node-1').links('nobody')).toBeUndefined();
  });

  it('drops a peer that is not listed any more and was never heard', () => {
    const simulation = running(3);
    const mesh = simulation.mesh('node-0');
    mesh.step({ kind: 'peers', now: simulation.now, names: [...simulation.names, 'node-9'] });
    mesh.step({ kind: 'peers', now: simulation.now, names: simulation.names });
    const targets = new Set<string>();
    simulation.tap = (to) => targets.add(to);
    simulation.run(300);
    expect(targets).toEqual(new Set(simulation.names));
  });
});

describe('mesh: reports', () => {
  const report = { cards: [0x02_00_00_00_00_0b], holds: [1, 2, 3] };
  const known = (simulation: MeshSimulation, at: string, of: string) =>
    [...simulation.mesh(at).reports()].find(({ node }) => node === of)?.report;

  it('reach everybody within two beats, also where a third of the packets is lost, and are not repeated', () => {
    for (const [loss, limit] of [
      [0, 201],
      [0.3, 2_500],
    ] as const) {
      const simulation = running(5, { seed: 3, loss });
      simulation.tell('node-0', report);
      const all = () =>
        simulation.names.slice(1).every((name) => known(simulation, name, 'node-0')?.holds.length === 3);
      expect(until(simulation, 3_000, all)).toBeLessThan(limit);
      simulation.run(2_000);
      let repeated = 0;
      simulation.tap = (_, beat) => (repeated += beat.report === undefined ? 0 : 1);
      if (loss === 0) simulation.run(1_000);
      expect(repeated).toBe(0);
    }
  });

  it('reach everybody whole when they do not fit into one packet, also where packets are lost', () => {
    for (const loss of [0, 0.3]) {
      const simulation = running(4, { seed: 5, loss });
      const holds = Array.from({ length: 2 * PAGE + 500 }, (_, index) => index);
      let pages = 0;
      simulation.tap = (_, beat) => (pages += beat.report === undefined ? 0 : 1);
      simulation.tell('node-0', { ...report, holds });
      const all = () =>
        simulation.names
          .slice(1)
          .every((name) => known(simulation, name, 'node-0')?.holds.length === holds.length);
      expect(until(simulation, 20_000, all)).toBeLessThan(loss === 0 ? 1_000 : 10_000);
      expect(known(simulation, 'node-1', 'node-0')).toEqual({ ...report, holds });
      expect(pages).toBeGreaterThanOrEqual(9);
      // A newer one in the middle of it counts, and nothing of the one before is left.
      simulation.tell('node-0', { ...report, holds: holds.map((id) => id + 1) });
      simulation.run(150);
      simulation.tell('node-0', { ...report, holds: holds.slice(5) });
      simulation.run(10_000);
      expect(known(simulation, 'node-2', 'node-0')).toEqual({ ...report, holds: holds.slice(5) });
    }
  });

  it('stay known when their node dies, and are told to a speaker that starts before it takes part', () => {
    const simulation = running(3);
    simulation.tell('node-0', report);
    simulation.tell('node-1', { cards: [], holds: [7] });
    simulation.run(1_000);
    simulation.kill('node-0');
    simulation.run(1_000);
    expect(known(simulation, 'node-2', 'node-0')).toEqual(report);
    simulation.kill('node-2');
    simulation.run(1_000);
    simulation.start('node-2');
    expect(until(simulation, 2_000, () => sees(simulation, 'node-2').length > 0)).toBeLessThan(1_000);
    expect(known(simulation, 'node-2', 'node-1')?.holds).toEqual([7]);
  });

  it('tell the dead from those who left, and nobody is dead for one that is cut off', () => {
    const simulation = running(5);
    simulation.kill('node-0');
    simulation.leave('node-1');
    simulation.run(1_000);
    expect(simulation.mesh('node-2').dead()).toEqual(new Set(['node-0']));
    simulation.start('node-0');
    simulation.run(1_000);
    expect(simulation.mesh('node-2').dead()).toEqual(new Set());
    simulation.partition(['node-2'], ['node-0', 'node-3', 'node-4']);
    simulation.run(1_000);
    expect(simulation.mesh('node-2').dead()).toEqual(new Set());
    expect(simulation.mesh('node-3').dead()).toEqual(new Set(['node-2']));
  });
});
