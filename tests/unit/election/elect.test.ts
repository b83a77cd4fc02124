import { describe, expect, it } from 'vitest';
import { digest, elect } from '#core/election/elect.ts';
import { formatAddress, parseAddress } from '#core/model/ip.ts';

function order(nodes: readonly string[], address: string, scores: Record<string, number> = {}): string[] {
  const parsed = parseAddress(address);
  const key = parsed === undefined ? 'unparsable' : formatAddress(parsed);
  return elect(
    nodes.map((node) => ({ node, score: scores[node] ?? 0 })),
    key,
  ).map(({ node }) => node);
}

const kind = ['kind-control-plane', 'kind-worker', 'kind-worker2'];
const workers = [0, 1, 2, 3].map((n) => `worker-${n}.example.com`);
const edges = ['edge-a', 'edge-b', 'worker-a', 'worker-b'];

describe('election (speaker-l2.md §3.5)', () => {
  it.each<[number, string[], string, Record<string, number>, string[]]>([
    [1, ['iris1', 'iris2'], '10.20.30.1', {}, ['iris2', 'iris1']],
    [2, ['iris1', 'iris2'], '10.20.30.2', {}, ['iris1', 'iris2']],
    [3, ['node-a', 'node-b', 'node-c'], '10.0.0.1', {}, ['node-b', 'node-a', 'node-c']],
    [4, ['node-a', 'node-b', 'node-c'], '10.0.0.2', {}, ['node-b', 'node-c', 'node-a']],
    [5, kind, '172.18.255.200', {}, ['kind-worker2', 'kind-worker', 'kind-control-plane']],
    [6, kind, '172.18.255.201', {}, ['kind-worker2', 'kind-control-plane', 'kind-worker']],
    [7, kind, 'fc00:f853:ccd:e799::', {}, ['kind-worker', 'kind-worker2', 'kind-control-plane']],
    [8, kind, 'fc00:f853:ccd:e799::1', {}, ['kind-worker2', 'kind-control-plane', 'kind-worker']],
    [9, workers, '2001:db8::1:0:0:1', {}, [1, 3, 0, 2].map((n) => `worker-${n}.example.com`)],
    [10, workers, '203.0.113.7', {}, [3, 0, 1, 2].map((n) => `worker-${n}.example.com`)],
    [11, edges, '10.20.30.1', { 'edge-a': 100 }, ['edge-a', 'edge-b', 'worker-a', 'worker-b']],
    [
      12,
      ['edge-a', 'edge-b', 'worker-a'],
      '10.20.30.1',
      { 'edge-a': 100, 'edge-b': 100 },
      ['edge-b', 'edge-a', 'worker-a'],
    ],
    [13, edges, '10.20.30.1', {}, ['edge-b', 'worker-a', 'edge-a', 'worker-b']],
    [
      14,
      edges,
      '10.20.30.1',
      { 'edge-a': 60, 'edge-b': 50, 'worker-b': 110 },
      ['worker-b', 'edge-a', 'edge-b', 'worker-a'],
    ],
  ])('vector %i', (...vector) => {
    const [, nodes, address, scores, expected] = vector;
    expect(order(nodes, address, scores)).toEqual(expected);
    expect(order([...nodes].reverse(), address, scores)).toEqual(expected);
  });

  it.each([
    ['A01 E5: the start of the block', '192.0.2.192', ['n1', 'n2', 'n3']],
    ['A01 E5: what was written', '192.0.2.200', ['n3', 'n1', 'n2']],
    ['A06 E3, first Service', '192.0.2.32', ['n3', 'n1', 'n2']],
    ['A06 E3, second Service', '192.0.2.33', ['n3', 'n1', 'n2']],
    ['A10 E5', '198.51.100.80', ['n3', 'n1', 'n2']],
    ['A18 E3', '192.0.2.111', ['n1', 'n3', 'n2']],
    ['A20 E5', '192.0.2.120', ['n2', 'n1', 'n3']],
    ['A22 E2', '192.0.2.251', ['n3', 'n2', 'n1']],
    ['A26 E2', '192.0.2.5', ['n2', 'n1', 'n3']],
    ['B03 E1, before', '192.0.2.60', ['n1', 'n3', 'n2']],
    ['B03 E1, after', '192.0.2.61', ['n2', 'n3', 'n1']],
    ['B17 E2', '192.0.2.64', ['n2', 'n3', 'n1']],
    ['B18 E1', '192.0.2.88', ['n2', 'n1', 'n3']],
    ['B30', '192.0.2.90', ['n2', 'n3', 'n1']],
  ])('nodes n1, n2, n3 of the field cases, %s', (_case, address, expected) => {
    expect(order(['n1', 'n2', 'n3'], address)).toEqual(expected);
  });

  it.each([
    ['A10', '198.51.100.80', ['n3', 'n1', 'n2']],
    ['A22', '192.0.2.251', ['n3', 'n2', 'n1']],
    ['A26', '192.0.2.5', ['n2', 'n1', 'n3']],
    ['B03, first', '192.0.2.60', ['n1', 'n3', 'n2']],
    ['B03, second', '192.0.2.61', ['n2', 'n3', 'n1']],
    ['B17', '192.0.2.64', ['n2', 'n3', 'n1']],
    ['B18', '192.0.2.88', ['n2', 'n1', 'n3']],
    ['B30', '192.0.2.90', ['n2', 'n3', 'n1']],
  ])('field case %s: the order of n1, n2 and n3 for %s', (_, address, expected) => {
    expect(order(['n1', 'n2', 'n3'], address)).toEqual(expected);
  });

  it.each([
    ['iris1', '10.20.30.1', 'e42ad61a4159fa2d143f5233840565a80f498b6a1e7998d68190d2a357882e2b'],
    ['iris2', '10.20.30.1', 'af6cb4e7605814d2f0ccb427ae44f1981dca8e59f928a994747b78ef36224c1a'],
    ['node-b', '10.0.0.1', '2acae88581fd8b477d8abf5bd882a2094b0c9631507ebc7770a5682a13cd71f1'],
    ['kind-worker', '172.18.255.200', '3f4d244fa84c3338f7aee491119a13d7e214ac854d7604cef5a6b050d7a0429b'],
    [
      'kind-worker',
      'fc00:f853:ccd:e799::',
      '34fd8809e667ed140935c4586e46a70163d8fabd7496dccc05a519eb1cfdb11e',
    ],
    [
      'worker-1.example.com',
      '2001:db8::1:0:0:1',
      '136b362898e202e22ad6ccb171f1de776f7ddc603503b602319b371dc6287d72',
    ],
    ['worker-b', '10.20.30.1', 'c907072e3516a25bda74bd6684579494d0f648461781fae48c77ddad3b1e3677'],
  ])('digest of %s and %s', (node, key, expected) => {
    expect(digest(node, key)).toBe(expected);
  });

  it('uses the canonical text of the address (§3.2, behaviour 65)', () => {
    expect(order(kind, 'FC00:F853:0CCD:E799:0:0:0:0')).toEqual(order(kind, 'fc00:f853:ccd:e799::'));
    expect(order(['iris1', 'iris2'], '::ffff:10.20.30.1')).toEqual(['iris2', 'iris1']);
  });

  it('gives each of two nodes some of 255 addresses (behaviour 61)', () => {
    const leaders = Array.from({ length: 255 }, (_, n) => order(['iris1', 'iris2'], `10.20.30.${n + 1}`)[0]);
    expect(new Set(leaders)).toEqual(new Set(['iris1', 'iris2']));
  });
});
