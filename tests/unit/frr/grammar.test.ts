import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bgpContext } from '#core/bgp/gates.ts';
import { buildModel } from '#core/frr/build.ts';
import { frrAddress, isRenderableProfile, peerProblem } from '#core/frr/grammar.ts';
import type { BgpPeer } from '#core/model/config.ts';
import { loadTemplates } from '#speaker/frr/templates.ts';
import { address, config, node, peer } from '#tests/support/bgp-factories.ts';
import { profile } from '#tests/support/frr-scenarios.ts';

const render = loadTemplates('frr-templates');
const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(
    'a b',
    'a\nrouter bgp 1',
    '!x',
    '#x',
    '"x"',
    'x\r',
    '',
    ' ',
    'ä',
    'x'.repeat(10_000),
    '\u0016',
    '10.0.0.1',
  ),
);

/** Lines of the file, with the words that may vary taken out. */
function lineShapes(part: Partial<BgpPeer>, endpoint = '10.0.0.1'): { shapes: string[]; refused: number } {
  const context = bgpContext(config({ peers: [peer('p', endpoint, part)] }), node(), false);
  const { model, refused } = buildModel(context, [], { hostname: 'n', logLevel: 'errors' });
  const shapes = render(model)
    .split('\n')
    .map((line) =>
      line
        .trim()
        .split(' ')
        .slice(0, 1)
        .concat(String(line.trim().split(' ').length))
        .join(' '),
    );
  return { shapes, refused: refused.length };
}

describe('grammar of rendered words (speaker-bgp.md §3.6, W15, W20)', () => {
  it.each<[string, Partial<BgpPeer>]>([
    ['a blank in the password', { password: 'a b' }],
    ['a password of 81 characters', { password: 'x'.repeat(81) }],
    ['a line break in the VRF', { vrf: 'red\nrouter bgp 1' }],
    ['a VRF called default', { vrf: 'default' }],
    ['localASN equal to myASN', { localAsn: 64512 }],
    ['hold time above 65535', { timers: { hold: 70_000, keepalive: 1 } }],
    ['router id of IPv6', { routerId: address('2001:db8::1') }],
    ['AS number 0', { remoteAs: { kind: 'asn', asn: 0 } }],
    ['AS number above 32 bits', { remoteAs: { kind: 'asn', asn: 4_294_967_296 } }],
    ['port 0', { port: 0 }],
    ['connect time 0', { connectTime: 0 }],
  ])('%s is refused', (_, part) => expect(peerProblem(peer('p', '10.0.0.1', part))).toBeDefined());

  it('interface names are words of at most 15 characters', () => {
    expect(peerProblem(peer('p', 'eth1.100'))).toBeUndefined();
    expect(peerProblem(peer('p', 'eth1 remote-as'))).toContain('spec.interface');
    expect(peerProblem(peer('p', 'a-very-long-name'))).toContain('spec.interface');
  });

  it('printable passwords pass, whatever they mean to a shell or to vtysh', () => {
    expect(peerProblem(peer('p', '10.0.0.1', { password: '!#?|"\'\\$(x);a' }))).toBeUndefined();
  });

  it('hostile text either is refused by name or changes one word and no line', () => {
    const plain = lineShapes({ password: 'x', vrf: 'v', bfdProfile: 'b' }).shapes;
    fc.assert(
      fc.property(hostile, fc.constantFrom('password', 'vrf', 'bfdProfile'), (text, field) => {
        const part = { password: 'x', vrf: 'v', bfdProfile: 'b', [field]: text };
        const { shapes, refused } = lineShapes(part);
        if (refused === 0 && !(field === 'vrf' && text === '')) expect(shapes).toEqual(plain);
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(hostile, (text) => {
        const isWord = /^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/.test(text) || text === '10.0.0.1';
        expect(lineShapes({}, text).refused).toBe(isWord ? 0 : 1);
      }),
    );
  });

  it.each([
    ['::c633:640a', '::198.51.100.10'],
    ['::1:2', '::0.1.0.2'],
    ['::ffff', '::ffff'],
    ['::1', '::1'],
    ['::', '::'],
    ['64:ff9b::c633:640a', '64:ff9b::c633:640a'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['198.51.100.10', '198.51.100.10'],
  ])('%s is %s for FRR', (text, word) => expect(frrAddress(address(text))).toBe(word));

  it('profiles with hostile names are left out', () => {
    expect(isRenderableProfile(profile('fast'))).toBe(true);
    expect(isRenderableProfile(profile('a b'))).toBe(false);
    expect(isRenderableProfile(profile('x'.repeat(64)))).toBe(false);
    expect(isRenderableProfile(profile('x', { minimumTtl: 255 }))).toBe(false);
  });
});
