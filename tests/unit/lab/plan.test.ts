import { describe, expect, test } from 'vitest';
import { nodeObject } from '#lab/control/nodes.ts';
import * as plan from '#lab/net/plan.ts';
import { routerConfig } from '#lab/router/config.ts';
import { isNewEnough } from '#lab/toolchain/go.ts';
import { endpointSlice, serviceObject } from '#lab/workload/service.ts';

describe('names and addresses', () => {
  test('namespaces carry the name of the lab', () => {
    expect(plan.places(2).map((place) => plan.netnsName('mlb', place))).toEqual([
      'mlb-ctl',
      'mlb-rtr',
      'mlb-cli',
      'mlb-lan',
      'mlb-n1',
      'mlb-n2',
    ]);
  });

  test('addresses of nodes and pods do not collide with the fixed ones', () => {
    const fixed = [plan.CONTROL, plan.ROUTER, plan.LAN_CLIENT].map(({ ipv4 }) => ipv4);
    const nodes = Array.from({ length: plan.MAX_NODES }, (_, at) => plan.nodeAddresses(at + 1).ipv4);
    expect(new Set([...fixed, ...nodes]).size).toBe(fixed.length + plan.MAX_NODES);
    expect(plan.nodeAddresses(3)).toEqual({ ipv4: '10.90.0.13', ipv6: 'fd90::13' });
  });

  test.each(['', 'Mlb', '1lab', 'a/b', '-x', 'a'.repeat(32)])('"%s" is no name for a lab', (name) => {
    expect(() => plan.checkLabName(name)).toThrow(/is no name for a lab/);
  });
});

describe('configuration and objects', () => {
  test('the router peers with every node over both families', () => {
    const config = routerConfig(2);
    for (const address of ['10.90.0.11', 'fd90::11', '10.90.0.12', 'fd90::12']) {
      expect(config).toContain(` neighbor ${address} remote-as 64512\n`);
      expect(config).toContain(` neighbor ${address} bfd\n`);
      expect(config.split(`  neighbor ${address} activate\n`)).toHaveLength(3);
    }
    expect(config).not.toContain('10.90.0.13');
  });

  test('a light-level node is Ready and has both addresses', () => {
    expect(nodeObject(1)).toMatchObject({
      metadata: { name: 'node1' },
      spec: { podCIDRs: ['10.244.1.0/24', 'fd00:10:244:1::/64'] },
      status: { conditions: [{ type: 'Ready', status: 'True' }] },
    });
  });

  test('a Service by hand and its slices', () => {
    const service = { name: 'web', nodes: [1, 3], spec: { externalTrafficPolicy: 'Local' } };
    expect(serviceObject(service)).toMatchObject({
      spec: { type: 'LoadBalancer', externalTrafficPolicy: 'Local', ports: [{ port: 80, targetPort: 8080 }] },
    });
    expect(endpointSlice(service, 'IPv6', false)).toMatchObject({
      addressType: 'IPv6',
      endpoints: [
        { addresses: ['fd00:10:244:1::10'], nodeName: 'node1', conditions: { ready: false } },
        { addresses: ['fd00:10:244:3::10'], nodeName: 'node3', conditions: { ready: false } },
      ],
    });
  });

  test.each([
    ['go1.26', true],
    ['go1.26.8\n', true],
    ['go1.27rc1', true],
    ['go1.25.5', false],
    ['devel', false],
  ])('Go %j is new enough: %s', (version, enough) => {
    expect(isNewEnough(version)).toBe(enough);
  });
});
