/** controller.md §8 H and K, black box: pools that change under live Services, and what is reported of them. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ALLOCATED_FROM_POOL } from '#core/api/annotations.ts';
import { metallbResources } from '#core/api/resources.ts';
import { ControllerLab, NAMESPACE } from '#tests/support/controller-lab.ts';
import { eventually } from '#tests/support/eventually.ts';

let lab: ControllerLab;
beforeAll(async () => {
  lab = await ControllerLab.start();
});
afterEach(() => lab.reset());
afterAll(() => lab?.[Symbol.asyncDispose]());

const version = async (name: string): Promise<string | undefined> =>
  (await lab.read(name)).metadata.resourceVersion;
const expectPool = (name: string, pool: string): Promise<void> =>
  eventually(async () =>
    expect((await lab.read(name)).metadata.annotations?.[ALLOCATED_FROM_POOL]).toBe(pool),
  );

describe('pools under live Services', () => {
  it('115, 116, 155, B10: grown, shrunk around and past what is used', async () => {
    await lab.pool('p', ['192.0.2.109-192.0.2.150']);
    await lab.startController();
    for (const [index, name] of ['s1', 's2', 's3'].entries()) {
      await lab.service(name);
      await lab.expectIps(name, [`192.0.2.${109 + index}`]);
    }
    const [one, three] = [await version('s1'), await version('s3')];
    await lab.pool('p', ['192.0.2.149-192.0.2.150', '192.0.2.107-192.0.2.139']);
    await eventually(async () =>
      expect(await lab.poolStatus('p')).toMatchObject({ assignedIPv4: 3, availableIPv4: 32 }),
    );
    expect(await version('s3')).toBe(three);
    await lab.pool('p', ['192.0.2.107-192.0.2.110']);
    await lab.expectIps('s3', ['192.0.2.107']);
    await lab.expectEvent('s3', 'ClearAssignment', /192\.0\.2\.111/);
    expect(await version('s1')).toBe(one);
  });

  it('117: renamed, new before old: addresses kept, annotation follows', async () => {
    await lab.pool('p', ['192.0.2.0/28']);
    await lab.startController();
    await lab.service('a');
    await lab.expectIps('a', ['192.0.2.0']);
    await lab.pool('q', ['192.0.2.0/28']);
    await lab.expectEvent('q', 'ConfigurationError', /overlaps with already defined CIDR/);
    expect(await lab.ips('a')).toEqual(['192.0.2.0']);
    await lab.deletePool('p');
    await expectPool('a', 'q');
    expect(await lab.ips('a')).toEqual(['192.0.2.0']);
  });

  it('excludedAddresses: never given, whoever has one moves, the message names the entry', async () => {
    await lab.pool('p', ['192.0.2.0/29']);
    await lab.startController();
    await lab.service('a');
    await lab.service('b', { loadBalancerIP: '192.0.2.3' });
    await lab.expectIps('a', ['192.0.2.0']);
    await lab.expectIps('b', ['192.0.2.3']);
    const keeps = await version('b');
    await lab.pool('p', ['192.0.2.0/29'], { excludedAddresses: ['192.0.2.0/31', '192.0.2.5-192.0.2.6'] });
    await lab.expectIps('a', ['192.0.2.2']);
    await lab.expectEvent('a', 'ClearAssignment', /192\.0\.2\.0 is excluded by entry "192\.0\.2\.0\/31"/);
    await lab.service('c', { loadBalancerIP: '192.0.2.5' });
    await lab.expectEvent('c', 'AllocationFailed', /excluded by entry "192\.0\.2\.5-192\.0\.2\.6"/);
    await eventually(async () =>
      expect(await lab.poolStatus('p')).toMatchObject({ assignedIPv4: 2, availableIPv4: 2 }),
    );
    expect(await version('b')).toBe(keeps);
    await lab.pool('p', ['192.0.2.0/29'], { excludedAddresses: ['192.0.2.9-192.0.2.1'] });
    await lab.expectEvent(
      'p',
      'ConfigurationError',
      /invalid entry "192\.0\.2\.9-192\.0\.2\.1" in excludedAddresses/,
    );
    expect(await lab.ips('a')).toEqual(['192.0.2.2']);
    await lab.pool('p', ['192.0.2.0/29']);
    await lab.expectIps('c', ['192.0.2.5']);
  });

  it('120, 121: pools deleted one by one, and back', async () => {
    await lab.pool('p', ['192.0.2.0/28']);
    await lab.pool('q', ['198.51.100.0/28']);
    await lab.startController();
    await lab.service('a');
    await lab.expectIps('a', ['192.0.2.0']);
    await lab.deletePool('p');
    await lab.expectIps('a', ['198.51.100.0']);
    await expectPool('a', 'q');
    await lab.deletePool('q');
    await lab.expectIps('a', []);
    expect((await lab.read('a')).metadata.annotations ?? {}).not.toHaveProperty(ALLOCATED_FROM_POOL);
    await lab.pool('p', ['192.0.2.0/28']);
    await lab.expectIps('a', ['192.0.2.0']);
  });

  it('123, 127: reserved for another namespace the Service leaves; labels of a pool change nothing', async () => {
    await lab.pool('p', ['192.0.2.0/28']);
    await lab.startController();
    await lab.service('a');
    await lab.expectIps('a', ['192.0.2.0']);
    const before = await version('a');
    const ref = { type: metallbResources.IPAddressPool, namespace: NAMESPACE, name: 'p' };
    await lab.client.patch(ref, { metadata: { labels: { x: 'y' } } });
    await lab.service('b');
    await lab.expectIps('b', ['192.0.2.1']);
    expect(await version('a')).toBe(before);
    await lab.pool('p', ['192.0.2.0/28'], { serviceAllocation: { namespaces: ['elsewhere'] } });
    await lab.expectIps('a', []);
    await lab.expectEvent('a', 'AllocationFailed', /./);
  });

  it('A01 E1 to E4: a CIDR with host bits is its whole block, nine, sixteen and seventeen Services on, and told once', async () => {
    await lab.pool('lan', ['192.0.2.200/28']);
    await lab.startController();
    await lab.service('a');
    await lab.expectIps('a', ['192.0.2.192']);
    await eventually(async () =>
      expect(await lab.poolStatus('lan')).toEqual({
        assignedIPv4: 1,
        assignedIPv6: 0,
        availableIPv4: 15,
        availableIPv6: 0,
      }),
    );
    for (let nth = 2; nth <= 16; nth += 1) {
      await lab.service(`s${nth}`);
      await lab.expectIps(`s${nth}`, [`192.0.2.${191 + nth}`]);
    }
    // So the ninth has what was written, and the sixteenth the end of the block.
    expect(await lab.ips('s9')).toEqual(['192.0.2.200']);
    expect(await lab.ips('s16')).toEqual(['192.0.2.207']);
    await lab.service('s17');
    await lab.expectEvent('s17', 'AllocationFailed', /lan/);
    expect((await lab.read('s17'))['status']).toEqual({ loadBalancer: {} });
    await eventually(async () =>
      expect(await lab.poolStatus('lan')).toMatchObject({ assignedIPv4: 16, availableIPv4: 0 }),
    );
    const told = (await lab.events('lan')).map(({ reason, message }) => `${reason}: ${message}`);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(
      /^ConfigurationWarning: .*192\.0\.2\.200\/28 is not the start of its block.*192\.0\.2\.192\/28/,
    );
  });

  it('65, 67: a PreferDualStack Service follows the families of its pool', async () => {
    await lab.pool('p', ['192.0.2.0/28']);
    await lab.startController();
    await lab.service('a', { ipFamilyPolicy: 'PreferDualStack' });
    await lab.expectIps('a', ['192.0.2.0']);
    await lab.pool('p', ['192.0.2.0/28', '2001:db8::/64']);
    await lab.expectIps('a', ['192.0.2.0', '2001:db8::']);
    await lab.pool('p', ['192.0.2.0/28']);
    await lab.expectIps('a', ['192.0.2.0']);
  });
});
