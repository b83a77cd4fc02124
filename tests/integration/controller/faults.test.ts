/** What the controller lives through: restarts, an API server that goes away, bad objects; and its own objects. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { metallbResources } from '#core/api/resources.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import { ControllerLab, NAMESPACE } from '#tests/support/controller-lab.ts';
import { eventually } from '#tests/support/eventually.ts';

let lab: ControllerLab;
beforeAll(async () => {
  lab = await ControllerLab.start();
});
afterEach(() => lab.reset());
afterAll(() => lab?.[Symbol.asyncDispose]());

async function versions(...names: readonly string[]): Promise<(string | undefined)[]> {
  const services = await Promise.all(names.map((name) => lab.read(name)));
  return services.map(({ metadata }) => metadata.resourceVersion);
}

describe('restart and outage', () => {
  it('129, 130, C12: killed and started again, it adopts what is recorded and moves nothing', async () => {
    await lab.pool('p', ['192.0.2.0/31']);
    const first = await lab.startController();
    await lab.service('z');
    await lab.expectIps('z', ['192.0.2.0']);
    await lab.service('y');
    await lab.expectIps('y', ['192.0.2.1']);
    await lab.service('a');
    await lab.expectEvent('a', 'AllocationFailed', /no available IPs/);
    const before = await versions('z', 'y', 'a');
    await first.stop('SIGKILL');
    await lab.service('b');
    for (let turn = 0; turn < 2; turn += 1) {
      const again = await lab.startController();
      expect(await again.stop(), 'a clean end').toBe(0);
    }
    expect(await versions('z', 'y', 'a')).toEqual(before);
    await lab.deleteService('z');
    await lab.startController();
    await lab.expectIps('a', ['192.0.2.0']);
  });

  it('the API server is killed: nothing is lost, and what happened meanwhile is done when it is back', async () => {
    await lab.pool('p', ['192.0.2.0/28']);
    const controller = await lab.startController();
    await lab.service('a');
    await lab.expectIps('a', ['192.0.2.0']);
    const before = await versions('a');
    await lab.plane.stop('kube-apiserver');
    await eventually(() => expect(controller.log).toContain('ECONNREFUSED'), 20_000);
    lab.plane.startApiServer(['--service-cluster-ip-range=10.96.0.0/16,fd00:96::/108']);
    await lab.plane.ready();
    await eventually(() => lab.service('b'), 20_000);
    await lab.expectIps('b', ['192.0.2.1']);
    expect(controller.running).toBe(true);
    expect(await versions('a')).toEqual(before);
  });
});

describe('start', () => {
  it('while the API server is away it waits, and says so; then it comes up by itself', async () => {
    await lab.pool('p', ['192.0.2.0/28']);
    await lab.service('a');
    await lab.plane.stop('kube-apiserver');
    const controller = await lab.spawnController();
    await eventually(async () => {
      const response = await fetch(`http://127.0.0.1:${controller.healthPort}/readyz`);
      expect(response.status).toBe(503);
      expect(await response.text()).toContain('not synced yet: services');
    }, 20_000);
    lab.plane.startApiServer(['--service-cluster-ip-range=10.96.0.0/16,fd00:96::/108']);
    await controller.ready();
    await lab.expectIps('a', ['192.0.2.0']);
  });

  it('168, contract: port 0 serves no metrics; the log is compact JSON, without debug lines at level info', async () => {
    await lab.pool('p', ['192.0.2.0/28']);
    const quiet = await lab.startController();
    await lab.service('a');
    await lab.expectIps('a', ['192.0.2.0']);
    expect(quiet.log).toContain('"level":"info"');
    expect(quiet.log).not.toContain('"level":"debug"');
    expect(quiet.log).not.toContain(':9120');
    for (const line of quiet.log.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('ts');
    await quiet.stop();
    const chatty = await lab.startController('--log-level=debug');
    await eventually(() => expect(chatty.log).toContain('"level":"debug"'));
  });

  it('wrong settings end it with code 64 and one line that names them', async () => {
    const controller = await lab.spawnController(
      '--tls-cipher-suites=TLS_X',
      '--leader-elect-lease-duration=1s',
    );
    await eventually(() => expect(controller.running).toBe(false), 20_000);
    expect(controller.exitCode).toBe(64);
    expect(controller.log).toContain('--leader-elect-lease-duration');
  });
});

describe('bad objects', () => {
  it('125, 141, 162: a malformed pool takes out itself; state, event and log name object, field and remedy', async () => {
    await lab.pool('good', ['192.0.2.0/28']);
    // The API server cannot compare two addresses: this it lets through.
    await lab.pool('bad', ['192.0.2.30-192.0.2.3']);
    const controller = await lab.startController();
    await lab.service('a');
    await lab.expectIps('a', ['192.0.2.0']);
    await lab.expectEvent('bad', 'ConfigurationError', /spec\.addresses\[0\].*192\.0\.2\.30-192/);
    await eventually(async () => {
      const status = (await lab.state())['status'] as Record<string, unknown>;
      expect(status['result']).toBe('Invalid');
      expect(status['errorSummary']).toMatch(/^configuration error: .*192\.0\.2\.30-192/);
    });
    const line = controller.log.split('\n').find((text) => text.includes('configuration problem')) ?? '';
    const record = JSON.parse(line) as Record<string, unknown>;
    expect(record).toMatchObject({ kind: 'IPAddressPool', name: 'bad', field: 'spec.addresses[0]' });
    expect(record['remedy']).toMatch(/\w/);
    await lab.pool('bad', ['198.51.100.0/28']);
    await eventually(async () =>
      expect((await lab.state())['status']).toMatchObject({ result: 'Valid', errorSummary: '' }),
    );
  });

  it('125: a pool in use that becomes malformed stays in force as it was, across a restart too', async () => {
    await lab.pool('p', ['192.0.2.0/28']);
    const controller = await lab.startController();
    await lab.service('a');
    await lab.expectIps('a', ['192.0.2.0']);
    await lab.pool('p', ['192.0.2.0/28', '192.0.2.30-192.0.2.20']);
    await lab.expectEvent('p', 'ConfigurationError', /is after end/);
    await lab.service('b');
    await lab.expectIps('b', ['192.0.2.1']);
    await controller.stop();
    const before = await versions('a', 'b');
    await lab.startController();
    await lab.service('c');
    await lab.expectEvent('c', 'AllocationFailed', /problems.*: p\b/);
    expect(await versions('a', 'b')).toEqual(before);
    await lab.pool('p', ['192.0.2.0/28']);
    await lab.expectIps('c', ['192.0.2.2']);
    expect(await versions('a', 'b')).toEqual(before);
  });

  it('156: a pool status edited by hand is put back', async () => {
    await lab.pool('p', ['192.0.2.0/28']);
    await lab.startController();
    const wanted = { assignedIPv4: 0, assignedIPv6: 0, availableIPv4: 16, availableIPv6: 0 };
    await eventually(async () => expect(await lab.poolStatus('p')).toEqual(wanted));
    const ref = { type: metallbResources.IPAddressPool, namespace: NAMESPACE, name: 'p' };
    await lab.client.patch(ref, { status: { assignedIPv4: 7 } }, { subresource: 'status' });
    await eventually(async () => expect(await lab.poolStatus('p')).toEqual(wanted));
  });
});

describe('objects of its own', () => {
  it('157, 161, 166, 169, 170: ConfigurationState, and again after somebody deleted it', async () => {
    await lab.client.create(kinds.Pod, {
      metadata: { name: 'controller-1', namespace: NAMESPACE },
      spec: { containers: [{ name: 'controller', image: 'x' }], automountServiceAccountToken: false },
    });
    await lab.startController('--pod-name=controller-1');
    const ref = { type: metallbResources.ConfigurationState, namespace: NAMESPACE, name: 'controller' };
    for (let turn = 0; turn < 2; turn += 1) {
      const state = await eventually(async () => {
        const found = await lab.state();
        expect(found['status']).toMatchObject({
          result: 'Valid',
          errorSummary: '',
          conditions: [{ type: 'poolReconcilerValid', status: 'True', reason: 'Reconciled', message: '' }],
        });
        return found;
      });
      const { labels, annotations, finalizers, ownerReferences, managedFields } = state.metadata;
      expect(labels).toEqual({ 'metallb.io/component-type': 'controller' });
      expect([annotations, finalizers]).toEqual([undefined, undefined]);
      expect(ownerReferences).toMatchObject([{ kind: 'Pod', name: 'controller-1' }]);
      expect(managedFields).toContainEqual(
        expect.objectContaining({ manager: 'poolReconciler', subresource: 'status' }),
      );
      await lab.client.delete(ref);
    }
    await lab.client.delete({ type: kinds.Pod, namespace: NAMESPACE, name: 'controller-1' });
  });

  it('1.3: the membership key is made once, owned by the Deployment', async () => {
    const labels = { app: 'metallb', component: 'controller' };
    await lab.client.create(kinds.Deployment, {
      metadata: { name: 'controller', namespace: NAMESPACE },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'controller', image: 'x' }] } },
      },
    });
    const flags = ['--ml-secret-name=memberlist', '--deployment=controller'];
    const ref = { type: kinds.Secret, namespace: NAMESPACE, name: 'memberlist' };
    const first = await lab.startController(...flags);
    const secret = await eventually(() => lab.client.get(ref));
    const { secretkey = '' } = secret['data'] as Record<string, string>;
    expect(Buffer.from(secretkey, 'base64').toString()).toMatch(/^[A-Za-z0-9+/]{22}$/);
    expect(secret.metadata['ownerReferences']).toMatchObject([{ kind: 'Deployment', name: 'controller' }]);
    expect(first.log).not.toContain(Buffer.from(secretkey, 'base64').toString());
    await first.stop();
    const second = await lab.startController(...flags);
    await lab.pool('p', ['192.0.2.0/28']);
    await eventually(async () => expect(await lab.poolStatus('p')).toBeDefined());
    expect((await lab.client.get(ref)).metadata.resourceVersion).toBe(secret.metadata.resourceVersion);
    expect(second.log).not.toContain('created the membership key');
  });
});
