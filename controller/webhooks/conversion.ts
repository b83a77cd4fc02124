/** ConversionReview (apiextensions.k8s.io/v1 and v1beta1): from the request's JSON to the pure conversion, and back. */
import { convertPeer, type ConvertibleObject } from '#core/api/bgp-peer-conversion.ts';

export const CONVERT_PATH = '/convert';

const VERSIONS = ['apiextensions.k8s.io/v1', 'apiextensions.k8s.io/v1beta1'];

/**
 * The review that answers a review; undefined when the body is none. All objects are converted or none: the API
 * server takes nothing else. A failure names the object.
 */
export function answerConversion(body: unknown): object | undefined {
  const review = body as { apiVersion?: unknown; request?: Readonly<Record<string, unknown>> } | null;
  const { apiVersion, request } = review ?? {};
  if (typeof apiVersion !== 'string' || !VERSIONS.includes(apiVersion)) return undefined;
  const { uid, desiredAPIVersion, objects } = request ?? {};
  if (typeof uid !== 'string' || typeof desiredAPIVersion !== 'string' || !Array.isArray(objects))
    return undefined;
  const converted: ConvertibleObject[] = [];
  for (const object of objects as readonly ConvertibleObject[]) {
    const outcome = convertPeer(object, desiredAPIVersion);
    if (typeof outcome === 'string') {
      const { name = '' } = (object.metadata ?? {}) as { name?: string };
      const message = `${name}: ${outcome}`;
      return answer(apiVersion, { uid, convertedObjects: [], result: { status: 'Failed', message } });
    }
    converted.push(outcome);
  }
  return answer(apiVersion, { uid, convertedObjects: converted, result: { status: 'Success' } });
}

function answer(apiVersion: string, response: object): object {
  return { apiVersion, kind: 'ConversionReview', response };
}
