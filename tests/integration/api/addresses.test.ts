/** What the API server itself says about addresses, with no webhook at all: CEL rules of the generated CRDs. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { Lab } from '#lab/lab.ts';
import { quiet } from '#lab/report.ts';

const FILES = ['config/crd/metallb.io_ipaddresspools.yaml', 'config/crd/metallb.io_bgppeers.yaml'];
const POOLS = '/apis/metallb.io/v1beta1/namespaces/default/ipaddresspools';
const PEERS = '/apis/metallb.io/v1beta2/namespaces/default/bgppeers';
/** As many entries as the schema allows. */
const MOST = 10_000;

let lab: Lab;

async function send(method: string, path: string, body: unknown, type?: string) {
  const answer = await lab.api.send(method, path, body, type);
  return { status: answer.status, message: (JSON.parse(answer.text) as { message?: string }).message ?? '' };
}

/** Judges without storing, so that cases do not meet. */
const tryPool = (spec: unknown, query = '?dryRun=All') =>
  send('POST', `${POOLS}${query}`, {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'IPAddressPool',
    metadata: { name: 'a', labels: {} },
    spec,
  });
const tryPeer = (spec: object) =>
  send('POST', `${PEERS}?dryRun=All`, {
    apiVersion: 'metallb.io/v1beta2',
    kind: 'BGPPeer',
    metadata: { name: 'a' },
    spec: { myASN: 64512, peerASN: 64513, peerAddress: '192.0.2.1', ...spec },
  });

const apply = async (files: readonly string[]) => {
  await lab.kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], {
    input: files.join('\n---\n'),
  });
  await lab.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
};
const crds = () => FILES.map((file) => readFileSync(file, 'utf8'));

beforeAll(async () => {
  lab = await Lab.up({ name: 'mlb-api-cel', level: 'light', nodes: 1, report: quiet });
  await apply(crds());
});

afterAll(() => lab?.down());

describe('addresses of a pool', () => {
  it.each([
    ['prefixes of both families', ['192.0.2.0/24', '2001:db8::/64', '0.0.0.0/0']],
    ['POOL-3 host bits', ['192.0.2.9/24']],
    ['POOL-3 a length with a leading zero', ['192.0.2.0/08']],
    ['POOL-3 an IPv4-mapped prefix', ['::ffff:192.0.2.0/120', '0:0:0:0:0:FFFF:c000:201/128']],
    [
      'POOL-4 ranges, blanks at the dash',
      ['192.0.2.1-192.0.2.9', '192.0.2.11 - 192.0.2.19', '2001:db8::1-2001:db8::9'],
    ],
  ])('are accepted: %s', async (_, addresses) => {
    expect(await tryPool({ addresses })).toMatchObject({ status: 201 });
  });

  it.each([
    ['POOL-3 an address without length', '192.0.2.1', 'invalid CIDR "192.0.2.1"'],
    ['POOL-3 a length too large', '192.0.2.0/33', 'invalid CIDR "192.0.2.0/33"'],
    ['POOL-3 a name', 'lan', 'invalid CIDR "lan"'],
    ['POOL-3 blanks', ' 192.0.2.0/24', 'invalid CIDR " 192.0.2.0/24"'],
    ['POOL-4 one end is no address', '192.0.2.1-lan', 'an end is not an IP address'],
    ['POOL-4 three ends', '192.0.2.1-192.0.2.2-192.0.2.3', 'an end is not an IP address'],
    ['POOL-4 two families', '192.0.2.1-2001:db8::1', 'start and end are of different families'],
  ])('are refused: %s', async (_, entry, message) => {
    const answer = await tryPool({ addresses: ['198.51.100.0/24', entry] });
    expect(answer.status).toBe(422);
    expect(answer.message).toContain(message);
    expect(answer.message).toContain('spec.addresses[1]');
  });

  it('POOL-14: excluded addresses may be bare, and must be readable', async () => {
    const addresses = ['192.0.2.0/24'];
    const good = ['192.0.2.1', '192.0.2.8/29', '192.0.2.20 - 192.0.2.30', '::ffff:192.0.2.9'];
    expect(await tryPool({ addresses, excludedAddresses: good })).toMatchObject({ status: 201 });
    const bad = await tryPool({ addresses, excludedAddresses: ['192.0.2.1', 'router'] });
    expect(bad.message).toContain('invalid entry "router" in excludedAddresses');
  });

  it(`a list of ${MOST} ranges stays within the cost that the API server allows`, async () => {
    const entry = (index: number) => {
      const net = `10.${index >> 8}.${index & 255}`;
      return `${net}.1 - ${net}.254`;
    };
    const addresses = Array.from({ length: MOST }, (_, index) => entry(index));
    expect(await tryPool({ addresses })).toMatchObject({ status: 201 });
    const answer = await tryPool({ addresses: [...addresses.slice(1), '10.0.0.1'] });
    expect(answer.message).toContain('invalid CIDR "10.0.0.1"');
    expect((await tryPool({ addresses: [...addresses, '192.0.2.0/24'] })).message).toContain('Too many');
  });

  it('what was stored before the rules existed can still be edited elsewhere', async () => {
    const without = (text: string): string =>
      stringify(
        parse(text, (key, value: unknown) => (key === 'x-kubernetes-validations' ? undefined : value)),
      );
    await apply(crds().map(without));
    expect(await tryPool({ addresses: ['192.0.2.1'] }, '')).toMatchObject({ status: 201 });
    await apply(crds());
    const merge = (patch: unknown) => send('PATCH', `${POOLS}/a`, patch, 'application/merge-patch+json');
    await expect
      .poll(async () => (await tryPool({ addresses: ['lan'] })).message, { timeout: 30_000 })
      .toContain('invalid CIDR');
    expect(await merge({ spec: { autoAssign: false } })).toMatchObject({ status: 200 });
    expect((await merge({ spec: { addresses: ['192.0.2.2'] } })).message).toContain(
      'invalid CIDR "192.0.2.2"',
    );
    expect(await merge({ spec: { addresses: ['192.0.2.2/32'] } })).toMatchObject({ status: 200 });
  });
});

describe('addresses of a peer', () => {
  it.each([
    ['PEER-12', { sourceAddress: '192.0.2.7' }],
    ['PEER-12 IPv6', { sourceAddress: '2001:db8::7' }],
    ['PEER-12 mapped', { sourceAddress: '::ffff:192.0.2.7' }],
    ['PEER-12 and PEER-11 empty', { sourceAddress: '', routerID: '' }],
    ['PEER-11', { routerID: '192.0.2.7' }],
  ])('are accepted: %s', async (_, spec) => {
    expect(await tryPeer(spec)).toMatchObject({ status: 201 });
  });

  it.each([
    ['PEER-12 with a length', { sourceAddress: '192.0.2.7/24' }, 'invalid source address'],
    ['PEER-12 a name', { sourceAddress: 'eth0' }, 'invalid source address'],
    ['PEER-11 IPv6', { routerID: '2001:db8::1' }, 'invalid router ID'],
    ['PEER-11 a number', { routerID: '7' }, 'invalid router ID'],
  ])('are refused: %s', async (_, spec, message) => {
    const answer = await tryPeer(spec);
    expect(answer.status).toBe(422);
    expect(answer.message).toContain(message);
  });
});
