/** Who may read metrics: bearer token by TokenReview, permission by SubjectAccessReview, both cached. */
import { createHash } from 'node:crypto';
import type { KubeClient } from '#runtime/kube/types.ts';
import type { Clock } from '#runtime/queue/types.ts';

/** The HTTP status to answer with; 200 means allowed. */
export type Verdict = 200 | 401 | 403 | 500;

export type Authorize = (request: {
  authorization: string | undefined;
  method: string;
  path: string;
}) => Promise<Verdict>;

interface User {
  readonly username?: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: unknown;
}

const reviewMs = 60_000;
const allowMs = 300_000;
const denyMs = 30_000;
const maxEntries = 1000;

interface Cached<T> {
  readonly value: T;
  readonly until: number;
}

/**
 * 401 without a token or with one the API server does not know, 403 without permission for the verb on the
 * non-resource URL, 500 when the API server cannot be asked.
 */
export function createAuthorizer(client: KubeClient, clock: Clock): Authorize {
  const users = new Map<string, Cached<User | undefined>>();
  const permissions = new Map<string, Cached<boolean>>();

  async function userOf(token: string): Promise<User | undefined> {
    // The cache must not hold tokens.
    const key = createHash('sha256').update(token).digest('base64');
    return cached(users, key, clock, async () => {
      const answer = (await client.request('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        spec: { token },
      })) as { status?: { authenticated?: boolean; user?: User } };
      const value = answer.status?.authenticated === true ? (answer.status.user ?? {}) : undefined;
      return { value, forMs: reviewMs };
    });
  }

  async function mayDo(user: User, verb: string, path: string): Promise<boolean> {
    const key = JSON.stringify([user.username, user.uid, user.groups, user.extra, verb, path]);
    return cached(permissions, key, clock, async () => {
      const answer = (await client.request('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: {
          user: user.username,
          uid: user.uid,
          groups: user.groups,
          extra: user.extra,
          nonResourceAttributes: { verb, path },
        },
      })) as { status?: { allowed?: boolean } };
      const value = answer.status?.allowed === true;
      return { value, forMs: value ? allowMs : denyMs };
    });
  }

  return async ({ authorization, method, path }) => {
    const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return 401;
    try {
      const user = await userOf(token);
      if (user === undefined) return 401;
      return (await mayDo(user, method.toLowerCase(), path)) ? 200 : 403;
    } catch {
      // No answer from the API server, or we lack the right to ask.
      return 500;
    }
  };
}

async function cached<T>(
  cache: Map<string, Cached<T>>,
  key: string,
  clock: Clock,
  ask: () => Promise<{ value: T; forMs: number }>,
): Promise<T> {
  const known = cache.get(key);
  if (known !== undefined && known.until > clock.now()) return known.value;
  const { value, forMs } = await ask();
  if (cache.size >= maxEntries) cache.clear();
  cache.set(key, { value, until: clock.now() + forMs });
  return value;
}
