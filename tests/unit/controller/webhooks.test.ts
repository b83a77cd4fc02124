import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { webhookRoutes } from '#core/api/webhooks.ts';
import { ensureCertificates, renewed } from '#controller/webhooks/certificates.ts';
import { answerReview, readReview } from '#controller/webhooks/review.ts';
import { decide } from '#controller/webhooks/server.ts';
import { KubeError, type KubeObject, type ObjectRef } from '#runtime/kube/types.ts';
import { silent } from '#runtime/log/logger.ts';
import { NAMESPACE, pool } from '#tests/support/config-factories.ts';

const HOST = 'metallb-webhook-service.metallb-system.svc';
const START = new Date('2026-01-01T00:00:00Z');
const later = (days: number): Date => new Date(START.getTime() + days * 86_400_000);

describe('certificates of the webhook (api.md 9.4)', () => {
  const first = renewed(undefined, HOST, START);

  it('are a CA and a server certificate that it signed, for the name of the Service', () => {
    const [ca, server] = [new X509Certificate(first.ca.cert), new X509Certificate(first.server.cert)];
    expect(server.verify(ca.publicKey)).toBe(true);
    expect(server.checkIssued(ca)).toBe(true);
    expect(server.checkHost(HOST)).toBe(HOST);
    expect(ca.ca).toBe(true);
    expect(ca.subject).toBe('O=metallb\nCN=cert');
  });

  it('stay while 90 days are left, then the server certificate is issued anew by the same CA', () => {
    expect(renewed(first, HOST, later(274))).toEqual(first);
    const next = renewed(first, HOST, later(276));
    expect(next.ca).toEqual(first.ca);
    expect(next.server.cert).not.toBe(first.server.cert);
    expect(new X509Certificate(next.server.cert).validToDate).toEqual(later(276 + 365));
  });

  it('are issued anew for another name, and all of them when the CA nears its end', () => {
    expect(renewed(first, 'other.svc', START).server).not.toEqual(first.server);
    const next = renewed(first, HOST, later(3600));
    expect(next.ca).not.toEqual(first.ca);
    expect(new X509Certificate(next.server.cert).checkIssued(new X509Certificate(next.ca.cert))).toBe(true);
  });

  class Secrets {
    secret: KubeObject | undefined;
    writes = 0;
    get(ref: ObjectRef): Promise<KubeObject> {
      const missing = new KubeError(`no ${ref.name}`, { status: 404, reason: 'NotFound' });
      return this.secret === undefined ? Promise.reject(missing) : Promise.resolve(this.secret);
    }
    create(_type: unknown, object: KubeObject): Promise<KubeObject> {
      return this.replace(undefined, object);
    }
    replace(_ref: unknown, object: KubeObject): Promise<KubeObject> {
      this.writes += 1;
      this.secret = object;
      return Promise.resolve(object);
    }
  }
  const store = (client: Secrets) => ({
    client,
    namespace: NAMESPACE,
    secret: 'metallb-webhook-cert',
    host: HOST,
  });

  it.each<[string, KubeObject | undefined]>([
    ['absent', undefined],
    ['shipped empty', { metadata: { name: 'metallb-webhook-cert' } }],
    [
      'full of nonsense',
      {
        metadata: { name: 'x' },
        data: { 'ca.crt': 'eA==', 'ca.key': 'eA==', 'tls.crt': 'eA==', 'tls.key': 'eA==' },
      },
    ],
  ])('fill a Secret that is %s, once', async (_how, secret) => {
    const client = new Secrets();
    client.secret = secret;
    const made = await ensureCertificates(store(client), START);
    expect(await ensureCertificates(store(client), START)).toEqual(made);
    expect(client.writes).toBe(1);
  });
});

describe('AdmissionReview', () => {
  const entry = pool('a', ['10.0.0.0/24']);
  const body = {
    request: {
      uid: 'u',
      kind: { kind: 'IPAddressPool' },
      operation: 'CREATE',
      namespace: NAMESPACE,
      name: 'a',
      object: entry,
    },
  };
  const path = '/validate-metallb-io-v1beta1-ipaddresspool';

  it('is read for the kind of its path', () => {
    expect(readReview(path, body)).toMatchObject({ uid: 'u', request: { kind: 'IPAddressPool', name: 'a' } });
    expect(readReview('/validate-metallb-io-v1beta1-community', body)).toBeUndefined();
    expect(readReview('/elsewhere', body)).toBeUndefined();
    for (const odd of [
      null,
      'text',
      {},
      { request: 1 },
      { request: { ...body.request, operation: 'CONNECT' } },
    ])
      expect(readReview(path, odd)).toBeUndefined();
  });

  it('answers with 403 and the reason', () => {
    expect(answerReview('u', { allowed: false, message: 'no', warnings: [] })).toEqual({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: { uid: 'u', allowed: false, status: { code: 403, reason: 'Forbidden', message: 'no' } },
    });
    expect(answerReview('u', { allowed: true, message: '', warnings: ['w'] })).toMatchObject({
      response: { uid: 'u', allowed: true, warnings: ['w'] },
    });
  });

  it('paths and names are those of api.md 9.1', () => {
    expect(webhookRoutes.map(({ name, path, operations }) => `${name} ${path} ${operations.join()}`)).toEqual(
      [
        'bgppeervalidationwebhook.metallb.io /validate-metallb-io-v1beta2-bgppeer CREATE,UPDATE',
        'bfdprofilevalidationwebhook.metallb.io /validate-metallb-io-v1beta1-bfdprofile CREATE,DELETE',
        'bgpadvertisementvalidationwebhook.metallb.io /validate-metallb-io-v1beta1-bgpadvertisement CREATE,UPDATE',
        'communityvalidationwebhook.metallb.io /validate-metallb-io-v1beta1-community CREATE,UPDATE',
        'ipaddresspoolvalidationwebhook.metallb.io /validate-metallb-io-v1beta1-ipaddresspool CREATE,UPDATE',
        'l2advertisementvalidationwebhook.metallb.io /validate-metallb-io-v1beta1-l2advertisement CREATE,UPDATE',
      ],
    );
  });

  it('when the cluster cannot be read the object is let through, with a warning', async () => {
    const client = {
      list: () => Promise.reject(new KubeError('gone', { status: 503, reason: 'Unavailable' })),
    };
    const review = readReview(path, body);
    if (review === undefined) throw new Error('unreadable');
    const answer = await decide({ client, namespace: NAMESPACE, logger: silent, now: () => 0 }, review);
    expect(answer).toEqual({ allowed: true, message: '', warnings: ['not checked by MetalLB: gone'] });
  });
});
