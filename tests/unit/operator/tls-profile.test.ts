/** The TLS profile of an OpenShift cluster (operator-packaging.md §4.3). */
import { describe, expect, it } from 'vitest';
import { tlsSettings } from '#operator/tls.ts';
import { tlsOfProfile } from '#operator/tls-profile.ts';
import { secureOptions } from '#runtime/http/tls.ts';

const of = (tlsSecurityProfile?: object | null) =>
  tlsOfProfile({ metadata: { name: 'cluster' }, spec: { tlsSecurityProfile } });
const custom = (minTLSVersion: string, ciphers: readonly string[]) =>
  of({ type: 'Custom', custom: { minTLSVersion, ciphers } });

describe('tlsOfProfile', () => {
  it('65: Intermediate is TLS 1.2 with names of IANA and no curves, and what counts where nothing is chosen', () => {
    const tls = of({ type: 'Intermediate', intermediate: {} });
    expect(tls).toMatchObject({ minVersion: 'VersionTLS12', curvePreferences: '' });
    expect(tls.cipherSuites.split(',')).toEqual([
      'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
      'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
      'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
      'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
      'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
      'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
    ]);
    for (const nothing of [undefined, null, {}]) expect(of(nothing)).toEqual(tls);
    expect(tlsOfProfile({ metadata: { name: 'cluster' } })).toEqual(tls);
  });

  it('65: Modern is TLS 1.3; a custom profile has its names in its order; without names the list is empty', () => {
    expect(of({ type: 'Modern', modern: {} })).toMatchObject({
      minVersion: 'VersionTLS13',
      cipherSuites: '',
    });
    const two = ['ECDHE-RSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-AES128-GCM-SHA256'];
    expect(custom('VersionTLS12', two).cipherSuites).toBe(
      'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
    );
    expect(custom('VersionTLS12', [])).toMatchObject({ minVersion: 'VersionTLS12', cipherSuites: '' });
  });

  it('never offers what was not chosen: with no suite of TLS 1.2 that we know, TLS 1.3 is the lowest', () => {
    for (const ciphers of [['TLS_AES_128_GCM_SHA256'], ['DHE-RSA-AES128-GCM-SHA256']])
      expect(custom('VersionTLS12', ciphers)).toMatchObject({ minVersion: 'VersionTLS13', cipherSuites: '' });
    const some = custom('VersionTLS12', ['DHE-RSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256']);
    expect(some.cipherSuites).toBe('TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256');
  });

  it('does not go below TLS 1.2', () => {
    expect(of({ type: 'Old', old: {} }).minVersion).toBe('VersionTLS12');
    expect(custom('VersionTLS10', ['AES128-SHA']).minVersion).toBe('VersionTLS12');
  });

  it.each(['Old', 'Intermediate', 'Modern'])(
    '%s: a server starts with it, and with all of its suites',
    (type) => {
      const tls = of({ type });
      const { ciphers = '' } = secureOptions(tlsSettings(tls));
      expect(ciphers.split(':').filter(Boolean)).toHaveLength(
        tls.cipherSuites.split(',').filter(Boolean).length,
      );
    },
  );
});
