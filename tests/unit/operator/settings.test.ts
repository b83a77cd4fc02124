/** Environment of the operator (operator-packaging.md §10.4 by number). */
import { describe, expect, it } from 'vitest';
import { SettingsError } from '#core/errors.ts';
import { operatorOptions, renderOptions, type Facts } from '#operator/settings.ts';
import { parseSettings } from '#runtime/settings/settings.ts';

const images = { CONTROLLER_IMAGE: 'c:1', SPEAKER_IMAGE: 's:1', FRR_IMAGE: 'f:1' };
const nothing = { image: '', pullPolicy: '', pullSecrets: [] };
const facts = { namespace: 'metallb-system', version: '0.1.0', openshift: false, own: nothing };

function read(env: Record<string, string>, changes: Partial<Facts> = {}) {
  return renderOptions(parseSettings(operatorOptions, [], env), { ...facts, ...changes });
}

describe('environment', () => {
  it('54: ports by default', () => {
    expect(read(images).ports).toEqual({ memberlist: 7946, metrics: 9120, health: 17472, frrMetrics: 9121 });
  });

  it('55: every port and the service monitors', () => {
    const options = read({
      ...images,
      MEMBER_LIST_BIND_PORT: '1',
      METRICS_PORT: '2',
      OPERAND_LIVENESS_PORT: '3',
      FRR_METRICS_PORT: '4',
      DEPLOY_SERVICEMONITORS: 'true',
    });
    expect(options.ports).toEqual({ memberlist: 1, metrics: 2, health: 3, frrMetrics: 4 });
    expect(options.monitors).toBe('service');
  });

  it('56: network policies off', () => {
    expect(read(images).networkPolicies).toBe(true);
    expect(read({ ...images, DISABLE_NETWORK_POLICIES: 'true' }).networkPolicies).toBe(false);
  });

  it.each([
    'quay.io:5000/metallb/speaker',
    'quay.io/metallb/speaker@sha256:0123',
    'quay.io/metallb/speaker:v1@sha256:0123',
  ])('57: image %s is used as written', (image) => {
    expect(read({ ...images, SPEAKER_IMAGE: image }).images.speaker).toBe(image);
  });

  it('58: one image for all, or three; none is an error that names the variables', () => {
    expect(read({ METALLB_IMAGE: 'm:1' }).images).toEqual({ controller: 'm:1', speaker: 'm:1', frr: 'm:1' });
    expect(read({ METALLB_IMAGE: 'm:1', FRR_IMAGE: 'f:1' }).images.frr).toBe('f:1');
    expect(() => read({ CONTROLLER_IMAGE: 'c:1' })).toThrow(/SPEAKER_IMAGE[^]*FRR_IMAGE/);
  });

  it('without any, everything runs the image of our own pod, pulled in the same way', () => {
    const own = { image: 'own:1', pullPolicy: 'Never', pullSecrets: ['pull'] };
    expect(read({}, { own })).toMatchObject({
      images: { controller: 'own:1', speaker: 'own:1', frr: 'own:1' },
      imagePullPolicy: 'Never',
      imagePullSecrets: ['pull'],
    });
    expect(read({ METALLB_IMAGE: 'm:1' }, { own })).toMatchObject({
      images: { controller: 'm:1', speaker: 'm:1', frr: 'm:1' },
      imagePullPolicy: '',
    });
  });

  it('59: contradictions and bad ports', () => {
    expect(() => read({ ...images, DEPLOY_SERVICEMONITORS: 'true', DEPLOY_PODMONITORS: 'true' })).toThrow(
      SettingsError,
    );
    expect(() => read({ ...images, METRICS_PORT: 'many' })).toThrow(/METRICS_PORT/);
    expect(() => read({ ...images, API_SERVER_PORTS: '443,x' })).toThrow(/API_SERVER_PORTS/);
    expect(() => read({ ...images, TLS_MIN_VERSION: 'VersionTLS99' })).toThrow(/TLS_MIN_VERSION/);
  });

  it('95: the platform comes from the cluster', () => {
    expect(read(images, { openshift: true }).platform).toBe('openshift');
  });
});
