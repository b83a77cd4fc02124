/** Whatever a user or another program writes on a Service, a decision comes out, and the same one the next time. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAddress } from '#core/model/ip.ts';
import type { IngressEntry, ServiceView } from '#core/model/views.ts';
import { pool, service, World } from '#tests/support/ipam.ts';

const text = fc.oneof(
  fc.string(),
  fc.constantFrom(
    '',
    'None',
    '192.0.2.1',
    '192.0.2.1,2001:db8::1',
    '::ffff:192.0.2.2',
    '2001:DB8::0:1',
    'p',
    'q',
  ),
  fc.ipV4(),
  fc.ipV6(),
);
const prefix = fc.constantFrom('metallb.io/', 'metallb.universe.tf/');
const annotations = fc
  .array(
    fc.tuple(
      prefix,
      fc.constantFrom('address-pool', 'loadBalancerIPs', 'allow-shared-ip', 'ip-allocated-from-pool', 'x'),
      text,
    ),
    { maxLength: 4 },
  )
  .map((list) => Object.fromEntries(list.map(([before, name, value]) => [`${before}${name}`, value])));
const ingress: fc.Arbitrary<IngressEntry> = fc.record({
  ip: text,
  hostname: fc.constantFrom('', 'lb.example'),
  ipMode: fc.constantFrom('', 'VIP', 'Proxy'),
  hasPorts: fc.boolean(),
});
const view: fc.Arbitrary<Partial<ServiceView>> = fc.record({
  type: fc.constantFrom('LoadBalancer', 'LoadBalancer', 'ClusterIP', 'ExternalName', ''),
  annotations,
  clusterIPs: fc.array(text, { maxLength: 3 }),
  ipFamilies: fc.array(text, { maxLength: 2 }),
  ipFamilyPolicy: fc.constantFrom('SingleStack', 'PreferDualStack', 'RequireDualStack'),
  externalTrafficPolicy: fc.constantFrom('Cluster', 'Local'),
  loadBalancerIP: text,
  ingress: fc.array(ingress, { maxLength: 4 }),
});

describe('anything', () => {
  it('is decided on, and once more without a further change', () => {
    const pools = [pool('p', ['192.0.2.0/29', '2001:db8::/125']), pool('q', ['198.51.100.0/30'])];
    fc.assert(
      fc.property(fc.array(view, { minLength: 1, maxLength: 6 }), (views) => {
        const world = new World(pools);
        views.forEach((change, index) => world.apply(service(`n/s${index}`, change)));
        world.writes.length = 0;
        for (const key of world.services.keys()) world.touch(key);
        expect(world.writes).toEqual([]);
        world.forgetEvents();
        for (const key of world.services.keys()) {
          const { kind } = world.touch(key);
          expect(['keep', 'wait', 'leave'], key).toContain(kind);
          if (kind !== 'leave') {
            for (const ip of world.ips(key)) expect(parseAddress(ip), ip).toBeDefined();
          }
        }
        expect(world.writes).toEqual([]);
        expect(world.events).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});
