import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { judge, validateCommand } from '#cli/validate/command.ts';
import { parseManifests } from '#cli/validate/documents.ts';
import { render } from '#cli/validate/report.ts';
import type { Manifest } from '#core/config/validate.ts';

const options = { namespace: 'metallb-system', complete: false };
const lines = (text: string, more: Partial<typeof options> = {}, cluster: Manifest[] = []) =>
  judge(parseManifests(text, 'f.yaml'), cluster, { ...options, ...more });
const short = (text: string, more: Partial<typeof options> = {}, cluster: Manifest[] = []) =>
  lines(text, more, cluster).map(({ severity, place, code }) => `${place?.line} ${severity} ${code}`);

const manifest = (kind: string, name: string, spec: string, version = 'v1beta1') =>
  `apiVersion: metallb.io/${version}\nkind: ${kind}\nmetadata: {name: ${name}}\nspec: ${spec}\n`;
const peer = (name: string, spec: string) =>
  manifest('BGPPeer', name, `{myASN: 1, peerASN: 2, peerAddress: 192.0.2.1, ${spec}}`, 'v1beta2');

describe('metallb validate: what it finds, and where', () => {
  it('A15 E4: a misspelt field, with what was meant', () => {
    const found = lines(`apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: {name: typo, namespace: metallb-system}
spec:
  aggregationLength: 32
  localpref: "200"
`);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({
      severity: 'error',
      place: { file: 'f.yaml', line: 6, column: 3 },
      code: 'UNKNOWN',
      object: 'BGPAdvertisement metallb-system/typo',
      field: 'spec.localpref',
      remedy: 'Did you mean localPref?',
    });
  });

  it('unknown fields at any depth, in metadata too, and none where any key may stand', () => {
    const text = `apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: a, lables: {x: y}}
spec:
  addresses: [192.0.2.0/24]
  serviceAllocation:
    serviceSelectors:
      - matchLabels: {anything: goes}
        matchExpression: []
`;
    expect(lines(text).map(({ field, remedy }) => [field, remedy])).toEqual([
      ['metadata.lables', 'Did you mean labels?'],
      ['spec.serviceAllocation.serviceSelectors[0].matchExpression', 'Did you mean matchExpressions?'],
    ]);
  });

  it('A24 E1: values of the wrong type, under the rule that stands behind the field', () => {
    const text = manifest('BFDProfile', 'fast', '{receiveInterval: 300ms, detectMultiplier: "3"}');
    expect(short(text)).toEqual(['4 error BFD-3', '4 error BFD-2']);
  });

  it('A05 E1: what a dump of an older installation holds passes', () => {
    const pool = manifest('IPAddressPool', 'p', '{addresses: ["198.51.100.200 - 198.51.100.220"]}');
    expect(
      short(`${pool}---\n${peer('fw', 'holdTime: 1m30s, keepaliveTime: 0s, passwordSecret: {}')}`),
    ).toEqual([]);
  });

  it('A01 E4: a prefix that does not start its block is a warning', () => {
    expect(short(manifest('IPAddressPool', 'p', '{addresses: [192.0.2.200/28]}'))).toEqual([
      '4 warning POOL-13',
    ]);
  });

  it('rules between objects of several documents', () => {
    const pools = [manifest('IPAddressPool', 'a', '{addresses: [10.0.0.0/24]}')];
    pools.push(manifest('IPAddressPool', 'b', '{addresses: [10.0.0.0/25]}'));
    expect(short(pools.join('---\n'))).toEqual(['9 error POOL-11']);
  });

  it('C08 E1: what only the native rules refuse is accepted', () => {
    const text = [
      peer('six', 'keepaliveTime: 10s, holdTime: 30s, dualStackAddressFamily: true'),
      peer('red', 'vrf: red, connectTime: 5s'),
      manifest('BGPAdvertisement', 'six', '{communities: ["large:64500:1:2"]}'),
    ];
    expect(short(text.join('---\n'))).toEqual([]);
  });

  it('B26 E3, E4: AS numbers of 32 bits pass, more do not; localPref likewise, and never negative', () => {
    const asn = (number: string) =>
      manifest('BGPPeer', 'a', `{myASN: ${number}, peerASN: 2, peerAddress: 192.0.2.1}`, 'v1beta2');
    expect(short(asn('4294967294'))).toEqual([]);
    expect(short(asn('4294967296'))).toEqual(['4 error SCHEMA']);
    expect(short(asn('0'))).toEqual(['4 error PEER-1']);
    expect(short(manifest('BGPAdvertisement', 'a', '{localPref: -1}'))).toEqual(['4 error SCHEMA']);
    expect(short(manifest('BGPAdvertisement', 'a', '{localPref: 4294967295}'))).toEqual([]);
    expect(short(manifest('BGPAdvertisement', 'a', '{localPref: 4294967296}'))).toEqual(['4 error SCHEMA']);
  });

  it('references to what is not among the files are open, unless the files are all there is', () => {
    const text = peer('a', 'bfdProfile: fast, passwordSecret: {name: s}');
    expect(short(text)).toEqual(['4 warning PEER-19', '4 warning PEER-16']);
    expect(short(text, { complete: true })).toEqual(['4 error PEER-19', '4 error PEER-16']);
  });

  it('a Secret as people write it fulfils the reference', () => {
    const secret = `apiVersion: v1
kind: Secret
metadata: {name: s, namespace: metallb-system}
type: kubernetes.io/basic-auth
stringData: {password: pässword}
`;
    const text = `${peer('a', 'passwordSecret: {name: s}')}---\n${secret}`;
    expect(short(text, { complete: true })).toEqual(['4 error PEER-24']);
    expect(short(text.replace('pässword', 'password'), { complete: true })).toEqual([]);
    expect(render(lines(text), 'text', 2)).not.toContain('pässword');
  });

  it('PEER-22, POOL-12 …: objects outside our namespace', () => {
    const text = manifest('IPAddressPool', 'a', '{addresses: [10.0.0.0/24]}').replace(
      '{name: a}',
      '{name: a, namespace: default}',
    );
    const found = lines(text);
    expect(found.map(({ code }) => code)).toEqual(['POOL-12']);
    expect(found[0]?.message).toBe('resource must be created in metallb-system namespace');
  });

  it('the deprecated version of BGPPeer is a warning, and its own schema counts', () => {
    const old = (spec: string) => manifest('BGPPeer', 'a', spec);
    expect(short(old('{myASN: 1, peerASN: 2, peerAddress: 192.0.2.1}'))).toEqual(['1 warning DEPRECATED']);
    expect(short(old('{myASN: 1, peerASN: 2, interface: eth0}'))).toContain('4 error UNKNOWN');
    expect(short(old('{myASN: 1, peerASN: 2, interface: eth0}'))).toContain('4 error SCHEMA');
  });

  it('kinds and versions that do not exist', () => {
    const found = lines(manifest('AddressPool', 'a', '{}'));
    expect(found.map(({ code }) => code)).toEqual(['KIND']);
    expect(found[0]?.remedy).toContain('IPAddressPool');
    expect(short(manifest('IPAddressPool', 'a', '{addresses: []}', 'v1'))[0]).toBe('2 error KIND');
  });

  it('rules of the MetalLB object', () => {
    expect(short(manifest('MetalLB', 'other', '{bgpBackend: bird}'))).toEqual([
      '3 error MLB-10',
      '4 error MLB-7',
    ]);
  });

  it('peers on nodes that may differ are not called duplicates; those on all nodes are', () => {
    const selected = (name: string) => peer(name, 'nodeSelectors: [{matchLabels: {rack: a}}]');
    expect(short(`${selected('a')}---\n${selected('b')}`)).toEqual([]);
    expect(short(`${peer('a', '')}---\n${peer('b', '')}`)).toEqual(['9 error FRR-2']);
  });

  it('lists, JSON, other kinds, and empty documents', () => {
    const list = JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: [
        { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: { nonsense: true } },
        {
          apiVersion: 'metallb.io/v1beta1',
          kind: 'IPAddressPool',
          metadata: { name: 'a' },
          spec: { addresses: [] },
        },
      ],
    });
    expect(short(`---\n---\n${list}`)).toEqual(['3 error POOL-2']);
  });

  it('text that is no YAML, or no object, and objects written twice', () => {
    expect(short('a: [1, 2\n')).toEqual(['2 error YAML']);
    expect(short('just words\n')).toEqual(['1 error YAML']);
    const one = manifest('L2Advertisement', 'a', '{}');
    expect(short(`${one}---\n${one}`)).toEqual(['8 warning TWICE']);
  });

  it('files beside a cluster: a file takes the place of its namesake', () => {
    const stored: Manifest = {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'IPAddressPool',
      metadata: { name: 'a', namespace: 'metallb-system', creationTimestamp: '2026-01-01T00:00:00Z' },
      spec: { addresses: ['nonsense'] },
    };
    expect(short('', {}, [stored])).toEqual(['undefined error POOL-3']);
    expect(short(manifest('IPAddressPool', 'a', '{addresses: [10.0.0.0/24]}'), {}, [stored])).toEqual([]);
  });
});

