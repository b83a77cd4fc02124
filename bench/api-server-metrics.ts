/** What the API server counts about writes: how many, and how long they were under way. From its own /metrics. */
import { get } from 'node:https';
import type { Credentials } from '#runtime/kube/credentials.ts';

/** Writes by what was written; those of the bench itself and of the API server are left out of the first four. */
export interface Writes {
  readonly services: number;
  readonly pools: number;
  readonly events: number;
  readonly others: number;
  /** Leases: the controller's and the API server's own. */
  readonly leases: number;
  /** Creations and deletions of Services: the bench's. */
  readonly bench: number;
}

/** Counters since the API server started. */
export interface ServerCounters {
  readonly writes: Writes;
  /** Seconds that writes were under way in the API server, summed over all of them. */
  readonly busy: Writes;
}

const VERBS = ['POST', 'PUT', 'PATCH', 'APPLY', 'DELETE'];
const none: Writes = { services: 0, pools: 0, events: 0, others: 0, leases: 0, bench: 0 };

/** Reads the text of /metrics. */
export function countersOf(metrics: string): ServerCounters {
  const writes = { ...none };
  const busy = { ...none };
  for (const line of metrics.split('\n')) {
    const counted = line.startsWith('apiserver_request_total{');
    if (!counted && !line.startsWith('apiserver_request_duration_seconds_sum{')) continue;
    const group = groupOf(line);
    if (group !== undefined) (counted ? writes : busy)[group] += Number(line.split(' ').at(-1));
  }
  return { writes, busy };
}

export function difference(now: Writes, before: Writes): Writes {
  const of = (group: keyof Writes): number => now[group] - before[group];
  return {
    services: of('services'),
    pools: of('pools'),
    events: of('events'),
    others: of('others'),
    leases: of('leases'),
    bench: of('bench'),
  };
}

function groupOf(line: string): keyof Writes | undefined {
  const label = (name: string): string => new RegExp(`[{,]${name}="([^"]*)"`).exec(line)?.[1] ?? '';
  const verb = label('verb');
  if (!VERBS.includes(verb)) return undefined;
  const what = `${label('resource')}/${label('subresource')}`;
  if (what === 'services/status') return 'services';
  if (what === 'ipaddresspools/status') return 'pools';
  if (what === 'events/') return 'events';
  if (what === 'leases/') return 'leases';
  if (what === 'services/' && (verb === 'POST' || verb === 'DELETE')) return 'bench';
  // The bench makes pools; the API server sees to its own objects.
  return /^(configurationstates|ipreservations|secrets|services|validatingwebhook)/.test(what)
    ? 'others'
    : undefined;
}

/** Asks the API server. */
export async function readCounters(credentials: Credentials): Promise<ServerCounters> {
  const { headers, server } = await credentials.current();
  return countersOf(
    await new Promise<string>((resolve, reject) => {
      // The server of the bench has a certificate of its own making.
      const options = { headers, rejectUnauthorized: false };
      const request = get(new URL('/metrics', server), options, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => resolve(text));
      });
      request.on('error', reject);
    }),
  );
}
