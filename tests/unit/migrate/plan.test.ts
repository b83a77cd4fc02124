/** The plan of `metallb migrate` for each road that the original can have come by. */
import { describe, expect, it } from 'vitest';
import type { MigrationFacts, OldPod, OldWorkload } from '#core/migrate/facts.ts';
import { describeStep, planMigration, type Step } from '#core/migrate/plan.ts';
import { specOf } from '#core/migrate/spec.ts';

const pod = (component: string, change: Partial<OldPod> = {}): OldPod => ({
  labels: {},
  annotations: { 'prometheus.io/scrape': 'true' },
  nodeSelector: { 'kubernetes.io/os': 'linux' },
  tolerations: [],
  affinity: {},
  priorityClassName: '',
  runtimeClassName: '',
  imagePullSecrets: [],
  containers: [
    {
      name: component,
      image: `registry.test/metallb/${component}:v0.15.2`,
      args: ['--port=7472'],
      env: {},
      resources: {},
    },
  ],
  ...change,
});

const old = (component: OldWorkload['component'], change: Partial<OldWorkload> = {}): OldWorkload => ({
  kind: component === 'speaker' ? 'DaemonSet' : 'Deployment',
  name: component,
  component,
  labels: { app: 'metallb', component },
  matchLabels: { app: 'metallb', component },
  pod: pod(component),
  ...change,
});

const manifests: MigrationFacts = {
  namespace: 'metallb-system',
  workloads: [old('controller'), old('speaker')],
  elsewhere: [],
  isOursThere: false,
  metallb: undefined,
  problems: [],
  fates: [
    { service: 'default/web', change: 'keeps', before: ['192.0.2.1'], after: ['192.0.2.1'], reason: '' },
  ],
  webhooks: ['metallb-webhook-configuration'],
  helmSecrets: [],
  addressPools: [],
  userFrrConfigurations: [],
  excludedInterfaces: undefined,
  nodes: ['node1', 'node2'],
};

const texts = (facts: MigrationFacts): string[] =>
  planMigration(facts).steps.map((step) => describeStep(step, facts.namespace));
const index = (steps: readonly Step[], matches: (step: Step) => boolean): number => steps.findIndex(matches);

