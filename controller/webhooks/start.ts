/** Brings the webhooks up: certificates, server, CA bundle, and the looks at both from time to time. */
import type { Server } from 'node:https';
import { ensureCaBundle, ensureConversionCa, type BundleOutcome } from '#controller/webhooks/ca-bundle.ts';
import { ensureCertificates } from '#controller/webhooks/certificates.ts';
import { Memory } from '#controller/webhooks/memory.ts';
import { createWebhookServer } from '#controller/webhooks/server.ts';
import { listen, type RunningServer } from '#runtime/http/server.ts';
import { CertificateSource, reloadCertificate, secureOptions, type TlsSettings } from '#runtime/http/tls.ts';
import type { Transport } from '#runtime/kube/transport.ts';
import type { KubeClient } from '#runtime/kube/types.ts';
import type { Logger } from '#runtime/log/logger.ts';
import { createQueue } from '#runtime/queue/queue.ts';

/** How often certificates and CA bundles are looked at; both are read only unless something is amiss. */
const LOOK_MS = 15_000;
const DRAIN_MS = 5000;

export interface WebhooksOptions {
  readonly transport: Transport;
  readonly client: KubeClient;
  readonly namespace: string;
  readonly port: number;
  /** Secret with the certificates. */
  readonly secret: string;
  /** Service under which the API server calls us. */
  readonly service: string;
  readonly tls: TlsSettings;
  /** Take the certificate from this folder and leave its making, and the CA bundle, to others. */
  readonly ownCertificates: { readonly folder: string } | undefined;
  readonly logger: Logger;
}

export interface Webhooks extends RunningServer {
  /** What is missing, or undefined when requests can be answered. */
  notReady(): string | undefined;
}

/** Listens at once; requests can be answered as soon as there is a certificate. Throws AppError when the port is taken. */
export async function startWebhooks(options: WebhooksOptions): Promise<Webhooks> {
  const { transport, client, namespace, logger, port, service } = options;
  const secure = secureOptions(options.tls);
  const now = (): number => performance.now();
  const watching = new AbortController();
  const memory = new Memory(transport, { namespace, service, logger, now, signal: watching.signal });
  const server = createWebhookServer({ client, namespace, memory, logger, now }, secure);
  const { ready, stop } = await certify(server, options);
  const running = await listen(server, { port, what: 'webhook port' });
  logger.info('webhooks are served', { port: running.port });
  return {
    port: running.port,
    notReady: () => (ready() ? undefined : 'no certificate for the webhooks yet'),
    [Symbol.asyncDispose]: async () => {
      watching.abort();
      await stop();
      await running[Symbol.asyncDispose]();
    },
  };
}

interface Certifying {
  readonly ready: () => boolean;
  readonly stop: () => Promise<void>;
}

async function certify(server: Server, options: WebhooksOptions): Promise<Certifying> {
  const { ownCertificates, logger, service, namespace } = options;
  if (ownCertificates === undefined) return rotate(server, options);
  const secure = secureOptions(options.tls);
  const hosts = [`${service}.${namespace}.svc`];
  const source = new CertificateSource({ directory: ownCertificates.folder, hosts, logger });
  const pair = await source.changed();
  if (pair !== undefined) server.setSecureContext({ ...secure, ...pair });
  const stop = reloadCertificate(server, source, { secure });
  return { ready: () => pair !== undefined, stop: () => Promise.resolve(stop()) };
}

/** One key of a queue looks after certificates and bundle: at the start, every 15 s, and again after a failure. */
function rotate(server: Server, options: WebhooksOptions): Certifying {
  const { client, namespace, secret, service, logger } = options;
  const secure = secureOptions(options.tls);
  const host = `${service}.${namespace}.svc`;
  let serving = '';
  let bundle: BundleOutcome | undefined;
  const queue = createQueue({
    name: 'webhook-certificates',
    logger,
    handler: async () => {
      const { ca, server: pair } = await ensureCertificates({ client, namespace, secret, host }, new Date());
      if (pair.cert !== serving) {
        server.setSecureContext({ ...secure, ...pair });
        serving = pair.cert;
        logger.info('webhook certificate in use', { host, secret });
      }
      const outcome = await ensureCaBundle(client, ca.cert);
      if (outcome !== 'unchanged' && outcome !== bundle)
        logger.info('CA of the webhooks in the ValidatingWebhookConfiguration', { outcome });
      bundle = outcome;
      if ((await ensureConversionCa(client, { name: service, namespace }, ca.cert)) === 'written')
        logger.info('CA of the webhooks in the conversion of the BGPPeer CRD');
      return { kind: 'after', ms: LOOK_MS };
    },
  });
  queue.add('certificates');
  return { ready: () => serving !== '', stop: () => queue.drain(DRAIN_MS) };
}
