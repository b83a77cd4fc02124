/**
 * The HTTPS server of the webhooks. What admission cannot check it lets through, with a warning; conversion needs nothing
 * but the object.
 */
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SecureContextOptions } from 'node:tls';
import { admit, admitAtOnce, type AdmissionAnswer, type AdmissionRequest } from '#core/config/admission.ts';
import { answerConversion, CONVERT_PATH } from '#controller/webhooks/conversion.ts';
import { answerReview, readReview, type Review } from '#controller/webhooks/review.ts';
import { readStored, type StoredOptions } from '#controller/webhooks/stored.ts';
import type { Logger } from '#runtime/log/logger.ts';

export interface WebhookOptions extends StoredOptions {
  readonly logger: Logger;
}

const MAX_BODY = 3 * 1024 * 1024;
/** Below the 10 s after which the API server gives up. */
const DEADLINE_MS = 8000;

/** The server, not listening yet. It needs a certificate by `setSecureContext` before anybody can speak to it. */
export function createWebhookServer(options: WebhookOptions, secure: SecureContextOptions): Server {
  return createServer(secure, (request, response) => {
    handle(options, request, response).catch((error: unknown) => {
      options.logger.error('webhook request failed', { path: request.url ?? '', error });
      reply(response, 500, { message: 'internal error' });
    });
  });
}

async function handle(
  options: WebhookOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readBody(request);
  if (body === undefined) return reply(response, 413, { message: `more than ${MAX_BODY} bytes` });
  const path = (request.url ?? '').split('?', 1)[0] ?? '';
  if (path === CONVERT_PATH) {
    const converted = answerConversion(body);
    if (converted === undefined) return reply(response, 400, { message: 'not a ConversionReview' });
    return reply(response, 200, converted);
  }
  const review = readReview(path, body);
  if (review === undefined) return reply(response, 400, { message: 'not an AdmissionReview for this path' });
  const answer = await decide(options, review);
  const { kind, name, operation } = review.request;
  if (!answer.allowed)
    options.logger.info('admission denied', { kind, name, operation, reason: answer.message });
  return reply(response, 200, answerReview(review.uid, answer));
}

/** Asks the rules, and remembers what is let through. A fault of ours, or of the API server, must not stand in the way of a user. */
export async function decide(
  options: WebhookOptions,
  { request, dryRun }: Pick<Review, 'request' | 'dryRun'>,
): Promise<AdmissionAnswer> {
  const answer = await judge(options, request);
  if (answer.allowed && !dryRun) options.memory?.letThrough(request);
  return answer;
}

async function judge(options: WebhookOptions, request: AdmissionRequest): Promise<AdmissionAnswer> {
  const { namespace, logger } = options;
  try {
    const atOnce = admitAtOnce(request, namespace);
    if (atOnce !== undefined) return atOnce;
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const { resources, remembered } = await readStored(options, request.kind, signal, { afresh: false });
    const answer = admit(request, resources);
    if (answer.allowed || !remembered) return answer;
    // What stands in the way may be gone by now.
    return admit(request, (await readStored(options, request.kind, signal, { afresh: true })).resources);
  } catch (error) {
    logger.error('admission without check', { kind: request.kind, name: request.name, error });
    const why = error instanceof Error ? error.message : 'unknown error';
    return { allowed: true, message: '', warnings: [`not checked by MetalLB: ${why}`] };
  }
}

/** The JSON of the body; undefined when it is too long, `null` when it is no JSON. */
async function readBody(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MAX_BODY) return undefined;
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8')) as unknown;
  } catch {
    return null;
  }
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
