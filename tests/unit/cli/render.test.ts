import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Manifest } from '#core/config/validate.ts';
import { diffCommand, diffNodes } from '#cli/diff/command.ts';
import { unified } from '#cli/diff/unified.ts';
import { readArguments } from '#cli/render/arguments.ts';
import { renderCommand, renderNodes } from '#cli/render/command.ts';
import { overlay } from '#cli/validate/overlay.ts';
import { parseManifests } from '#cli/validate/documents.ts';
import { patch } from '#tests/support/patch.ts';
import { temporaryFolder } from '#tests/support/temporary.ts';

const manifests = (text: string): Manifest[] =>
  parseManifests(text, 'f.yaml').sources.map(({ manifest }) => manifest);
const args = (...argv: string[]) => readArguments(argv, {});

const NODES = ['node1', 'node2']
  .map(
    (name, i) => `apiVersion: v1
kind: Node
metadata: {name: ${name}, labels: {kubernetes.io/hostname: ${name}}}
status: {addresses: [{type: InternalIP, address: 10.0.0.${i + 1}}]}
`,
  )
  .join('---\n');
const peer = (name: string, spec: string) => `---
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {name: ${name}, namespace: metallb-system, creationTimestamp: "2026-01-01T00:00:00Z"}
spec: {myASN: 64512, peerASN: 64513, ${spec}}
`;
const POOL = `---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: a, namespace: metallb-system}
spec: {addresses: [198.51.100.0/24]}
`;
const adv = (spec = '{}') => `---
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: {name: a, namespace: metallb-system}
spec: ${spec}
`;
const SERVICE = `---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: LoadBalancer, clusterIP: 10.96.0.1}
`;
const ASSIGNED = `${SERVICE}status: {loadBalancer: {ingress: [{ip: 198.51.100.10}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}
endpoints: [{addresses: [10.244.0.5], nodeName: node1, conditions: {ready: true}}]
`;
const secret = 'very-secret';
const cluster = overlay(
  [],
  manifests(NODES + POOL + adv() + ASSIGNED + peer('p', `peerAddress: 10.0.0.254, password: ${secret}`)),
  'metallb-system',
);