describe('the plan', () => {
  it('for manifests: the controller ends, speakers go on until ours are ready, node by node', () => {
    expect(texts(manifests)).toEqual([
      'delete ValidatingWebhookConfiguration metallb-webhook-configuration',
      'replace the CRDs of the group by ours; what is stored stays, no conversion webhook is needed any more',
      'delete Deployment controller',
      'wait until its pods (app=metallb,component=controller) are gone',
      'delete DaemonSet speaker; its pods go on running',
      'install our operator in namespace metallb-system',
      'apply MetalLB metallb, with speakers that are replaced only where a pod is deleted, and wait for the controller',
      'node node1: end the old speaker, and wait until ours is ready there',
      'node node2: end the old speaker, and wait until ours is ready there',
      'apply MetalLB metallb as it is to stay, and wait until it is Available',
      "delete what was the original's and has not become ours (roles, services, secrets, config maps)",
      'compare the addresses of all Services with those before',
    ]);
    expect(planMigration(manifests)).toMatchObject({
      from: 'manifests',
      image: 'registry.test/metallb/controller:v0.15.2',
    });
  });

  it("for the original's operator: it ends first, since it repairs; its MetalLB object is kept as it is", () => {
    const spec = { bgpBackend: 'frr', speakerConfig: { priorityClassName: 'high' } };
    const workloads = [
      ...manifests.workloads,
      old('operator', {
        name: 'metallb-operator-controller-manager',
        matchLabels: { 'control-plane': 'controller-manager' },
      }),
      old('webhook-server', { name: 'metallb-operator-webhook-server' }),
    ];
    const plan = planMigration({ ...manifests, workloads, metallb: spec });
    expect(plan.from).toBe('operator');
    expect(plan.spec).toEqual(spec);
    expect(plan.notes.join()).toMatch(/NetworkPolicies operator and webhook-service/);
    expect(plan.steps[0]).toEqual({
      do: 'delete',
      kind: 'Deployment',
      name: 'metallb-operator-controller-manager',
      pods: 'end',
    });
    const phases = plan.steps.filter((step) => step.do === 'apply-metallb');
    expect(phases.map(({ spec: applied }) => applied)).toEqual([
      { ...spec, speakerConfig: { priorityClassName: 'high', updateStrategy: { type: 'OnDelete' } } },
      spec,
    ]);
  });

  it('for Helm: pods get the labels that our DaemonSet selects, and Helm forgets the release', () => {
    const labels = {
      'app.kubernetes.io/name': 'metallb',
      'app.kubernetes.io/instance': 'x',
      'app.kubernetes.io/component': 'speaker',
    };
    const workloads = [
      old('controller', { name: 'x-metallb-controller' }),
      old('speaker', { name: 'x-metallb-speaker', labels, matchLabels: labels }),
    ];
    const plan = planMigration({ ...manifests, workloads, helmSecrets: ['sh.helm.release.v1.metallb.v3'] });
    expect(plan.from).toBe('helm');
    expect(plan.steps).toContainEqual({
      do: 'label-pods',
      from: labels,
      labels: { app: 'metallb', component: 'speaker' },
    });
    expect(plan.steps).toContainEqual({
      do: 'delete',
      kind: 'Secret',
      name: 'sh.helm.release.v1.metallb.v3',
    });
    expect(plan.notes.join()).toMatch(/helm uninstall would delete the CRDs/);
    const label = index(plan.steps, (step) => step.do === 'label-pods');
    expect(label).toBeGreaterThan(index(plan.steps, (step) => step.do === 'delete' && step.pods === 'keep'));
    expect(label).toBeLessThan(index(plan.steps, (step) => step.do === 'apply-metallb'));
  });

  it('with frr-k8s: its pods go on, too, and end with the old speaker of their node', () => {
    const matchLabels = { app: 'frr-k8s' };
    const speaker = old('speaker', {
      pod: pod('speaker', {
        containers: [
          { name: 'speaker', image: 'x', args: [], env: { METALLB_BGP_TYPE: 'frr-k8s' }, resources: {} },
        ],
      }),
    });
    const routers = old('frr-k8s', { kind: 'DaemonSet', name: 'frr-k8s-daemon', matchLabels });
    const facts = { ...manifests, workloads: [old('controller'), speaker, routers] };
    const plan = planMigration(facts);
    expect(plan.spec).toMatchObject({ bgpBackend: 'frr-k8s' });
    expect(plan.steps).toContainEqual({
      do: 'delete',
      kind: 'DaemonSet',
      name: 'frr-k8s-daemon',
      pods: 'keep',
    });
    expect(plan.steps).toContainEqual({ do: 'swap-node', node: 'node1', alsoEnd: [matchLabels] });
    expect(planMigration({ ...facts, userFrrConfigurations: ['frr-k8s-system/mine'] }).blockers).toEqual([
      expect.stringMatching(/^FRRConfiguration frr-k8s-system\/mine is not MetalLB's/),
    ]);
  });

  it.each<[string, Partial<MigrationFacts>, RegExp]>([
    ['nothing is there', { workloads: [] }, /No MetalLB runs in namespace metallb-system: say --namespace/],
    ['it is in another namespace', { workloads: [], elsewhere: ['lb'] }, /but in lb: say --namespace/],
    ['ours is there', { isOursThere: true }, /nothing is left to take over/],
    [
      'an address would move',
      {
        fates: [
          {
            service: 'default/web',
            change: 'moves',
            before: ['192.0.2.1'],
            after: ['192.0.2.2'],
            reason: 'its pool has shrunk',
          },
        ],
      },
      /Service default\/web would not keep 192\.0\.2\.1 \(192\.0\.2\.2\): its pool has shrunk/,
    ],
    [
      'an address would be lost',
      {
        fates: [
          { service: 'default/web', change: 'loses', before: ['192.0.2.1'], after: [], reason: 'no pool' },
        ],
      },
      /would not keep 192\.0\.2\.1 \(none\)/,
    ],
    ['the configuration is not valid', { problems: ['POOL-3 IPAddressPool a'] }, /Configuration: POOL-3/],
    [
      'kinds of old releases are in use',
      { addressPools: ['metallb-system/a'] },
      /AddressPool metallb-system\/a/,
    ],
  ])('is not made when %s', (_, change, words) => {
    const plan = planMigration({ ...manifests, ...change });
    expect(plan.blockers).toEqual([expect.stringMatching(words)]);
    expect(plan.steps).toEqual([]);
  });

  it('a Service that only gains is no reason to stay', () => {
    const fates = [{ service: 'default/new', change: 'gains', before: [], after: ['192.0.2.9'], reason: '' }];
    expect(planMigration({ ...manifests, fates }).blockers).toEqual([]);
  });

  it('with one speaker it says that there is a gap', () => {
    expect(planMigration({ ...manifests, nodes: ['node1'] }).notes.join()).toMatch(/one speaker only/);
  });
});

describe('the MetalLB object that asks for the same (operator-packaging.md §2.10)', () => {
  it('takes over level, class, placement, resources and backend, and nothing that every installation has', () => {
    const tolerations = [
      { key: 'node-role.kubernetes.io/master', operator: 'Exists', effect: 'NoSchedule' },
      { key: 'edge', operator: 'Exists' },
    ];
    const container = {
      name: 'speaker',
      image: 'x',
      args: ['--log-level=debug', '--lb-class=metallb.io/x', '--ignore-exclude-lb'],
      env: { METALLB_BGP_TYPE: 'frr' },
      resources: { limits: { cpu: '1' } },
    };
    const speaker = old('speaker', {
      pod: pod('speaker', {
        annotations: { 'checksum/config': 'x', mine: 'yes' },
        nodeSelector: { 'kubernetes.io/os': 'linux', rack: 'a' },
        tolerations,
        priorityClassName: 'high',
        containers: [container],
      }),
    });
    const spec = specOf({ ...manifests, workloads: [old('controller'), speaker], excludedInterfaces: [] });
    expect(spec).toEqual({
      logLevel: 'debug',
      loadBalancerClass: 'metallb.io/x',
      nodeSelector: { rack: 'a' },
      speakerTolerations: [{ key: 'edge', operator: 'Exists' }],
      speakerConfig: {
        priorityClassName: 'high',
        annotations: { mine: 'yes' },
        resources: { limits: { cpu: '1' } },
        ignoreExcludeLB: true,
        excludedInterfaces: [],
      },
      bgpBackend: 'frr',
    });
  });

  it("frr-k8s that somebody else runs stays somebody else's", () => {
    const containers = [
      {
        name: 'speaker',
        image: 'x',
        args: ['--frrk8s-namespace=frr'],
        env: { METALLB_BGP_TYPE: 'frr-k8s' },
        resources: {},
      },
    ];
    const workloads = [old('speaker', { pod: pod('speaker', { containers }) })];
    expect(specOf({ ...manifests, workloads })).toEqual({
      bgpBackend: 'frr-k8s-external',
      frrk8sConfig: { namespace: 'frr' },
    });
  });

  it('without METALLB_BGP_TYPE it was native', () => {
    expect(specOf(manifests)).toEqual({ bgpBackend: 'native' });
  });
});
