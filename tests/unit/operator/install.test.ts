/** The operator's own rights (operator-packaging.md §9.1; weak spot 18). */
import { describe, expect, it } from 'vitest';
import { operatorClusterRules, operatorDeployment, operatorRules } from '#operator/render/install.ts';
import type { Rule, UrlRule } from '#operator/render/rbac.ts';
import { render } from '#operator/render/render.ts';
import { options } from './fixtures.ts';

/** Every single right of some rules, as text. */
function rights(rules: readonly (Rule | UrlRule)[]): Set<string> {
  return new Set(rules.flatMap(rightsOf));
}

function rightsOf(rule: Rule | UrlRule): string[] {
  if ('nonResourceURLs' in rule)
    return rule.nonResourceURLs.flatMap((url) => rule.verbs.map((verb) => `${verb} ${url}`));
  const { apiGroups, resources, resourceNames = ['*'], verbs } = rule;
  return apiGroups.flatMap((group) =>
    resources.flatMap((resource) =>
      resourceNames.flatMap((name) => verbs.map((verb) => `${verb} ${group}/${resource}/${name}`)),
    ),
  );
}

function rulesOf(kind: string, platform: 'kubernetes' | 'openshift' = 'kubernetes'): Rule[] {
  return ['frr', 'frr-k8s-external'].flatMap((bgpBackend) =>
    render({ bgpBackend }, { ...options, platform, externalNamespace: 'x', monitors: 'pod' })
      .filter((manifest) => manifest.kind === kind)
      .flatMap((manifest) => manifest['rules'] as Rule[]),
  );
}

describe('rights', () => {
  it('hold what they grant: the API server refuses to let anybody escalate', () => {
    const cluster = rights(operatorClusterRules('metallb-system'));
    const own = rights(operatorRules());
    expect([...rights(rulesOf('ClusterRole'))].filter((right) => !cluster.has(right))).toEqual([]);
    expect([...rights(rulesOf('Role', 'openshift'))].filter((right) => !own.has(right))).toEqual([]);
  });

  it('never reach Secrets, roles or workloads of the whole cluster, and use no wildcard', () => {
    for (const right of rights(operatorClusterRules('metallb-system'))) {
      expect(right).not.toMatch(/ \/secrets\/| apps\/| \*|^\*/);
      if (/^(create|patch|delete) rbac/.test(right))
        expect(right).toMatch(/metallb-system:(controller|metrics-reader|speaker)$/);
    }
  });

  it('are those of controller.md §6 and api.md 10.10 for the programs, PUT included', () => {
    const controller = rights(rulesOf('ClusterRole'));
    expect(controller).toContain('update /services/status/*');
    expect(controller).not.toContain('patch /services/*');
    expect(rights(rulesOf('Role'))).toContain('update metallb.io/ipaddresspools/status/*');
  });
});

describe('Deployment of the operator', () => {
  it('96: name and label that tools look for; its pod, from which it takes the image', () => {
    const deployment = operatorDeployment({
      ...options,
      images: { controller: 'example.test/one:1', speaker: '', frr: '' },
    });
    expect(deployment).toMatchObject({
      metadata: { name: 'metallb-operator-controller-manager' },
      spec: {
        template: {
          metadata: { labels: { 'control-plane': 'controller-manager' } },
          spec: {
            containers: [
              {
                image: 'example.test/one:1',
                env: [{ name: 'OPERATOR_NAMESPACE' }, { name: 'POD_NAME' }],
                securityContext: {
                  allowPrivilegeEscalation: false,
                  capabilities: { drop: ['ALL'] },
                  readOnlyRootFilesystem: true,
                },
              },
            ],
          },
        },
      },
    });
  });
});