describe('metallb render', () => {
  it('every node, as its speaker makes it; no password is shown', () => {
    const rendered = renderNodes([], cluster, args());
    expect(rendered.map(({ node, problems }) => [node, problems])).toEqual([
      ['node1', []],
      ['node2', []],
    ]);
    for (const [i, { config }] of rendered.entries()) {
      expect(config).toContain(` bgp router-id 10.0.0.${i + 1}\n`);
      expect(config).toMatch(/ {2}network 198\.51\.100\.10\/32 route-map CLASS-\d+\n/);
      expect(config).toContain(' neighbor 10.0.0.254 password <hidden>\n');
    }
    expect(JSON.stringify(rendered)).not.toContain('secret');
  });

  it('node selectors decide; a node that was not asked for is left out', () => {
    const text = NODES + peer('p', 'peerAddress: 10.0.0.254, nodeSelectors: [{matchLabels: {a: b}}]');
    const [only, ...others] = renderNodes([], manifests(text), args('--node', 'node2'));
    expect(others).toEqual([]);
    expect(only).toMatchObject({ node: 'node2', problems: [] });
    expect(only?.config).not.toContain('router bgp');
  });

  it('without Nodes among the files: the one that is named, or an error', () => {
    const files = manifests(peer('p', 'peerAddress: 10.0.0.254'));
    expect(renderNodes([], files, args('--node', 'n'))[0]?.config).toContain('hostname n\n');
    expect(() => renderNodes([], files, args())).toThrow(/name one with --node/);
    expect(() => renderNodes([], cluster, args('--node', 'node9'))).toThrow('there is no Node node9');
  });

  it('#97 the log level of FRR: that of --log-level, unless FRR_LOGGING_LEVEL says another, as for the speakers', () => {
    const first = (env: Record<string, string>, ...argv: string[]) => {
      const given = readArguments(['--node', 'n', ...argv], env);
      return renderNodes([], manifests(peer('p', 'peerAddress: 10.0.0.254')), given)[0]?.config.split(
        '\n',
      )[0];
    };
    const env = { FRR_LOGGING_LEVEL: 'warnings' };
    expect(first({}, '--log-level', 'error')).toBe('log stdout errors');
    expect(first(env, '--log-level', 'error')).toBe('log stdout warnings');
    expect(first(env, '--frr-logging-level', 'error')).toBe('log stdout errors');
    expect(first(env, '--frr-logging-level', '')).toBe('log stdout informational');
    expect(() => first({ FRR_LOGGING_LEVEL: 'loud' })).toThrow(
      /FRR_LOGGING_LEVEL: "loud" is not one of emerg/,
    );
  });

  it('says what is left out, and which Services are not announced', () => {
    const text = NODES + POOL + adv() + SERVICE + peer('p', 'peerAddress: no-address');
    const [first] = renderNodes([], manifests(text), args());
    expect(first?.problems.join()).toContain('PEER-10 BGPPeer metallb-system/p');
    expect(first?.withheld).toMatchObject([{ service: 'default/web', reason: 'noIPAllocated' }]);
  });

  it('says which addresses of a Service are not announced while others are', () => {
    const dual = ASSIGNED.replace('[{ip: 198.51.100.10}]', '[{ip: 198.51.100.10}, {ip: "2001:db8::10"}]');
    const files = NODES + POOL.replace('[198.51.100.0/24]', '[198.51.100.0/24, "2001:db8::/120"]') + adv();
    const text = files + dual.replace('endpoints:', 'addressType: IPv4\nendpoints:');
    const [first] = renderNodes([], manifests(text + peer('p', 'peerAddress: 10.0.0.254')), args());
    expect(first?.config).toContain('network 198.51.100.10/32');
    expect(first?.withheld.map(({ message }) => message)).toEqual([
      '2001:db8::10: no IPv6 endpoint of the Service can serve',
    ]);
  });

  it('bgpextras is appended, its passwords hidden to the end of the line', () => {
    const extras = `---
apiVersion: v1
kind: ConfigMap
metadata: {name: bgpextras, namespace: metallb-system}
data: {extras: "neighbor 10.0.0.9 password two words\\nkey chain k\\n"}
`;
    const [first] = renderNodes([], manifests(NODES + extras), args());
    expect(first?.config).toContain('neighbor 10.0.0.9 password <hidden>\nkey chain k\n');
    expect(first?.config).not.toContain('words');
  });

  it('exit code 1 and a line on standard error for a problem; a password in a file is not shown', async () => {
    const path = join(temporaryFolder('render'), 'a.yaml');
    writeFileSync(path, NODES + peer('p', `peerAddress: 10.0.0.254, password: ${secret}, vrf: "a b"`));
    let [out, err] = ['', ''];
    const host = { env: {}, write: (text: string) => (out += text), warn: (text: string) => (err += text) };
    expect(await renderCommand(['--node', 'node1', path], host)).toBe(1);
    expect(err).toContain('node1: PEER-23 BGPPeer metallb-system/p spec.vrf');
    expect(out).toMatch(/^log stdout/);
    expect(out + err).not.toContain('secret');
  });
});

describe('metallb diff', () => {
  const changed = (text: string) =>
    diffNodes(cluster, manifests(text), args()).map(({ node, diff, problems }) => ({ node, diff, problems }));

  it('the files as they are in the cluster change nothing; what the cluster keeps need not be written', () => {
    expect(changed(POOL + adv() + SERVICE).map(({ diff }) => diff)).toEqual(['', '']);
  });

  it('an attribute: the class changes on each node, and no line of a neighbor', () => {
    const [first, second] = changed(adv('{med: 50}'));
    expect(first?.diff).toMatch(/^--- node1\/frr\.conf\n\+\+\+ node1\/frr\.conf \(with the files\)\n@@ /);
    expect(first?.diff).toContain('\n+ set metric 50\n');
    expect(first?.diff).not.toMatch(/^[+-] +neighbor/m);
    expect(second?.diff).toContain('\n+ set metric 50\n');
  });

  it('only the node that is selected', () => {
    const one = '{nodeSelectors: [{matchLabels: {kubernetes.io/hostname: node1}}]}';
    expect(changed(adv(one)).map(({ node, diff }) => [node, diff !== ''])).toEqual([
      ['node1', false],
      ['node2', true],
    ]);
  });

  it('a new password is seen and not shown', () => {
    const [first] = changed(peer('p', 'peerAddress: 10.0.0.254, password: other'));
    expect(first?.diff).toContain(
      '- neighbor 10.0.0.254 password <hidden>\n+ neighbor 10.0.0.254 password <hidden, new>\n',
    );
    expect(first?.diff).not.toMatch(/other|secret/);
  });

  it('an edit that is faulty changes nothing, as in a running speaker, and is told as a problem', () => {
    const [first] = changed(peer('p', 'peerAddress: nonsense'));
    expect(first?.diff).toBe('');
    expect(first?.problems.join()).toContain('PEER-10');
  });

  it('a new object gives way to one that is there', () => {
    const [first] = changed(peer('a-twin', 'peerAddress: 10.0.0.254, holdTime: 9s'));
    expect(first?.diff).toBe('');
    expect(first?.problems.join()).toContain('FRR-2 BGPPeer metallb-system/a-twin');
  });

  it('exit code 2 for what cannot be read or reached', async () => {
    const path = join(temporaryFolder('diff'), 'a.yaml');
    const host = { env: { KUBECONFIG: '/no/such/file' }, write: () => undefined, warn: () => undefined };
    writeFileSync(path, 'a: [');
    expect(await diffCommand([path], host)).toBe(2);
    expect(await diffCommand(['/no/such/folder'], host)).toBe(2);
    await expect(diffCommand([], host)).rejects.toThrow('nothing to compare');
  });
});

