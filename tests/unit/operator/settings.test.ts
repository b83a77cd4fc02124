/** Environment of the operator (operator-packaging.md §10.4 by number). */
import { describe, expect, it } from 'vitest';
import { SettingsError } from '#core/errors.ts';
import { operatorOptions, renderOptions, type Facts } from '#operator/settings.ts';
import { tlsSettings } from '#operator/tls.ts';
import { secureOptions } from '#runtime/http/tls.ts';
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

  it.each([
    ['61', '', ''],
    ['61', '29', '29'],
    ['61', '29,23,24', '29,23,24'],
    ['61', ' 23, 24 ,25,29,4588', '23,24,25,29,4588'],
  ])('%s: curves "%s" are "%s"', (_, given, curvePreferences) => {
    expect(read({ ...images, TLS_CURVE_PREFERENCES: given }).tls.curvePreferences).toBe(curvePreferences);
  });

  it.each([
    ['62', 'X25519'],
    ['62', '-1'],
    ['62', '99999'],
    ['62', '0'],
    ['62', '29,29'],
  ])('%s: curves "%s" are refused by the name of the variable', (_, given) => {
    expect(() => read({ ...images, TLS_CURVE_PREFERENCES: given })).toThrow(/^TLS_CURVE_PREFERENCES: /m);
  });

  it('63: empty is TLS 1.3; 1.2 and 1.3 by their names, nothing else', () => {
    expect(secureOptions(tlsSettings(read(images).tls)).minVersion).toBe('TLSv1.3');
    for (const [name, version] of [
      ['VersionTLS12', 'TLSv1.2'],
      ['VersionTLS13', 'TLSv1.3'],
    ] as const) {
      const { tls } = read({ ...images, TLS_MIN_VERSION: name });
      expect(secureOptions(tlsSettings(tls)).minVersion).toBe(version);
    }
    expect(() => read({ ...images, TLS_MIN_VERSION: 'VersionTLS99' })).toThrow(/TLS_MIN_VERSION/);
  });

  it('64: suites with TLS 1.3 are accepted and reach nobody; an unknown one is refused', () => {
    const suites = 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256';
    const { tls } = read({ ...images, TLS_CIPHER_SUITES: suites, TLS_MIN_VERSION: 'VersionTLS13' });
    expect(tlsSettings(tls).cipherSuites).toEqual([]);
    expect(() => secureOptions(tlsSettings(tls))).not.toThrow();
    expect(tlsSettings({ ...tls, minVersion: 'VersionTLS12' }).cipherSuites).toHaveLength(2);
    expect(() => read({ ...images, TLS_CIPHER_SUITES: 'TLS_NONE' })).toThrow(/^TLS_CIPHER_SUITES: TLS_NONE/m);
  });

  it('95: the platform comes from the cluster', () => {
    expect(read(images, { openshift: true }).platform).toBe('openshift');
  });
});