describe('metallb validate: the command', () => {
  const folder = mkdtempSync(join(tmpdir(), 'validate-'));
  mkdirSync(join(folder, 'below'));
  writeFileSync(join(folder, 'a.yaml'), manifest('IPAddressPool', 'a', '{addresses: [x]}'));
  writeFileSync(join(folder, 'below', 'b.yml'), manifest('L2Advertisement', 'b', '{}'));
  writeFileSync(join(folder, 'notes.txt'), 'not looked at: [');
  afterAll(() => rmSync(folder, { recursive: true }));

  async function run(...argv: string[]): Promise<{ code: number; text: string }> {
    let text = '';
    const code = await validateCommand(argv, { env: {}, write: (more) => (text += more) });
    return { code, text };
  }

  it('reads a folder and what lies below it, and exits with 1', async () => {
    const { code, text } = await run(folder);
    expect(code).toBe(1);
    expect(text).toMatch(
      /a\.yaml:4:20: error POOL-3 IPAddressPool metallb-system\/a spec\.addresses\[0\]: invalid CIDR "x"/,
    );
    expect(text).toMatch(/\n2 objects, 1 errors, 0 warnings\n$/);
  });

  it('exits with 0 when nothing is wrong', async () => {
    expect(await run(join(folder, 'below'))).toEqual({ code: 0, text: '1 objects, 0 errors, 0 warnings\n' });
  });

  it('-o json and -o github', async () => {
    const json = JSON.parse((await run(folder, '-o', 'json')).text) as object[];
    expect(json).toMatchObject([
      { severity: 'error', code: 'POOL-3', line: 4, column: 20, field: 'spec.addresses[0]' },
    ]);
    const { text } = await run(folder, '--output', 'github');
    expect(text).toMatch(
      /^::error file=.*a\.yaml,line=4,col=20,title=POOL-3 IPAddressPool metallb-system\/a::spec\.addresses\[0\]: /,
    );
  });

  it.each([[[]], [['-o', 'xml', 'a']], [['--nonsense']]])('refuses %j', async (argv) => {
    await expect(run(...argv)).rejects.toThrow();
  });
});
