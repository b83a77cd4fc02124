/** The TLS side of a server: options by Kubernetes' names, certificate files that are read again when they change. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Server } from 'node:https';
import type { SecureContextOptions, SecureVersion } from 'node:tls';
import { AppError, SettingsError } from '#core/errors.ts';
import type { Logger } from '#runtime/log/logger.ts';
import { selfSigned, type CertificatePair } from './certificate.ts';

/** As in the flags `tls-min-version`, `tls-cipher-suites`, `tls-curve-preferences`; empty means the default. */
export interface TlsSettings {
  readonly minVersion: string;
  readonly cipherSuites: readonly string[];
  readonly curves: readonly string[];
}

export const tlsDefaults: TlsSettings = { minVersion: '', cipherSuites: [], curves: [] };

const versions: Readonly<Record<string, SecureVersion>> = {
  '': 'TLSv1.3',
  VersionTLS10: 'TLSv1',
  VersionTLS11: 'TLSv1.1',
  VersionTLS12: 'TLSv1.2',
  VersionTLS13: 'TLSv1.3',
};

/** IANA's TLS supported groups, by number, as OpenSSL names them. */
const groups: Readonly<Record<string, string>> = {
  '23': 'P-256',
  '24': 'P-384',
  '25': 'P-521',
  '29': 'X25519',
  '30': 'X448',
  '4588': 'X25519MLKEM768',
};

/** Cipher suites of TLS 1.2 by IANA name, as OpenSSL names them. */
const ciphers: Readonly<Record<string, string>> = {
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256: 'ECDHE-ECDSA-AES128-SHA256',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256: 'ECDHE-RSA-AES128-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: 'ECDHE-ECDSA-AES128-SHA',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: 'ECDHE-RSA-AES128-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: 'ECDHE-ECDSA-AES256-SHA',
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: 'ECDHE-RSA-AES256-SHA',
  TLS_RSA_WITH_AES_128_GCM_SHA256: 'AES128-GCM-SHA256',
  TLS_RSA_WITH_AES_256_GCM_SHA384: 'AES256-GCM-SHA384',
  TLS_RSA_WITH_AES_128_CBC_SHA256: 'AES128-SHA256',
  TLS_RSA_WITH_AES_128_CBC_SHA: 'AES128-SHA',
  TLS_RSA_WITH_AES_256_CBC_SHA: 'AES256-SHA',
};

/** IANA's name of a suite of TLS 1.2 that OpenSSL names so; undefined for one that is none, or unknown here. */
export function cipherSuiteOf(openssl: string): string | undefined {
  return Object.keys(ciphers).find((name) => ciphers[name] === openssl);
}

/** Node's options for the settings. Throws SettingsError with every problem. */
export function secureOptions(settings: TlsSettings): SecureContextOptions {
  const problems: string[] = [];
  const minVersion = versions[settings.minVersion];
  if (minVersion === undefined) {
    problems.push(`--tls-min-version: ${settings.minVersion}: must be VersionTLS12 or VersionTLS13`);
  }
  if (minVersion === 'TLSv1.3' && settings.cipherSuites.length > 0) {
    problems.push(
      '--tls-cipher-suites: cannot be set while the minimum version is TLS 1.3, which has its own',
    );
  }
  const suites = named(settings.cipherSuites, ciphers, '--tls-cipher-suites', problems);
  const curves = named(settings.curves, groups, '--tls-curve-preferences', problems);
  if (problems.length > 0) throw new SettingsError(problems);
  return {
    minVersion: minVersion ?? 'TLSv1.3',
    ...(suites.length === 0 ? {} : { ciphers: suites.join(':') }),
    ...(curves.length === 0 ? {} : { ecdhCurve: curves.join(':') }),
  };
}

function named(
  given: readonly string[],
  known: Readonly<Record<string, string>>,
  flag: string,
  problems: string[],
): string[] {
  if (new Set(given).size !== given.length) problems.push(`${flag}: has duplicates`);
  return given.flatMap((item) => {
    const found = known[item];
    if (found === undefined) problems.push(`${flag}: ${item} is not known`);
    return found === undefined ? [] : [found];
  });
}

const inMemory = 'in memory';

/** Where a server's certificate comes from: `tls.crt` and `tls.key` of a folder, else one made in memory. */
export class CertificateSource {
  readonly #directory: string;
  readonly #logger: Logger;
  readonly #hosts: readonly string[];
  #loaded = '';

  constructor(options: { directory: string; hosts: readonly string[]; logger: Logger }) {
    this.#directory = options.directory;
    this.#logger = options.logger;
    this.#hosts = options.hosts;
  }

  /** The pair to use now, or undefined when it is the one returned last time. Unusable files change nothing. */
  async changed(): Promise<CertificatePair | undefined> {
    const version = await this.#version();
    if (version === this.#loaded) return undefined;
    if (version === inMemory) return this.#fallBack();
    try {
      const pair = await this.#read();
      this.#loaded = version;
      this.#logger.info('serving certificate loaded', { from: this.#directory });
      return pair;
    } catch (error) {
      this.#logger.warn('serving certificate cannot be used, the old one stays', {
        from: this.#directory,
        error,
      });
      return this.#loaded === '' ? this.#fallBack() : undefined;
    }
  }

  #fallBack(): CertificatePair {
    this.#loaded = inMemory;
    this.#logger.info('serving certificate made in memory, signed by itself', { hosts: this.#hosts });
    return selfSigned(this.#hosts[0] ?? 'localhost', this.#hosts);
  }

  /** Changes whenever the files do: mounted Secrets are replaced by renaming a link, which `mtime` of the target shows. */
  async #version(): Promise<string> {
    if (this.#directory === '') return inMemory;
    try {
      const files = await Promise.all(
        ['tls.crt', 'tls.key'].map((file) => stat(join(this.#directory, file))),
      );
      return files.map(({ ino, mtimeMs, size }) => `${ino}:${mtimeMs}:${size}`).join(' ');
    } catch {
      // Not mounted (yet): the certificate in memory serves until it is.
      return this.#loaded === '' ? inMemory : this.#loaded;
    }
  }

  /** Throws when the files are no pair: half written, or one of two replaced. */
  async #read(): Promise<CertificatePair> {
    const [cert, key] = await Promise.all([
      readFile(join(this.#directory, 'tls.crt'), 'utf8'),
      readFile(join(this.#directory, 'tls.key'), 'utf8'),
    ]);
    if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
      throw new AppError('CONFIG', 'tls.key does not belong to tls.crt', { retry: 'backoff' });
    }
    return { cert, key };
  }
}

/** Gives a running server the changed certificate; looks every `everyMs`. Returns the function that stops it. */
export function reloadCertificate(
  server: Server,
  source: CertificateSource,
  options: { secure: SecureContextOptions; everyMs?: number | undefined },
): () => void {
  const look = async () => {
    const pair = await source.changed();
    if (pair !== undefined) server.setSecureContext({ ...options.secure, ...pair });
  };
  const timer = setInterval(() => void look(), options.everyMs ?? 10_000).unref();
  return () => clearInterval(timer);
}
