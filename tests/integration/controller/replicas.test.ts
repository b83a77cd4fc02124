/** Several replicas with a Lease: whoever leads, nothing is given twice and nothing moves. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { loadCredentials } from '#runtime/kube/credentials.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import { createTransport } from '#runtime/kube/transport.ts';
import { watchStore } from '#runtime/kube/watch-store.ts';
import { silent } from '#runtime/log/logger.ts';
import { ControllerLab, ipsOf, LEADER_FLAGS, type ControllerProcess } from '#tests/support/controller-lab.ts';
import { eventually } from '#tests/support/eventually.ts';
import { killLeaders, leaderOf, recordedBy } from '#tests/support/leader-kills.ts';
import { TcpProxy } from '#tests/support/tcp-proxy.ts';

const SERVICES = 300;
const KILLS = 5;

let lab: ControllerLab;
beforeAll(async () => {
  lab = await ControllerLab.start();
});
afterEach(() => lab.reset());
afterAll(() => lab?.[Symbol.asyncDispose]());

const leader = (): Promise<string> => leaderOf(lab);
const recorded = (): Promise<Map<string, string>> => recordedBy(lab);

/** Resource versions of all Services, by name: a write of any kind changes one. */
async function versions(): Promise<Record<string, string | undefined>> {
  const services = await lab.client.list(kinds.Service, { namespace: 'default' });
  return Object.fromEntries(services.map(({ metadata }) => [metadata.name, metadata.resourceVersion]));
}

/** What is recorded on a Service, one text per change from now on. */
async function recordsOf(name: string): Promise<{ seen: string[]; stop: () => void }> {
  const credentials = await loadCredentials({ kubeconfig: lab.plane.kubeconfig });
  const abort = new AbortController();
  const store = watchStore(
    createTransport(credentials, { logger: silent }),
    { type: kinds.Service, namespace: 'default', project: (raw) => ipsOf(raw).join() },
    { logger: silent, signal: abort.signal },
  );
  const seen: string[] = [];
  store.onChange(({ key, now }) => {
    if (key === `default/${name}`) seen.push(now ?? 'gone');
  });
  await store.synced;
  const stop = (): void => {
    abort.abort();
    void credentials[Symbol.asyncDispose]();
  };
  return { seen, stop };
}

/** Replica one leads, has served a Service, and stands still; two is its successor to be. */
async function pausedLeader(): Promise<Record<'first' | 'second', ControllerProcess>> {
  await lab.pool('p', ['192.0.2.0/29']);
  const first = await lab.startController(...LEADER_FLAGS, '--pod-name=one');
  await lab.service('kept');
  await lab.expectIps('kept', ['192.0.2.0']);
  const second = await lab.startController(...LEADER_FLAGS, '--pod-name=two');
  process.kill(first.pid ?? 0, 'SIGSTOP');
  return { first, second };
}

