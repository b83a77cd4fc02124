/** The driver against a real FRR, seen from the router at the other end. */
import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tryRun } from '#lab/process/run.ts';
import type { LogFields, Logger } from '#runtime/log/logger.ts';
import { openFrr } from '#speaker/frr/driver.ts';
import { loadTemplates } from '#speaker/frr/templates.ts';
import type { FrrPort } from '#speaker/ports.ts';
import { community, peer } from '#tests/support/bgp-factories.ts';
import { eventually } from '#tests/support/eventually.ts';
import { announcing, prefixOf, routerPeers } from '#tests/support/frr-driver.ts';
import { FrrLab, OURS, ROUTER_CONFIG } from '#tests/support/frr-lab.ts';

let lab: FrrLab;
let port: FrrPort;
const records: string[] = [];
const record = (message: string, fields?: LogFields): void => {
  records.push(JSON.stringify({ message, ...fields }));
};
const log: Logger = { debug: record, info: record, warn: record, error: record, child: () => log };

const routes = (n: number): string[] => Array.from({ length: n }, (_, i) => prefixOf(i));
const settled = (): Promise<void> =>
  eventually(() => expect(port.state.applied).toBe(port.state.desired), 20_000);

function open(): FrrPort {
  const settings = {
    vtysh: lab.ours.vtyshCommand,
    configFile: join(lab.folder, 'frr.conf'),
    runDir: lab.ours.runFolder,
    checkMs: 1000,
  };
  return openFrr(settings, loadTemplates('frr-templates'), log);
}

beforeAll(async () => {
  lab = await FrrLab.start('bgpdrv', ROUTER_CONFIG);
  await lab.router.vtysh('configure terminal', 'debug bgp updates in');
  port = open();
});
afterAll(async () => {
  await port.close();
  await lab.down();
});

describe('routes at the router', () => {
  it('#2 sessions of both families come up without a route', async () => {
    port.setDesired(announcing([]));
    await eventually(async () => {
      expect((await lab.session(OURS.ipv4)).bgpState).toBe('Established');
      expect((await lab.session(OURS.ipv6)).bgpState).toBe('Established');
    }, 20_000);
    expect(port.state).toMatchObject({ desired: 1, applied: 1, lastError: undefined, refused: [] });
  });

  it('#4 #17 #131 announced with origin IGP, withdrawn when gone', async () => {
    port.setDesired(announcing(['198.18.0.1', '2001:db8::1']));
    await eventually(async () => {
      expect(await lab.received()).toEqual(['198.18.0.1/32']);
      expect(await lab.received('ipv6')).toEqual(['2001:db8::1/128']);
    });
    expect(JSON.stringify(await lab.route('198.18.0.1/32'))).toContain('"origin":"IGP"');
    port.setDesired(announcing([]));
    await eventually(async () => expect(await lab.received()).toEqual([]));
    // B23: neither the first Service nor the last one disturbs a session.
    for (const address of [OURS.ipv4, OURS.ipv6])
      expect(await lab.session(address)).toMatchObject({ dropped: 0, established: 1 });
  });

  it('a change of class is an update and never a withdrawal', async () => {
    port.setDesired(announcing(['198.18.0.9']));
    await eventually(async () => expect(await lab.received()).toEqual(['198.18.0.9/32']));
    const before = lab.router.daemon('bgpd')?.logText().length ?? 0;
    const communities = [community('64512:77'), community('large:1:2:3')];
    port.setDesired(announcing(['198.18.0.9'], {}, { communities }));
    await eventually(async () => {
      const route = JSON.stringify(await lab.route('198.18.0.9/32'));
      expect(route).toContain('64512:77');
      expect(route).toContain('1:2:3');
    });
    const said = lab.router.daemon('bgpd')?.logText().slice(before) ?? '';
    expect(said).toContain('198.18.0.9/32');
    expect(said).not.toContain('withdrawn');
  });

  it('1,000 prefixes, and no session drops', async () => {
    const before = await lab.session();
    port.setDesired(announcing(routes(1000)));
    await eventually(async () => expect((await lab.received()).length).toBe(1000), 20_000);
    port.setDesired(announcing(routes(999)));
    await eventually(async () => expect((await lab.received()).length).toBe(999));
    const after = await lab.session();
    expect([after.dropped, after.established]).toEqual([before.dropped, before.established]);
  });

  it('#95 the words of an applied configuration are in the log', () => {
    expect(records.some((line) => line.includes('reload-validate') && line.includes('success'))).toBe(true);
  });
});

