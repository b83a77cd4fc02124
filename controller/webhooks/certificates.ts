/**
 * The webhook's certificates: a CA and a server certificate of ours, kept in a Secret so that all replicas share
 * them, renewed long before they expire (api.md §9.4). Nothing restarts for it.
 */
import { X509Certificate } from 'node:crypto';
import { issueCertificate, type CertificatePair } from '#runtime/http/certificate.ts';
import { kinds } from '#runtime/kube/kinds.ts';
import type { KubeClient, KubeObject } from '#runtime/kube/types.ts';
import { unless } from '#runtime/kube/unless.ts';

const DAY_MS = 86_400_000;
const CA_DAYS = 3650;
const SERVER_DAYS = 365;
/** Renewed when less than this is left. */
const RENEW_DAYS = 90;
const SUBJECT = { commonName: 'cert', organization: 'metallb' };

export interface WebhookCertificates {
  readonly ca: CertificatePair;
  readonly server: CertificatePair;
}

export interface CertificateStore {
  readonly client: Pick<KubeClient, 'get' | 'create' | 'replace'>;
  readonly namespace: string;
  /** Name of the Secret, shipped empty or absent. */
  readonly secret: string;
  /** DNS name under which the API server calls us. */
  readonly host: string;
}

/** The certificates to serve with at the time `now`; written to the Secret when they are new. Throws KubeError (Conflict: try again). */
export async function ensureCertificates(
  { client, namespace, secret: name, host }: CertificateStore,
  now: Date,
): Promise<WebhookCertificates> {
  const ref = { type: kinds.Secret, namespace, name };
  const stored = await unless(404, client.get(ref));
  const known = stored === undefined ? undefined : readPairs(stored);
  const wanted = renewed(known, host, now);
  if (known !== undefined && wanted.server.cert === known.server.cert && wanted.ca.cert === known.ca.cert)
    return wanted;
  const data = dataOf(wanted);
  if (stored === undefined)
    await client.create(kinds.Secret, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace },
      data,
    });
  else await client.replace(ref, { ...stored, apiVersion: 'v1', kind: 'Secret', data });
  return wanted;
}

/** Keeps what is still good, and issues the rest. */
export function renewed(
  known: WebhookCertificates | undefined,
  host: string,
  now: Date,
): WebhookCertificates {
  const ca = known !== undefined && isGood(known.ca.cert, now) ? known.ca : issueCa(now);
  const keep =
    known !== undefined &&
    known.ca === ca &&
    isGood(known.server.cert, now) &&
    new X509Certificate(known.server.cert).checkHost(host) !== undefined &&
    new X509Certificate(known.server.cert).checkIssued(new X509Certificate(ca.cert));
  return { ca, server: keep ? known.server : issueServer(ca, host, now) };
}

function isGood(cert: string, now: Date): boolean {
  const { validFromDate, validToDate } = new X509Certificate(cert);
  return validFromDate <= now && validToDate.getTime() - now.getTime() > RENEW_DAYS * DAY_MS;
}

const span = (now: Date, days: number) => ({
  notBefore: new Date(now.getTime() - 3_600_000),
  notAfter: new Date(now.getTime() + days * DAY_MS),
});

function issueCa(now: Date): CertificatePair {
  return issueCertificate({ ...SUBJECT, hosts: [], ca: true, ...span(now, CA_DAYS) });
}

function issueServer(ca: CertificatePair, host: string, now: Date): CertificatePair {
  return issueCertificate({
    commonName: host,
    hosts: [host],
    issuer: { ...ca, name: SUBJECT },
    ...span(now, SERVER_DAYS),
  });
}

/** The pairs of the Secret; undefined when one is missing or cannot be read. */
function readPairs(secret: KubeObject): WebhookCertificates | undefined {
  const data = (secret['data'] ?? {}) as Readonly<Record<string, unknown>>;
  const [caCert, caKey, cert, key] = ['ca.crt', 'ca.key', 'tls.crt', 'tls.key'].map((field) => {
    const value = data[field];
    return typeof value === 'string' ? Buffer.from(value, 'base64').toString('utf8') : '';
  });
  if (!caCert || !caKey || !cert || !key || !isCertificate(caCert) || !isCertificate(cert)) return undefined;
  return { ca: { cert: caCert, key: caKey }, server: { cert, key } };
}

function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(text).serialNumber !== '';
  } catch {
    return false;
  }
}

function dataOf({ ca, server }: WebhookCertificates): Record<string, string> {
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  return {
    'ca.crt': encode(ca.cert),
    'ca.key': encode(ca.key),
    'tls.crt': encode(server.cert),
    'tls.key': encode(server.key),
  };
}