describe('unified diff', () => {
  const names = { from: 'a', to: 'b' };
  const lines = fc.array(fc.constantFrom('a', 'b', 'c', ' x', '-y', '+z', ''), { maxLength: 40 });

  it('applied to the first text it gives the second', () => {
    fc.assert(
      fc.property(lines, lines, (a, b) => {
        const text = (all: readonly string[]) => all.map((line) => `${line}\n`).join('');
        const diff = unified(text(a), text(b), names);
        if (text(a) === text(b)) expect(diff).toBe('');
        else expect(patch(a, diff)).toEqual(b);
      }),
      { numRuns: 1_000 },
    );
  });

  it('two distant changes are two hunks with three lines around', () => {
    const a = Array.from({ length: 20 }, (_, i) => `${i}`);
    const b = a.with(2, 'x').with(15, 'y');
    const text = (all: readonly string[]) => `${all.join('\n')}\n`;
    expect(unified(text(a), text(b), names).match(/^@@.*/gm)).toEqual([
      '@@ -1,6 +1,6 @@',
      '@@ -13,7 +13,7 @@',
    ]);
  });

  it('two long texts without a common line are replaced, quickly', () => {
    const text = (word: string) => Array.from({ length: 5_000 }, (_, i) => `${word}${i}\n`).join('');
    expect(unified(text('a'), text('b'), names)).toContain('@@ -1,5000 +1,5000 @@');
  });
});

describe('for an external frr-k8s', () => {
  const external = (...more: string[]) => args('--frrk8s-namespace=frr-k8s-system', ...more);

  it('the FRRConfiguration of each node; no password is shown', () => {
    const [first] = renderNodes([], cluster, external());
    expect(first?.title).toBe('FRRConfiguration/metallb-node1');
    expect(first?.config).toContain('namespace: frr-k8s-system\n');
    expect(first?.config).toContain('          - 198.51.100.10/32\n');
    expect(first?.config).toContain('password: <hidden>\n');
    expect(first?.config).toContain('kubernetes.io/hostname: node1\n');
    expect(JSON.stringify(first)).not.toContain('secret');
  });

  it('what it cannot carry is a problem, and a Secret elsewhere is none', () => {
    const files = manifests(adv('{med: 50}') + peer('q', 'peerAddress: 10.0.0.7, passwordSecret: {name: x}'));
    const problems = (...more: string[]) => renderNodes(cluster, files, external(...more))[0]?.problems ?? [];
    expect(problems().map((line) => line.split(' ')[1])).toEqual(['PEER-16', 'FRRK8S-1']);
    expect(problems('--frrk8s-secret-passthrough').map((line) => line.split(' ')[1])).toEqual(['FRRK8S-1']);
    expect(() => args('--frrk8s-secret-passthrough')).toThrow(/needs --frrk8s-namespace/);
  });

  it('metallb diff shows what would change in the object', () => {
    const [first] = diffNodes(cluster, manifests(adv('{communities: ["65535:65281"]}')), external());
    expect(first).toMatchObject({ changed: true, problems: [] });
    expect(first?.diff).toContain('+++ node1/FRRConfiguration/metallb-node1 (with the files)\n');
    expect(first?.diff).toContain('+                - community: 65535:65281\n');
  });
});
