/** C04: CRDs that somebody else installed, where ours is not among them or older. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { metallbResources } from '#core/api/resources.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import type { KubeObject } from '#runtime/kube/types.ts';
import { ControllerLab, NAMESPACE } from '#tests/support/controller-lab.ts';
import { eventually } from '#tests/support/eventually.ts';

let lab: ControllerLab;
afterEach(() => lab[Symbol.asyncDispose]());

const crd = async (plural: string): Promise<KubeObject> =>
  parse(await readFile(join('config/crd', `metallb.io_${plural}.yaml`), 'utf8')) as KubeObject;
const lines = (log: string, word: string): string[] => log.split('\n').filter((line) => line.includes(word));

describe('C04: CRDs from elsewhere', () => {
  it('E1, E2, E4: without configurationstates it works and says so once; the kind comes later and is used', async () => {
    lab = await ControllerLab.start({ without: ['configurationstates'] });
    await lab.pool('p', ['192.0.2.0/28']);
    const controller = await lab.startController();
    await lab.service('a');
    await lab.expectIps('a', ['192.0.2.0']);
    await eventually(
      () => expect(lines(controller.log, 'configurationstates').length).toBeGreaterThan(0),
      20_000,
    );
    // Work goes on for a while and brings no further line.
    for (const name of ['b', 'c', 'd']) {
      await lab.service(name);
      await eventually(async () => expect(await lab.ips(name)).toHaveLength(1), 20_000);
      await lab.pool(`p-${name}`, [`198.51.100.${name.charCodeAt(0)}/32`]);
    }
    expect(lines(controller.log, 'configurationstates')).toHaveLength(1);
    await lab.client.create(kinds.CustomResourceDefinition, await crd('configurationstates'));
    await eventually(async () => {
      expect((await lab.state())['status']).toMatchObject({ conditions: [{ status: 'True' }] });
    }, 60_000);
    expect(controller.running).toBe(true);
  });

  it('E1: the kinds of an older installation (no ConfigurationState, no BGP status, no reservations)', async () => {
    const without = ['configurationstates', 'servicebgpstatuses', 'ipreservations'];
    lab = await ControllerLab.start({ without });
    await lab.pool('p', ['192.0.2.0/28']);
    await lab.startController();
    await lab.service('a');
    await lab.expectIps('a', ['192.0.2.0']);
    const peers = { type: metallbResources.BGPPeer, namespace: NAMESPACE };
    expect(await lab.client.list(peers.type, { namespace: NAMESPACE })).toEqual([]);
  });
});
