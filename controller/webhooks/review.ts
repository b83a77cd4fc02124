/** AdmissionReview (admission.k8s.io/v1): from the request's JSON to the pure question, and back. */
import { webhookRoutes } from '#core/api/webhooks.ts';
import type { AdmissionAnswer, AdmissionRequest } from '#core/config/admission.ts';
import type { RawObject } from '#core/model/projections.ts';

export interface Review {
  readonly uid: string;
  readonly request: AdmissionRequest;
  /** Whatever the answer is, nothing will be stored. */
  readonly dryRun: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Reads a review that came to a path; undefined when it is none, or of another kind than the path's. */
export function readReview(path: string, body: unknown): Review | undefined {
  const route = webhookRoutes.find((known) => known.path === path);
  if (route === undefined || !isFields(body) || !isFields(body['request'])) return undefined;
  const { request } = body;
  const kind = isFields(request['kind']) ? text(request['kind']['kind']) : '';
  const operation = text(request['operation']);
  if (kind !== route.kind || !isOperation(operation)) return undefined;
  return {
    uid: text(request['uid']),
    dryRun: request['dryRun'] === true,
    request: {
      operation,
      kind: route.kind,
      namespace: text(request['namespace']),
      name: text(request['name']),
      object: asObject(request['object'], text(request['name'])),
      oldObject: asObject(request['oldObject'], text(request['name'])),
    },
  };
}

function isOperation(operation: string): operation is AdmissionRequest['operation'] {
  return ['CREATE', 'UPDATE', 'DELETE'].includes(operation);
}

/** The name of an object with `generateName` is not known yet; it must not be missing. */
function asObject(value: unknown, name: string): RawObject | undefined {
  if (!isFields(value) || !isFields(value['metadata'])) return undefined;
  const metadata = value['metadata'];
  return { ...value, metadata: { ...metadata, name: text(metadata['name']) || name } };
}

/** The review that answers. */
export function answerReview(uid: string, { allowed, message, warnings }: AdmissionAnswer): object {
  const status = { code: 403, reason: 'Forbidden', message };
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid, allowed, ...(allowed ? {} : { status }), ...(warnings.length > 0 ? { warnings } : {}) },
  };
}