describe('replicas', () => {
  it('one acts; when it ends the other adopts everything and goes on', async () => {
    await lab.pool('p', ['192.0.2.0/28']);
    const first = await lab.startController(...LEADER_FLAGS, '--pod-name=one');
    await lab.service('a');
    await lab.expectIps('a', ['192.0.2.0']);
    const second = await lab.startController(...LEADER_FLAGS, '--pod-name=two');
    expect(second.log).not.toContain('configuration in force');
    const { resourceVersion } = (await lab.read('a')).metadata;
    await first.stop();
    await lab.service('b');
    await lab.expectIps('b', ['192.0.2.1']);
    expect((await lab.read('a')).metadata.resourceVersion).toBe(resourceVersion);
    expect(await leader()).toBe('two');
  });

  it('a leader that was paused writes nothing over what its successor wrote', async () => {
    const { first, second } = await pausedLeader();
    // Both will see these for the first time as theirs to serve: the paused one only when it runs again.
    await Promise.all(['a', 'b', 'c'].map((name) => lab.service(name)));
    await eventually(async () => expect(await recorded()).toHaveProperty('size', 4), 20_000);
    expect(await leader()).toBe('two');
    // The successor has moved on: what the paused one would give to `a` belongs to others by now.
    await lab.patchService('a', { spec: { loadBalancerIP: '192.0.2.6' } });
    await lab.expectIps('a', ['192.0.2.6']);
    await lab.service('d');
    await eventually(async () => expect(await recorded()).toHaveProperty('size', 5), 20_000);
    const before = await versions();
    process.kill(first.pid ?? 0, 'SIGCONT');
    await eventually(() => expect(first.running).toBe(false), 20_000);
    expect(first.log).toContain('leadership lost');
    expect(await versions()).toEqual(before);
    expect(await leader()).toBe('two');
    await lab.service('e');
    await eventually(async () => expect(await recorded()).toHaveProperty('size', 6), 20_000);
    expect(new Set((await recorded()).values()).size).toBe(6);
    expect(second.running).toBe(true);
  });

  it('a write of the old leader that arrives after the take-over: who has the address by the new one keeps it', async () => {
    await using proxy = await TcpProxy.start(lab.plane.apiPort);
    const viaProxy = `--kubeconfig=${await lab.plane.kubeconfigFor('other', proxy.port)}`;
    await lab.pool('p', ['192.0.2.0/30']);
    const first = await lab.startController(...LEADER_FLAGS, '--pod-name=one', '--log-level=debug', viaProxy);
    // Side by side, so that it has connections to spare; then one address is left.
    await Promise.all(['kept', 'k1', 'k2'].map((name) => lab.service(name)));
    await eventually(async () => expect(await recorded()).toHaveProperty('size', 3), 20_000);
    // Older than the one of the late write, and not to be served before the new leader looks at it.
    await lab.service('early', {}, { 'metallb.io/address-pool': 'none' });
    await lab.expectEvent('early', 'AllocationFailed', /unknown pool "none"/);
    await lab.startController(...LEADER_FLAGS, '--pod-name=two');
    const before = await versions();
    proxy.holding = true;
    await lab.service('late');
    await eventually(() => expect(first.log).toMatch(/"decided".*"default\/late".*"assign"/), 20_000);
    await eventually(() => expect(proxy.held).toBeGreaterThan(0));
    // It stops with its write under way, and knows nothing of the end of its lease.
    process.kill(first.pid ?? 0, 'SIGSTOP');
    const history = await recordsOf('late');
    await lab.patchService('early', { metadata: { annotations: { 'metallb.io/address-pool': null } } });
    await lab.expectIps('early', ['192.0.2.3']);
    expect(await leader()).toBe('two');
    await lab.expectEvent('late', 'AllocationFailed', /no available IPs/);
    const { early } = await versions();
    proxy.letGo();
    await eventually(() => expect(history.seen).toEqual(['', '192.0.2.3', '']), 20_000);
    await lab.expectEvent('late', 'ClearAssignment', /default\/early/);
    expect(await versions()).toMatchObject({ early, kept: before['kept'] });
    process.kill(first.pid ?? 0, 'SIGCONT');
    await eventually(() => expect(first.running).toBe(false), 20_000);
    const free = await lab.ips('kept');
    await lab.deleteService('kept');
    await lab.expectIps('late', free);
    expect((await versions())['early']).toBe(early);
    history.stop();
  });

  it('a leader that runs again when nobody else does acts only with the lease', async () => {
    const { first, second } = await pausedLeader();
    await eventually(async () => expect(await leader()).toBe('two'), 20_000);
    await second.stop('SIGKILL');
    await Promise.all(['a', 'b', 'c'].map((name) => lab.service(name)));
    const before = await versions();
    process.kill(first.pid ?? 0, 'SIGCONT');
    await eventually(() => expect(first.running).toBe(false), 20_000);
    expect(first.log).toContain('leadership lost');
    expect(await versions()).toEqual(before);
  });

  it(`${SERVICES} Services while the leader is killed ${KILLS} times: no duplicate, none moved, none left`, async () => {
    await lab.pool('p', ['10.0.0.0/16']);
    const run = await killLeaders(lab, { services: SERVICES, kills: KILLS, replicas: 2 });
    expect(run).toEqual({ kills: KILLS, moved: 0, duplicates: 0, waiting: 0 });
  });
});
