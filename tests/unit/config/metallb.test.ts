/** Rules MLB-1 … MLB-10 (api.md §6.12; behaviours of operator-packaging.md §10.1 by number). */
import { describe, expect, expectTypeOf, it } from 'vitest';
import type * as z from 'zod';
import type { metallbV1beta1 } from '#core/api/metallb.ts';
import { reservedLabels } from '#core/config/metallb-workloads.ts';
import { validateMetalLB, wrongName, wrongNamespace } from '#core/config/metallb-rules.ts';
import type { MetalLBSpec } from '#core/config/metallb.ts';
import { objectLabels, podLabels } from '#operator/render/manifest.ts';
import { options } from '#tests/unit/operator/fixtures.ts';

const context = { namespace: 'metallb-system', name: 'metallb', externalNamespace: '' };

function codes(spec: MetalLBSpec, externalNamespace = ''): string[] {
  return validateMetalLB(spec, { ...context, externalNamespace }).map(({ code }) => code);
}

function weights(part: string, weight: number): object {
  return { [part]: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight, preference: {} }] } };
}

describe('MetalLB spec', () => {
  it('has the fields of the CRD', () => {
    type Schema = NonNullable<z.infer<typeof metallbV1beta1>['spec']>;
    expectTypeOf<Schema>().toExtend<MetalLBSpec>();
    expectTypeOf<Exclude<keyof Schema, 'image'>>().toEqualTypeOf<keyof MetalLBSpec>();
  });

  it('1: an empty spec is fine', () => {
    expect(codes({})).toEqual([]);
  });

  it.each([
    ['2', ['192.168.0.0/24', '10.0.0.0/16']],
    ['4', ['2001:db8::/32', ' 2001:db8:85a3::/48 ']],
  ])('%s: prefixes to block', (_, alwaysBlock) => {
    expect(codes({ frrk8sConfig: { alwaysBlock } })).toEqual([]);
  });

  it('3: a bad prefix is named', () => {
    const [problem] = validateMetalLB({ frrk8sConfig: { alwaysBlock: ['192.168.0.0/24', 'nonsense'] } }, context);
    expect(problem).toMatchObject({ code: 'MLB-9', field: 'spec.frrk8sConfig.alwaysBlock[1]' });
    expect(problem?.message).toContain('nonsense');
  });

  it('5, 6, 7: an external frr-k8s needs a namespace from somewhere', () => {
    const bgpBackend = 'frr-k8s-external';
    expect(codes({ bgpBackend })).toEqual(['MLB-8']);
    expect(codes({ bgpBackend, frrk8sConfig: {} })).toEqual(['MLB-8']);
    expect(codes({ bgpBackend }, 'frr-k8s-system')).toEqual([]);
    expect(codes({ bgpBackend, frrk8sConfig: { namespace: 'mine' } })).toEqual([]);
  });

  it('8, 9, 17: tolerationSeconds needs NoExecute', () => {
    const bad = [{ key: 'a', effect: 'NoSchedule', tolerationSeconds: 1 }];
    expect(codes({ controllerTolerations: bad })).toEqual(['MLB-1']);
    expect(codes({ speakerTolerations: bad })).toEqual(['MLB-2']);
    expect(codes({ speakerTolerations: [{ effect: 'NoSchedule', tolerationSeconds: 0 }] })).toEqual([]);
    expect(codes({ speakerTolerations: [{ effect: 'NoExecute', tolerationSeconds: 60 }] })).toEqual([]);
  });

  it.each([
    ['speakerConfig', 'nodeAffinity', 'MLB-3'],
    ['speakerConfig', 'podAffinity', 'MLB-4'],
    ['speakerConfig', 'podAntiAffinity', 'MLB-4'],
    ['controllerConfig', 'nodeAffinity', 'MLB-5'],
    ['controllerConfig', 'podAffinity', 'MLB-6'],
  ])('10, 11, 12: weights of %s.%s', (config, part, code) => {
    const spec = (weight: number) => ({ [config]: { affinity: weights(part, weight) } });
    expect(codes(spec(0))).toEqual([code]);
    expect(codes(spec(101))).toEqual([code]);
    expect(codes(spec(1))).toEqual([]);
    expect(codes(spec(100))).toEqual([]);
  });

  it('13: the four backends and no other', () => {
    for (const bgpBackend of ['', 'native', 'frr', 'frr-k8s', 'frr-k8s-external']) {
      expect(codes({ bgpBackend }, 'x')).toEqual([]);
    }
    expect(codes({ bgpBackend: 'bird' })).toEqual(['MLB-7']);
  });

  it('MLB-13: the labels that are ours are those of everything we make', () => {
    const ours = Object.keys({ ...objectLabels(options, 'speaker'), ...podLabels('speaker') });
    const version = 'app.kubernetes.io/version';
    expect(ours.filter((label) => label !== version && !reservedLabels.includes(label))).toEqual([]);
    expect(codes({ speakerConfig: { labels: { app: 'x', mine: 'y' } } })).toEqual(['MLB-13']);
    expect(codes({ controllerConfig: { labels: { 'control-plane': 'x' } } })).toEqual(['MLB-13']);
  });

  it.each(['1', 7, '1%', '10%', '100%'])('MLB-15: at most %s unavailable', (maxUnavailable) => {
    expect(codes({ speakerConfig: { updateStrategy: { rollingUpdate: { maxUnavailable } } } })).toEqual([]);
  });

  it.each([0, '0', '0%', '101%', '1.5', -1, ''])('MLB-15: not %j unavailable', (maxUnavailable) => {
    const updateStrategy = { rollingUpdate: { maxUnavailable } };
    expect(codes({ speakerConfig: { updateStrategy } })).toEqual(['MLB-15']);
  });

  it('C09 E1: only the namespace of the operator, which the problem names', () => {
    expect(wrongNamespace(context, 'metallb-system')).toBeUndefined();
    expect(wrongNamespace({ ...context, namespace: 'openshift-operators' }, 'metallb-system')).toMatchObject({
      code: 'MLB-16',
      field: 'metadata.namespace',
      message: expect.stringContaining('namespace metallb-system') as string,
    });
  });

  it('18, 19: only the name metallb', () => {
    expect(wrongName(context)).toBeUndefined();
    expect(wrongName({ ...context, name: 'incorrectname' })).toMatchObject({
      code: 'MLB-10',
      message: 'Incorrect MetalLB resource name: incorrectname',
    });
  });
});
