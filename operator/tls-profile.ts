/**
 * The TLS profile of an OpenShift cluster (operator-packaging.md §4.3): field `tlsSecurityProfile` of the object
 * APIServer `cluster`. It replaces the operator's own TLS settings, as in the original.
 */
import { apiServerConfig, apiServerName } from '#operator/render/kinds.ts';
import type { TlsOptions } from '#operator/render/manifest.ts';
import { cipherSuiteOf } from '#runtime/http/tls.ts';
import { optionalStore } from '#runtime/kube/optional-store.ts';
import type { Transport } from '#runtime/kube/transport.ts';
import type { KubeObject } from '#runtime/kube/types.ts';
import type { WatchContext } from '#runtime/kube/watch-store.ts';

interface Profile {
  readonly minTLSVersion?: string;
  /** As OpenSSL names them; those of TLS 1.3 may be among them. */
  readonly ciphers?: readonly string[];
}

const gcm = ['ECDSA', 'RSA'].flatMap((key) =>
  ['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305'].map((suite) => `ECDHE-${key}-${suite}`),
);
const cbc = ['AES128-SHA256', 'AES128-SHA', 'AES256-SHA'];

/** What OpenShift means by its names, without suites that our servers never offer. */
const profiles: Readonly<Record<string, Profile>> = {
  Old: {
    minTLSVersion: 'VersionTLS12',
    ciphers: [
      ...gcm,
      ...cbc.flatMap((suite) => [`ECDHE-ECDSA-${suite}`, `ECDHE-RSA-${suite}`]),
      'AES128-GCM-SHA256',
      'AES256-GCM-SHA384',
      ...cbc,
    ],
  },
  Intermediate: { minTLSVersion: 'VersionTLS12', ciphers: gcm },
  Modern: { minTLSVersion: 'VersionTLS13', ciphers: [] },
};

/** The settings that an APIServer object asks for. Nothing chosen is Intermediate; below TLS 1.2 we do not go. */
export function tlsOfProfile(apiServer: KubeObject): TlsOptions {
  const { tlsSecurityProfile } = (apiServer['spec'] ?? {}) as {
    readonly tlsSecurityProfile?: { readonly type?: string; readonly custom?: Profile | null } | null;
  };
  const { type = 'Intermediate', custom } = tlsSecurityProfile ?? {};
  const { minTLSVersion, ciphers = [] } =
    (type === 'Custom' ? custom : profiles[type]) ?? profiles['Intermediate'] ?? {};
  const suites = ciphers.flatMap((name) => cipherSuiteOf(name) ?? []);
  // Suites were chosen, and none is left that TLS 1.2 has: only 1.3 offers nothing that was not.
  const isModern = minTLSVersion === 'VersionTLS13' || (ciphers.length > 0 && suites.length === 0);
  return {
    minVersion: isModern ? 'VersionTLS13' : 'VersionTLS12',
    cipherSuites: isModern ? '' : suites.join(','),
    curvePreferences: '',
  };
}

/**
 * The profile in force; undefined where there is none to be read. `changed` is called when it is another one later: a
 * program that serves with the old one has to be started again.
 */
export async function watchTlsProfile(
  transport: Transport,
  context: WatchContext,
  changed: () => void,
): Promise<TlsOptions | undefined> {
  const { store, isThere } = optionalStore(
    transport,
    {
      type: apiServerConfig,
      fieldSelector: `metadata.name=${apiServerName}`,
      project: tlsOfProfile,
      feature: 'the TLS profile of the cluster is',
    },
    context,
  );
  await isThere;
  store.onChange(changed);
  return store.get(apiServerName);
}
