/** What everybody may rely on of an FrrPort. Run against the fake and against the driver with a real FRR. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FrrPort, FrrState } from '#speaker/ports.ts';
import { peer } from '#tests/support/bgp-factories.ts';
import { eventually } from '#tests/support/eventually.ts';
import { announcing, routerPeers } from '#tests/support/frr-driver.ts';
import { OURS } from '#tests/support/frr-lab.ts';

export interface FrrUnderTest {
  readonly port: FrrPort;
  /** The configuration FRR has: every line with its path. */
  lines(): Promise<readonly string[]>;
  /** Makes FRR refuse the neighbour with our own address, which a real one does by itself. */
  refuseOwnAddress(): void;
  dispose(): Promise<void>;
}

const network = (address: string): RegExp => new RegExp(`network ${address}/32 route-map CLASS-`);

export function frrContract(make: () => Promise<FrrUnderTest>): void {
  let frr: FrrUnderTest;
  let states: FrrState[];
  beforeEach(async () => {
    frr = await make();
    states = [];
    frr.port.onState((state) => states.push(state));
  });
  afterEach(async () => frr.dispose());

  const settled = (): Promise<void> =>
    eventually(() => {
      expect(frr.port.state.applied).toBe(frr.port.state.desired);
      expect(frr.port.state.lastError).toBeUndefined();
    }, 15_000);

  describe('FrrPort', () => {
    it('starts at generation 0 and touches nothing by itself', () => {
      expect(frr.port.state).toMatchObject({ desired: 0, applied: 0, lastError: undefined, refused: [] });
    });

    it('returns at once; FRR is brought to the model, and the state says so', async () => {
      frr.port.setDesired(announcing(['198.18.0.1']));
      expect(frr.port.state).toMatchObject({ desired: 1, applied: 0 });
      await settled();
      expect((await frr.lines()).some((line) => network('198.18.0.1').test(line))).toBe(true);
      expect(states.at(-1)).toEqual(frr.port.state);
    });

    it('#92 an equal model is no change', async () => {
      frr.port.setDesired(announcing(['198.18.0.1']));
      await settled();
      const calls = states.length;
      frr.port.setDesired(announcing(['198.18.0.1']));
      expect(frr.port.state.desired).toBe(1);
      expect(states.length).toBe(calls);
    });

    it('#91 of several changes in one go the last one counts', async () => {
      for (let i = 1; i <= 20; i += 1) frr.port.setDesired(announcing([`198.18.1.${i}`]));
      await settled();
      expect(frr.port.state.desired).toBe(20);
      const networks = (await frr.lines()).filter((line) => line.includes('> network '));
      expect(networks).toHaveLength(1);
      expect(networks[0]).toMatch(network('198.18.1.20'));
    });

    it('a refused neighbour is named and left out until it changes; the rest is applied', async () => {
      frr.refuseOwnAddress();
      frr.port.setDesired(announcing(['198.18.0.2'], { peers: [...routerPeers, peer('self', OURS.ipv4)] }));
      await settled();
      expect(frr.port.state.refused).toMatchObject([{ peer: 'self' }]);
      const lines = await frr.lines();
      expect(lines.some((line) => line.includes(`neighbor ${OURS.ipv4} `))).toBe(false);
      expect(lines.some((line) => network('198.18.0.2').test(line))).toBe(true);
      frr.port.setDesired(announcing(['198.18.0.2']));
      await settled();
      expect(frr.port.state.refused).toEqual([]);
    });

    it('show rejects what gives no JSON, and an aborted call', async () => {
      await expect(frr.port.show('show bgp nonsense json')).rejects.toThrow(/no JSON/);
      await expect(frr.port.show('show bgp nonsense json', AbortSignal.abort())).rejects.toThrow();
    });
  });
}
