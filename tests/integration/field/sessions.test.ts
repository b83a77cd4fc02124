/** Field cases with sessions, on a real API server with the shipped CRDs and no webhook, real speakers, FRR and routers. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { metallbResources } from '#core/api/resources.ts';
import { NAMESPACE } from '#lab/demo/stage.ts';
import { tryRun } from '#lab/process/run.ts';
import { eventually } from '#tests/support/eventually.ts';
import { LONG_MS, R1, R2, RouterLab } from '#tests/support/router-lab.ts';

let field: RouterLab;
beforeAll(async () => {
  field = await RouterLab.up('mlb-f-sessions', 3);
  for (const step of field.stage.deploy) await step.run(() => undefined);
});
afterAll(() => field?.down());
afterEach(() => field.clear());

const manifest = (kind: string, name: string, spec: string, version = 'v1beta1'): string =>
  `apiVersion: metallb.io/${version}\nkind: ${kind}\nmetadata: {name: ${name}, namespace: ${NAMESPACE}}\n${spec}\n---\n`;
const peer = (name: string, spec: string): string => manifest('BGPPeer', name, `spec: {${spec}}`, 'v1beta2');
const apply = (text: string, ...flags: readonly string[]) =>
  field.kubectl(['apply', ...flags, '-f', '-'], text);
const conf = (node: 'node1'): string =>
  readFileSync(join(field.lab.frr(node).configFolder, 'frr.conf'), 'utf8');
const expectState = (result: string): Promise<unknown> =>
  eventually(async () => {
    for (const node of field.stage.nodes)
      expect(await field.state(`speaker-node${node}`)).toMatchObject({ result });
  }, LONG_MS);

describe('A05: a dumped, once-converted peer and a range with blanks', () => {
  const pool = manifest(
    'IPAddressPool',
    'first-pool',
    'spec: {addresses: ["198.51.100.200 - 198.51.100.220"]}',
  );
  const adv = manifest('BGPAdvertisement', 'adv', 'spec: {ipAddressPools: [first-pool], peers: [fw]}');
  const fw = (holdTime: string) =>
    peer(
      'fw',
      `holdTime: ${holdTime}, keepaliveTime: 0s, passwordSecret: {}, myASN: 64500, peerASN: 64501, peerAddress: ${R1}`,
    );
  beforeAll(() => field.route(field.r1, { asn: 64501, nodeAsn: 64500 }));

  it('A05 E1, E2, E3, E5: accepted, 21 addresses, no password, hold 90 s and keepalive 30 s, and kept as written', async () => {
    expect(await apply(pool + fw('1m30s') + adv)).toMatchObject({ code: 0, stderr: '' });
    await field.service('a');
    await eventually(async () => expect(await field.addresses('a')).toEqual(['198.51.100.200']), LONG_MS);
    await eventually(async () => {
      const { status } = await field.object<{ status: object }>('ipaddresspools', 'first-pool');
      expect(status).toMatchObject({ assignedIPv4: 1, availableIPv4: 20 });
    }, LONG_MS);
    await field.established(field.r1);
    await eventually(async () => {
      expect(await field.nextHops(field.r1, '198.51.100.200/32')).toEqual(field.allNodes);
    }, LONG_MS);
    expect(await field.neighbor(field.r1)).toMatchObject({ bgpTimerHoldTimeMsecs: 90_000 });
    const ours = await field.lab.frr('node1').json<Record<string, object>>(`show bgp neighbors ${R1} json`);
    expect(ours[R1]).toMatchObject({ bgpTimerHoldTimeMsecs: 90_000, bgpTimerKeepAliveIntervalMsecs: 30_000 });
    expect(conf('node1')).toContain(`neighbor ${R1} remote-as 64501`);
    expect(conf('node1')).not.toContain('password');
    await expectState('Valid');
    expect(field.log('speaker-node1')).not.toMatch(/"msg":"[^"]*secret/i);
    const { spec } = await field.object<{ spec: object }>('bgppeers', 'fw');
    expect(spec).toMatchObject({ holdTime: '1m30s', keepaliveTime: '0s', passwordSecret: {} });
  });

  it('A05 E3, E4: keepalives flow although 0 is written, beyond the hold time, without a reset', async () => {
    // The same with a hold time that a test can outlive: 1m30s would need five minutes.
    await apply(pool + fw('9s') + adv);
    await field.service('a');
    await eventually(async () => {
      expect(await field.neighbor(field.r1)).toMatchObject({
        bgpState: 'Established',
        bgpTimerHoldTimeMsecs: 9000,
      });
    }, LONG_MS);
    const before = await field.neighbor(field.r1);
    await eventually(async () => {
      const { keepalivesRecv } = (await field.neighbor(field.r1)).messageStats;
      expect(keepalivesRecv).toBeGreaterThan(before.messageStats.keepalivesRecv + 4);
    }, LONG_MS);
    const { connectionsEstablished, connectionsDropped } = before;
    expect(await field.neighbor(field.r1)).toMatchObject({ connectionsEstablished, connectionsDropped });
  });
});

describe('A15: a misspelt field with a quoted number', () => {
  const typo = manifest(
    'BGPAdvertisement',
    'typo',
    'spec: {ipAddressPools: [p], aggregationLength: 32, localpref: "200"}',
  );
  const rest =
    manifest('IPAddressPool', 'p', 'spec: {addresses: ["198.51.100.0/28"]}') +
    peer('r1', `myASN: 64500, peerASN: 64500, peerAddress: ${R1}`);
  beforeAll(() => field.route(field.r1, { asn: 64500, nodeAsn: 64500 }));

  it('A15 E1, E2, E3: strict refuses, warn stores it without the key, and the route has preference 100', async () => {
    const strict = await apply(typo + rest, '--validate=strict');
    expect(strict.code).not.toBe(0);
    expect(strict.stderr).toContain('unknown field "spec.localpref"');
    const warned = await apply(typo + rest, '--validate=warn');
    expect(warned).toMatchObject({ code: 0 });
    expect(warned.stderr).toMatch(/^Warning: unknown field "spec\.localpref"/m);
    const { spec } = await field.object<{ spec: object }>('bgpadvertisements', 'typo');
    expect(Object.keys(spec).map((key) => key.toLowerCase())).not.toContain('localpref');
    await field.service('a');
    await eventually(async () => {
      const paths = await field.paths(field.r1, '198.51.100.0/32');
      expect(paths.map(({ locPrf }) => locPrf)).toEqual([100, 100, 100]);
    }, LONG_MS);
  });

  it('A15 E4: the command says what was meant, and ends with 1', async () => {
    const { code, stdout } = await tryRun([process.execPath, 'cli/main.ts', 'validate', '-'], {
      input: typo + rest,
    });
    expect(code).toBe(1);
    expect(stdout).toMatch(/spec\.localpref.*Did you mean localPref\?/s);
  });
});

describe('A24: BFD times written with a unit, and a peer that relies on them', () => {
  const fast = (time: string, times: string) =>
    manifest(
      'BFDProfile',
      'fast',
      `spec: {receiveInterval: ${time}, transmitInterval: ${time}, detectMultiplier: ${times}}`,
    );
  const rest = [
    peer('with-bfd', `myASN: 64500, peerASN: 64501, peerAddress: ${R1}, bfdProfile: fast`),
    peer('plain', `myASN: 64500, peerASN: 64502, peerAddress: ${R2}`),
    manifest('IPAddressPool', 'p', 'spec: {addresses: ["198.51.100.0/28"]}'),
    manifest('BGPAdvertisement', 'adv', ''),
  ].join('');
  beforeAll(async () => {
    await field.route(field.r1, { asn: 64501, nodeAsn: 64500, bfd: true });
    await field.route(field.r2, { asn: 64502, nodeAsn: 64500 });
  });

  it('A24 E1 to E4: refused by its three fields; the peer is held back until the profile comes, the other one works', async () => {
    const { code, stderr, stdout } = await apply(fast('300ms', '"3"') + rest);
    expect(code).toBe(1);
    for (const name of ['receiveInterval', 'transmitInterval', 'detectMultiplier'])
      expect(stderr).toMatch(
        new RegExp(`BFDProfile "fast" is invalid:.*spec\\.${name}: Invalid value: "string"`, 's'),
      );
    expect(stdout.match(/created/g)).toHaveLength(4);
    await field.service('a');
    await expectState('Invalid');
    const state = await field.state('speaker-node1');
    expect(state?.errorSummary).toMatch(/with-bfd.*fast/);
    await eventually(async () => {
      expect(await field.nextHops(field.r2, '198.51.100.0/32')).toEqual(field.allNodes);
    }, LONG_MS);
    expect((await field.neighbor(field.r1)).bgpState).not.toBe('Established');
    expect(conf('node1')).not.toContain(R1);
    const plain = await field.neighbor(field.r2);
    await apply(fast('300', '3'));
    await eventually(async () => {
      expect(await field.nextHops(field.r1, '198.51.100.0/32')).toEqual(field.allNodes);
    }, LONG_MS);
    await expectState('Valid');
    await eventually(async () => {
      const peers = await field.r1.json<readonly { peer: string; status: string }[]>('show bfd peers json');
      const up = peers.filter(({ status }) => status === 'up').map((one) => one.peer);
      expect(up.sort()).toEqual(field.allNodes);
    }, LONG_MS);
    const { connectionsEstablished, connectionsDropped } = plain;
    expect(await field.neighbor(field.r2)).toMatchObject({
      connectionsEstablished,
      connectionsDropped,
      bgpState: 'Established',
    });
  });
});

describe('B26: four-byte AS numbers above 2^31 and large local preferences', () => {
  const peers =
    peer('r1', `myASN: 4200000001, peerASN: 4294967294, peerAddress: ${R1}`) +
    peer('r2', `myASN: 4200000001, localASN: 4200000000, peerASN: 64502, peerAddress: ${R2}`);
  const rest =
    manifest('IPAddressPool', 'p', 'spec: {addresses: ["198.51.100.0/28"]}') +
    manifest('BGPAdvertisement', 'adv', '');
  const preference = (localPref: string) =>
    manifest('BGPAdvertisement', 'pref', `spec: {localPref: ${localPref}}`);
  const path = async (router: RouterLab['r1']) =>
    (await field.paths(router, '198.51.100.0/32')).map((one) => one.path);
  beforeAll(async () => {
    await field.route(field.r1, { asn: 4_294_967_294, nodeAsn: 4_200_000_001 });
    await field.route(field.r2, { asn: 64502, nodeAsn: 4_200_000_000 });
  });

  it('B26 E1, E2: read back as written, both sessions up, and the AS numbers as the routers expect them', async () => {
    expect(await apply(peers + rest)).toMatchObject({ code: 0, stderr: '' });
    await field.service('a');
    const spec = async (name: string) => (await field.object<{ spec: object }>('bgppeers', name)).spec;
    expect(await spec('r1')).toMatchObject({ myASN: 4_200_000_001, peerASN: 4_294_967_294 });
    expect(await spec('r2')).toMatchObject({ myASN: 4_200_000_001, localASN: 4_200_000_000, peerASN: 64502 });
    await field.established(field.r1);
    await field.established(field.r2);
    await eventually(async () => {
      expect(await path(field.r1)).toEqual(field.allNodes.map(() => '4200000001'));
      expect(await path(field.r2)).toEqual(
        field.allNodes.map(() => expect.stringMatching(/^4200000000( |$)/)),
      );
    }, LONG_MS);
  });

  it('B26 E3, E4: numbers that no router can carry are refused with the range, or reported by name', async () => {
    await apply(peers + rest);
    await field.service('a');
    await eventually(async () => expect(await path(field.r1)).toHaveLength(3), LONG_MS);
    const wide = await apply(peer('wide', `myASN: 4294967296, peerASN: 64502, peerAddress: ${R2}`));
    expect(wide).toMatchObject({ code: 1 });
    expect(wide.stderr).toMatch(/myASN.*4294967295/);
    for (const localPref of ['4294967296', '-1']) {
      const answer = await apply(preference(localPref));
      expect(answer).toMatchObject({ code: 1 });
      expect(answer.stderr).toContain('invalid localPref: use a number from 0 to 4294967295');
    }
    expect(await apply(peer('none', 'myASN: 0, peerASN: 64502, peerAddress: 10.90.0.253'))).toMatchObject({
      code: 0,
    });
    await expectState('Invalid');
    expect((await field.state('speaker-node1'))?.errorSummary).toBe(
      'configuration error: BGPPeer none: missing local ASN',
    );
    expect(await path(field.r1)).toEqual(field.allNodes.map(() => '4200000001'));
  });

  it('B26 E4: localPref 4294967295 is read back and arrives on iBGP as it is', async () => {
    await field.route(field.r1, { asn: 4_200_000_001, nodeAsn: 4_200_000_001 });
    const internal = peer('r1', `myASN: 4200000001, peerASN: 4200000001, peerAddress: ${R1}`);
    const pool = manifest('IPAddressPool', 'p', 'spec: {addresses: ["198.51.100.0/28"]}');
    expect(await apply(internal + pool + preference('4294967295'))).toMatchObject({ code: 0, stderr: '' });
    const { spec } = await field.object<{ spec: object }>('bgpadvertisements', 'pref');
    expect(spec).toMatchObject({ localPref: 4_294_967_295 });
    await field.service('a');
    await eventually(async () => {
      const paths = await field.paths(field.r1, '198.51.100.0/32');
      expect(paths.map(({ locPrf }) => locPrf)).toEqual(field.allNodes.map(() => 4_294_967_295));
    }, LONG_MS);
  });
});

describe('C06: nothing that waits for us', () => {
  it('C06 E2: with everything running, no Service and no object of our kinds or namespace has a finalizer', async () => {
    await field.route(field.r1, { asn: 64501, nodeAsn: 64500 });
    await apply(
      peer('r1', `myASN: 64500, peerASN: 64501, peerAddress: ${R1}`) +
        manifest('IPAddressPool', 'p', 'spec: {addresses: ["198.51.100.0/28"]}') +
        manifest('BGPAdvertisement', 'adv', 'spec: {ipAddressPools: [p]}'),
    );
    await field.service('a');
    const kinds = Object.values(metallbResources).map(({ plural, group }) => `${plural}.${group}`);
    const list = [...kinds, 'services', 'leases', 'secrets', 'configmaps'].join(',');
    await eventually(async () => {
      const { items } = JSON.parse(await field.lab.kubectl(['get', list, '-A', '-o', 'json'])) as {
        items: readonly { kind: string; metadata: { finalizers?: readonly string[] } }[];
      };
      expect(items.map(({ kind }) => kind)).toEqual(
        expect.arrayContaining([
          'BGPSessionState',
          'ConfigurationState',
          'IPAddressPool',
          'Service',
          'ServiceBGPStatus',
        ]),
      );
      expect(items.flatMap(({ metadata }) => metadata.finalizers ?? [])).toEqual([]);
    }, LONG_MS);
  });
});
