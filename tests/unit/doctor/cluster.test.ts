/** Every finding about a cluster: a sound one, with one thing broken. */
import { describe, expect, it } from 'vitest';
import { examine, type Result } from '#core/doctor/check.ts';
import { clusterChecks } from '#core/doctor/cluster-checks.ts';
import { componentOf, isOurs, nothingKnown, type ClusterFacts } from '#core/doctor/cluster-facts.ts';
import { expectFinding, gathered, type Case } from './cases.ts';
import { clusterCases } from './cluster-cases.ts';
import { soundCluster as sound } from './sound.ts';

const look = (facts: Partial<ClusterFacts>): Result[] =>
  examine(clusterChecks, gathered({ ...sound, ...facts }), nothingKnown);

describe('metallb doctor, cluster', () => {
  it('finds nothing wrong with a sound cluster, nor with an empty one', () => {
    const empty = { ...nothingKnown, version: 'v1.31.0' };
    for (const facts of [sound, empty]) {
      const results = look(facts);
      expect(results.filter(({ outcome }) => outcome !== 'fine')).toEqual([]);
      expect(results.length).toBe(clusterChecks.length);
    }
  });

  it.each(clusterCases)('$check: $what', (wanted: Case<ClusterFacts>) => {
    expectFinding(look(wanted.broken), wanted);
  });

  it('has a case for every check', () => {
    const covered = new Set(clusterCases.map(({ check }) => check));
    expect(clusterChecks.map(({ id }) => id).filter((id) => !covered.has(id))).toEqual([]);
  });

  it('what may not be read makes its checks say so, and leaves the others alone', () => {
    const facts = { ...gathered(sound), nodes: { unread: 'nodes cannot be read: forbidden' } };
    const results = examine(clusterChecks, facts, nothingKnown);
    const unknown = results.filter(({ outcome }) => outcome === 'unknown');
    expect(unknown.map(({ id }) => id)).toEqual([
      'excluded-nodes',
      'pools-and-nodes',
      'pools-and-pods',
      'speakers',
    ]);
    expect(new Set(unknown.map(({ text }) => text))).toEqual(new Set(['nodes cannot be read: forbidden']));
    expect(results.filter(({ outcome }) => outcome === 'found')).toEqual([]);
  });

  it('a speaker that ignores the label of excluded nodes is believed', () => {
    const label = 'node.kubernetes.io/exclude-from-external-load-balancers';
    const workloads = sound.workloads.map((workload) => ({ ...workload, args: ['--ignore-exclude-lb'] }));
    const nodes = sound.nodes.map((node) => ({ ...node, labels: { ...node.labels, [label]: '' } }));
    expect(look({ workloads, nodes }).filter(({ outcome }) => outcome !== 'fine')).toEqual([]);
  });
});

describe('whose a workload is (operator-packaging.md §0, §6, §7)', () => {
  it.each([
    ['controller of the manifests', 'controller', { app: 'metallb', component: 'controller' }, 'controller'],
    [
      'controller of the chart',
      'metallb-controller',
      { 'app.kubernetes.io/name': 'metallb', 'app.kubernetes.io/component': 'controller' },
      'controller',
    ],
    ['speaker', 'speaker', { app: 'metallb', component: 'speaker' }, 'speaker'],
    ['frr-k8s', 'frr-k8s-daemon', { app: 'frr-k8s' }, 'frr-k8s'],
    ['status cleaner', 'statuscleaner', { component: 'statuscleaner' }, 'frr-k8s'],
    [
      'webhook server',
      'metallb-operator-webhook-server',
      { app: 'metallb', component: 'webhook-server' },
      'webhook-server',
    ],
    [
      'operator',
      'metallb-operator-controller-manager',
      { 'control-plane': 'controller-manager' },
      'operator',
    ],
    ['somebody else', 'controller', { component: 'controller' }, undefined],
  ])('%s', (_, name, labels, component) => {
    expect(componentOf({ name, labels })).toBe(component);
    expect(isOurs({ labels })).toBe(false);
  });
});
