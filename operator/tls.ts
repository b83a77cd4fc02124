/** TLS settings as the operator is given them: for its own metrics, and looked at before any workload gets them. */
import { SettingsError } from '#core/errors.ts';
import type { TlsOptions } from '#operator/render/manifest.ts';
import { secureOptions, type TlsSettings } from '#runtime/http/tls.ts';

/** TLS 1.3 has its own cipher suites: any others are left out there, as OpenShift's Modern profile needs it. */
export function tlsSettings({ minVersion, cipherSuites, curvePreferences }: TlsOptions): TlsSettings {
  return {
    minVersion,
    cipherSuites: minVersion === 'VersionTLS12' ? items(cipherSuites) : [],
    curves: items(curvePreferences),
  };
}

/**
 * What no server of ours would start with, by the name of the variable: said once by the operator, rather than by
 * pods that end again and again. Names of suites count also where they are left out.
 */
export function tlsProblems(options: TlsOptions): readonly string[] {
  try {
    secureOptions(tlsSettings({ ...options, minVersion: 'VersionTLS12' }));
    return [];
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.problems.map((problem) =>
      problem
        .replace('--tls-cipher-suites', 'TLS_CIPHER_SUITES')
        .replace('--tls-curve-preferences', 'TLS_CURVE_PREFERENCES'),
    );
  }
}

function items(text: string): string[] {
  return text === '' ? [] : text.split(',');
}
