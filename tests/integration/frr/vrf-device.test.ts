/**
 * A VRF as a network device, which FRR finds by itself. Needs a kernel that has them; where it has not, the one test
 * says so, and `npm test` counts it as not run (sessions.test.ts has VRFs by network namespaces).
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { peer } from '#tests/support/bgp-factories.ts';
import { eventually } from '#tests/support/eventually.ts';
import { OURS, ROUTER } from '#tests/support/frr-lab.ts';
import { LONG, SessionLab } from '#tests/support/session-lab.ts';
import { vrfRefusal } from '#tests/support/vrf-device.ts';

const V4 = '198.18.0.1/32';
const OURS_RED = '10.77.0.5';
const refusal = await vrfRefusal();

function byDevice(): void {
  let s: SessionLab;
  beforeAll(async () => {
    s = await SessionLab.start('bgpvrf');
    const { segment } = s.lab;
    await segment.plug('ours', 'eth1', 'ours-red');
    for (const words of [
      'link add red type vrf table 10',
      'link set red up',
      'link set eth1 master red',
      `addr add ${OURS_RED}/24 dev eth1`,
    ])
      await segment.ip('ours', ...words.split(' '));
  });
  afterAll(() => s?.down());
  beforeEach(() => s.open());
  afterEach(() => s.close());

  it('#80 #81 one address in two VRFs: two sessions, and routes only where their peer is', async () => {
    const lines = ['remote-as 64512', 'passive'];
    await s.router(64513, { [OURS.ipv4]: lines, [OURS_RED]: lines });
    const plain = peer('plain', ROUTER.ipv4, { connectTime: 1 });
    const red = peer('red', ROUTER.ipv4, { connectTime: 1, vrf: 'red' });
    s.announce([plain, red], {}, { peers: ['red'] });
    await s.established(OURS.ipv4);
    await s.established(OURS_RED);
    await eventually(async () => {
      const route = await s.lab.route(V4);
      expect(JSON.stringify(route)).toContain(`"peerId":"${OURS_RED}"`);
      expect(route.paths).toHaveLength(1);
    }, LONG);
    expect(await s.lab.ours.vtysh('show running-config')).toContain('router bgp 64512 vrf red\n');
  });
}

if (refusal === undefined) describe('VRF by network device', byDevice);
else
  it(`NOT RUN: VRF by network device; this kernel has none (${refusal})`, async () => {
    process.stderr.write(`\nNOT RUN: the test of VRFs by network device. This kernel has none: ${refusal}\n`);
    expect(await vrfRefusal()).toBe(refusal);
  });