describe('when things go wrong', () => {
  it('bgpd killed and started again gets everything back at once', async () => {
    await settled();
    await lab.ours.daemon('bgpd')?.stop();
    await eventually(async () => expect(await lab.received()).toEqual([]), 20_000);
    await lab.ours.startDaemon('bgpd');
    await eventually(async () => expect((await lab.received()).length).toBe(999), 20_000);
    await settled();
    expect(port.state.lastError).toBeUndefined();
  });

  it('all daemons killed: it waits for them and gives everything back', async () => {
    await lab.ours.stop();
    port.setDesired(announcing(routes(998)));
    await eventually(() => expect(port.state.lastError).toBeDefined(), 20_000);
    await lab.ours.start();
    await eventually(async () => expect((await lab.received()).length).toBe(998), 30_000);
    await settled();
    expect(port.state.lastError).toBeUndefined();
    port.setDesired(announcing(routes(999)));
    await eventually(async () => expect((await lab.received()).length).toBe(999), 20_000);
  });

  it('the file kept for a cold start gives FRR all it needs without us', async () => {
    await settled();
    const file = join(lab.folder, 'frr.conf');
    await eventually(() => expect(readFileSync(file, 'utf8')).toContain('198.18.3.230/32'));
    const text = readFileSync(file, 'utf8');
    await port.close();
    await lab.ours.stop();
    // The killed daemons left their sockets; the lab takes a socket for a daemon that listens.
    rmSync(lab.ours.runFolder, { recursive: true });
    await lab.ours.start(text);
    await eventually(async () => expect((await lab.received()).length).toBe(999), 20_000);
    port = open();
    port.setDesired(announcing(routes(999)));
    await settled();
    expect(records.at(-1)).toContain('"changes":0');
  });

  it('a line somebody took away is put back', async () => {
    const { repairs } = port.state;
    await lab.ours.vtysh(
      'configure terminal',
      'router bgp 64512',
      'address-family ipv4 unicast',
      'no network 198.18.0.5/32',
    );
    // It may be back before the router is seen without it.
    await eventually(() => expect(port.state.repairs).toBe(repairs + 1), 20_000);
    await settled();
    expect(await lab.ours.vtysh('show running-config bgpd')).toContain('network 198.18.0.5/32 ');
    await eventually(async () => expect((await lab.received()).length).toBe(999), 20_000);
  });

  it('X-6: a neighbour FRR refuses is left out and named; the others go on', async () => {
    const peers = [...routerPeers, peer('self', OURS.ipv4)];
    port.setDesired(announcing(routes(3), { peers }));
    await eventually(async () => expect((await lab.received()).length).toBe(3), 20_000);
    await settled();
    expect(port.state.refused).toMatchObject([{ peer: 'self' }]);
    expect(port.state.refused[0]?.message).toMatch(/local system/);
    port.setDesired(announcing(routes(3)));
    await settled();
    expect(port.state.refused).toEqual([]);
  });

  const refusedClass = { communities: [community('64512:99999')] };
  const tries = (): number => records.filter((line) => line.includes('FRR refuses 1 line')).length;

  it('#96 a line that FRR does not take, of no neighbour (ours): back to the last good state, tried again later and later', async () => {
    await settled();
    const before = await lab.session();
    const { applied } = port.state;
    const good = loadTemplates('frr-templates')(announcing(routes(3)));
    // It is written off the path of changes.
    await eventually(() => expect(readFileSync(join(lab.folder, 'frr.conf'), 'utf8')).toBe(good));
    // More than 16 bits; configuration is refused for that long before.
    port.setDesired(announcing(routes(5), {}, refusedClass));
    await eventually(() => expect(port.state.lastError).toMatch(/refuses.*64512:99999/), 20_000);
    await eventually(() => expect(records.some((line) => line.includes('last good'))).toBe(true), 20_000);
    await eventually(async () => expect(await lab.received()).toHaveLength(3));
    expect(port.state).toMatchObject({ applied, desired: applied + 1 });
    expect(readFileSync(join(lab.folder, 'frr.conf'), 'utf8')).toBe(good);
    // Each try goes out to the routers and comes back: the next one is not soon.
    expect(records.findLast((line) => line.includes('retryMs'))).toContain('"retryMs":5000');
    port.setDesired(announcing(routes(5)));
    await settled();
    await eventually(async () => expect(await lab.received()).toHaveLength(5), 20_000);
    expect(port.state.lastError).toBeUndefined();
    expect(await lab.session()).toEqual(before);
  });

  it('changes that ask for the refused line still do not make the next try come sooner; FRR is looked after meanwhile', async () => {
    port.setDesired(announcing(routes(4)));
    await settled();
    const { desired } = port.state;
    const before = tries();
    port.setDesired(announcing(routes(5), {}, refusedClass));
    await eventually(() => expect(records.at(-1)).toContain('back at the last good'), 20_000);
    for (const round of [1, 2, 3]) {
      for (const count of [5, 6, 7, 8])
        port.setDesired(announcing(routes(10 * round + count), {}, refusedClass));
      // What somebody takes away of the last good configuration is put back, long before the next try.
      const family = ['router bgp 64512', 'address-family ipv4 unicast'];
      const { repairs } = port.state;
      await lab.ours.vtysh('configure terminal', ...family, 'no network 198.18.0.2/32');
      await eventually(() => expect(port.state.repairs).toBeGreaterThan(repairs), 20_000);
      await eventually(async () => expect(await lab.received()).toHaveLength(4), 20_000);
    }
    expect(port.state).toMatchObject({ desired: desired + 13, applied: desired });
    // When it came, after 5 s, after 10 s more, after 20 s more: not with each of twelve changes.
    expect(tries() - before).toBeLessThanOrEqual(4);
    // A change of what was refused is tried at once.
    port.setDesired(announcing(routes(8), {}, { communities: [community('64512:1')] }));
    await settled();
    await eventually(async () => expect(await lab.received()).toHaveLength(8), 20_000);
  });

  it('passwords are in the file of mode 0640 and nowhere else', async () => {
    const secret = 'Qx7?|"secret';
    const peers = [...routerPeers, peer('other', '10.77.0.99', { password: secret })];
    port.setDesired(announcing(routes(3), { peers }));
    await settled();
    const shown = await lab.ours.vtysh('show running-config');
    expect(shown).toContain(`neighbor 10.77.0.99 password ${secret}`);
    const file = join(lab.folder, 'frr.conf');
    await eventually(() => expect(readFileSync(file, 'utf8')).toContain(secret));
    expect((statSync(file).mode & 0o777).toString(8)).toBe('640');
    const processes = await tryRun(['ps', '-eww', '-o', 'args']);
    expect(processes.stdout).not.toContain(secret);
    expect(records.join('\n')).not.toContain(secret);
    expect(JSON.stringify(port.state)).not.toContain(secret);
  });

  it('lines of bgpextras that another daemon keeps are put back like ours; one that FRR does not take is told', async () => {
    const frrExtras =
      'ip route 203.0.113.0/24 10.77.0.2\nip protocol bgp route-map none\nnonsense at the top\n';
    port.setDesired(announcing(routes(4), { frrExtras }));
    await settled();
    const has = async (line: string): Promise<boolean> =>
      (await lab.ours.vtysh('show running-config')).split('\n').includes(line);
    const repairs = port.state.repairs;
    for (const line of ['ip route 203.0.113.0/24 10.77.0.2', 'ip protocol bgp route-map none']) {
      expect(await has(line)).toBe(true);
      const before = port.state.repairs;
      await lab.ours.vtysh('configure terminal', `no ${line}`);
      await eventually(() => expect(port.state.repairs).toBe(before + 1), 20_000);
      await eventually(async () => expect(await has(line)).toBe(true), 20_000);
    }
    expect(port.state.repairs).toBe(repairs + 2);
    expect(records.filter((line) => line.includes('a line of bgpextras'))).toEqual([
      expect.stringContaining('nonsense at the top'),
    ]);
    port.setDesired(announcing(routes(4)));
    await settled();
    expect(await has('ip route 203.0.113.0/24 10.77.0.2')).toBe(false);
  });

  it('extra lines FRR does not know do not keep the rest from working', async () => {
    port.setDesired(announcing(routes(4), { frrExtras: 'router bgp 64512\n nonsense here\n' }));
    await eventually(async () => expect((await lab.received()).length).toBe(4), 20_000);
  });
});
