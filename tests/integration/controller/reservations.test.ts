/** IPReservations, black box: addresses come back to the Service they were kept for, whatever happens in between. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { metallbResources } from '#core/api/resources.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import type { KubeObject } from '#runtime/kube/types.ts';
import { ControllerLab, LEADER_FLAGS, NAMESPACE } from '#tests/support/controller-lab.ts';
import { eventually } from '#tests/support/eventually.ts';

let lab: ControllerLab;
beforeAll(async () => {
  lab = await ControllerLab.start();
});
afterEach(() => lab.reset());
afterAll(() => lab?.[Symbol.asyncDispose]());

const type = metallbResources.IPReservation;
const keep = (time: string) => ({ 'metallb.io/reserve-for': time });
const names = async (): Promise<string[]> =>
  (await lab.client.list(type, { namespace: NAMESPACE })).map(({ metadata }) => metadata.name);
const spec = async (name: string): Promise<unknown> =>
  (await lab.client.get({ type, namespace: NAMESPACE, name }))['spec'];
const reason = async (name: string): Promise<unknown> => {
  const { status } = await lab.client.get({ type, namespace: NAMESPACE, name });
  return (status as { conditions?: { reason: string }[] } | undefined)?.conditions?.[0]?.reason;
};
const written = (name: string, ips: readonly string[]): Promise<void> =>
  eventually(async () => expect(await spec(name)).toMatchObject({ addresses: ips, reserveFor: '24h' }));

interface Rule {
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}
const roles = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  plural: 'roles',
  kind: 'Role',
  namespaced: true,
};
const withoutWriting = (rules: readonly Rule[]): Rule[] =>
  rules.map((rule) =>
    rule.resources.some((resource) => resource.startsWith('ipreservations'))
      ? { ...rule, verbs: ['get', 'list', 'watch'] }
      : rule,
  );

async function reserve(name: string, service: string, addresses: string[], more: object = {}): Promise<void> {
  const metadata = { name, namespace: NAMESPACE };
  const owner = { namespace: 'default', name: service };
  await lab.client.create(type, {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'IPReservation',
    metadata,
    spec: { service: owner, addresses, ...more },
  });
}

describe('reservations', () => {
  it('deleted, controller restarted, created again: the same addresses, and nobody else got them', async () => {
    await lab.pool('p', ['192.0.2.0/31', '2001:db8::/127']);
    const first = await lab.startController();
    await lab.service('a', { ipFamilyPolicy: 'RequireDualStack' }, keep('24h'));
    await lab.expectIps('a', ['192.0.2.0', '2001:db8::']);
    await written('default.a', ['192.0.2.0', '2001:db8::']);
    await lab.deleteService('a');
    await eventually(async () => expect(await spec('default.a')).toHaveProperty('expiresAt'));
    await first.stop('SIGKILL');
    await lab.service('b', { ipFamilyPolicy: 'RequireDualStack' });
    await lab.service('c');
    await lab.startController();
    await lab.expectIps('b', ['192.0.2.1', '2001:db8::1']);
    await lab.expectEvent('c', 'AllocationFailed', /reserved for other Services \(1, IPReservation\)/);
    await eventually(async () =>
      expect(await lab.poolStatus('p')).toMatchObject({ assignedIPv4: 1, availableIPv4: 0 }),
    );
    await lab.service('a', { ipFamilyPolicy: 'RequireDualStack' }, keep('24h'));
    await lab.expectIps('a', ['192.0.2.0', '2001:db8::']);
    await lab.expectEvent('a', 'ReservationUsed', /default\.a/);
    await eventually(async () => expect(await spec('default.a')).not.toHaveProperty('expiresAt'));
  });

  it('deleted, or turned into a ClusterIP Service, while the controller is down', async () => {
    await lab.pool('p', ['192.0.2.0/30']);
    const first = await lab.startController();
    for (const name of ['a', 'b']) {
      await lab.service(name, {}, keep('24h'));
      await written(`default.${name}`, [name === 'a' ? '192.0.2.0' : '192.0.2.1']);
    }
    await first.stop('SIGKILL');
    await lab.deleteService('a');
    await lab.patchService('b', { spec: { type: 'ClusterIP', allocateLoadBalancerNodePorts: null } });
    await lab.service('c', { loadBalancerIP: '192.0.2.0' });
    await lab.service('d');
    await lab.startController();
    await lab.expectIps('d', ['192.0.2.2']);
    await lab.expectEvent('c', 'AllocationFailed', /reserved for Service "default\/a"/);
    await lab.expectIps('b', []);
    await eventually(async () => expect(await spec('default.b')).toHaveProperty('expiresAt'));
    await lab.patchService('b', { spec: { type: 'LoadBalancer' } });
    await lab.expectIps('b', ['192.0.2.1']);
  });

  it('end: the object goes, and who waits for the address gets it; without annotation it goes at once', async () => {
    await lab.pool('p', ['192.0.2.0/31']);
    await lab.startController();
    await lab.service('a', {}, keep('1s'));
    await eventually(async () => expect(await reason('default.a')).toBe('InUse'));
    await lab.service('b', {}, keep('24h'));
    await written('default.b', ['192.0.2.1']);
    await lab.deleteService('a');
    await lab.service('c');
    await lab.expectIps('c', ['192.0.2.0']);
    await lab.patchService('b', { metadata: { annotations: { 'metallb.io/reserve-for': null } } });
    await eventually(async () => expect(await names()).toEqual([]));
    await lab.patchService('b', { metadata: { annotations: keep('tomorrow') } });
    await lab.expectEvent('b', 'InvalidReserveFor', /"tomorrow" is ignored/);
    expect(await lab.ips('b')).toEqual(['192.0.2.1']);
  });

  it('by hand: for a Service to come, without end; conditions say what became of each', async () => {
    await lab.pool('p', ['192.0.2.0/30']);
    await lab.startController();
    await reserve('vip', 'later', ['192.0.2.0']);
    await reserve('bad', 'later', ['192.0.2.0/31']);
    await reserve('elsewhere', 'later', ['203.0.113.1']);
    await eventually(async () => expect(await reason('vip')).toBe('Reserved'));
    await eventually(async () => expect(await reason('bad')).toBe('Invalid'));
    await eventually(async () => expect(await reason('elsewhere')).toBe('NotInPool'));
    await lab.service('a');
    await lab.expectIps('a', ['192.0.2.1']);
    await lab.service('later');
    await lab.expectIps('later', ['192.0.2.0']);
    await eventually(async () => expect(await reason('vip')).toBe('InUse'));
    await lab.deleteService('later');
    await eventually(async () => expect(await reason('vip')).toBe('Reserved'));
    await lab.client.delete({ type, namespace: NAMESPACE, name: 'vip' });
    // The controller has seen it: Services come by another watch.
    await eventually(async () => expect(await lab.poolStatus('p')).toMatchObject({ availableIPv4: 3 }));
    await lab.service('b');
    await lab.expectIps('b', ['192.0.2.0']);
  });

  it('two replicas: the one that takes over knows what is kept, and what was asked for meanwhile', async () => {
    await lab.pool('p', ['192.0.2.0/30']);
    const first = await lab.startController(...LEADER_FLAGS, '--pod-name=one');
    const second = await lab.startController(...LEADER_FLAGS, '--pod-name=two');
    await lab.service('a', {}, keep('24h'));
    await written('default.a', ['192.0.2.0']);
    await lab.service('b');
    await lab.expectIps('b', ['192.0.2.1']);
    await first.stop('SIGKILL');
    // Before anybody leads again.
    await lab.deleteService('a');
    await lab.patchService('b', { metadata: { annotations: keep('24h') } });
    await lab.service('c');
    await lab.expectIps('c', ['192.0.2.2']);
    await written('default.b', ['192.0.2.1']);
    await eventually(async () => expect(await spec('default.a')).toHaveProperty('expiresAt'), 20_000);
    expect(second.log).toContain('"name":"default.a"');
    await lab.service('a', {}, keep('24h'));
    await lab.expectIps('a', ['192.0.2.0']);
    await lab.expectEvent('a', 'ReservationUsed', /default\.a/);
  });

  it('without the right to write them it is told once, addresses are given, and what is asked for is kept', async () => {
    await lab.pool('p', ['192.0.2.0/30']);
    const role = { type: roles, namespace: NAMESPACE, name: 'controller' };
    const { rules } = await lab.client.get(role);
    onTestFinished(async () => void (await lab.client.patch(role, { rules })));
    await lab.client.patch(role, { rules: withoutWriting(rules as Rule[]) });
    const controller = await lab.startController();
    const told = (): number => controller.log.split('an IPReservation cannot be written').length - 1;
    await lab.service('a', {}, keep('24h'));
    await lab.expectIps('a', ['192.0.2.0']);
    await lab.expectEvent(
      'a',
      'ReservationFailed',
      /IPReservation "default\.a" cannot be written.*forbidden/,
    );
    await lab.patchService('a', { metadata: { labels: { x: 'y' } } });
    await lab.patchService('a', { metadata: { annotations: keep('25h') } });
    await lab.service('b');
    await lab.expectIps('b', ['192.0.2.1']);
    await lab.deleteService('a');
    await lab.service('c');
    await lab.expectIps('c', ['192.0.2.2']);
    expect(await names()).toEqual([]);
    await lab.service('a', {}, keep('24h'));
    await lab.expectIps('a', ['192.0.2.0']);
    expect(told()).toBe(1);
    await lab.client.patch(role, { rules });
    await eventually(async () => {
      await lab.patchService('a', { metadata: { labels: { at: `${Date.now()}` } } });
      expect(await names()).toEqual(['default.a']);
    }, 20_000);
  });

  it('where the kind is not installed, all else works; it comes later and is used without a restart', async () => {
    const crd = kinds.CustomResourceDefinition;
    const name = 'ipreservations.metallb.io';
    await lab.client.delete({ type: crd, name });
    await eventually(async () => {
      await expect(lab.client.list(type, { namespace: NAMESPACE })).rejects.toMatchObject({ status: 404 });
    });
    await lab.pool('p', ['192.0.2.0/31']);
    const controller = await lab.startController();
    await lab.service('a', {}, keep('24h'));
    await lab.expectIps('a', ['192.0.2.0']);
    expect(controller.log.split('reservations are off').length).toBe(2);
    const file = join(import.meta.dirname, '../../../config/crd/metallb.io_ipreservations.yaml');
    await lab.client.create(crd, parse(await readFile(file, 'utf8')) as KubeObject);
    await eventually(
      async () => expect(await spec('default.a')).toMatchObject({ addresses: ['192.0.2.0'] }),
      60_000,
    );
    await lab.deleteService('a');
    await lab.service('b');
    await lab.expectIps('b', ['192.0.2.1']);
    expect(controller.log.split('reservations are off').length).toBe(2);
  });
});
