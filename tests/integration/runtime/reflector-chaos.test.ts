/**
 * The reflector against a real kube-apiserver that is killed, compacted, slowed down, cut off and overloaded while
 * objects come and go: afterwards the store equals a fresh list, and the changes it told add up to it.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createKubeClient, type KubeList } from '#runtime/kube/client.ts';
import { loadCredentials, type Credentials } from '#runtime/kube/credentials.ts';
import { createTransport, type Transport } from '#runtime/kube/transport.ts';
import {
  KubeError,
  type KubeClient,
  type KubeObject,
  type ResourceType,
  type Store,
} from '#runtime/kube/types.ts';
import { watchStore } from '#runtime/kube/watch-store.ts';
import { silent } from '#runtime/log/logger.ts';
import { createMetrics } from '#runtime/metrics/registry.ts';
import type { Metrics } from '#runtime/metrics/types.ts';
import { ControlPlane } from '#tests/support/control-plane.ts';
import { eventually } from '#tests/support/eventually.ts';
import { TcpProxy } from '#tests/support/tcp-proxy.ts';

const configMaps: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
};
const clusterRoleBindings: ResourceType = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  plural: 'clusterrolebindings',
  kind: 'ClusterRoleBinding',
  namespaced: false,
};
const flowcontrol = { group: 'flowcontrol.apiserver.k8s.io', version: 'v1', namespaced: false };
const levels: ResourceType = {
  ...flowcontrol,
  plural: 'prioritylevelconfigurations',
  kind: 'PriorityLevelConfiguration',
};
const flows: ResourceType = { ...flowcontrol, plural: 'flowschemas', kind: 'FlowSchema' };
const secrets: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'secrets',
  kind: 'Secret',
  namespaced: true,
};
const webhooks: ResourceType = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  plural: 'validatingwebhookconfigurations',
  kind: 'ValidatingWebhookConfiguration',
  namespaced: false,
};
const namespace = 'default';
const labelSelector = 'chaos=yes';
/** Watches read etcd itself, whose history is thrown away every two seconds. */
const forgetful = ['--watch-cache=false', '--etcd-compaction-interval=2s'];

interface View {
  readonly uid: string;
  readonly value: string;
}

const project = (raw: KubeObject): View => ({
  uid: raw.metadata.uid ?? '',
  value: (raw['data'] as { value?: string } | undefined)?.value ?? '',
});

/** Creates, changes, deletes and re-creates objects as fast as the API server takes them, through its failures. */
class Churn {
  readonly #client: KubeClient;
  readonly #loop: Promise<void>;
  #stopped = false;
  writes = 0;

  constructor(client: KubeClient) {
    this.#client = client;
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#loop;
  }

  async #run(): Promise<void> {
    for (let turn = 0; !this.#stopped; turn += 1) {
      const name = `chaos-${Math.floor(Math.random() * 40)}`;
      try {
        await this.#write(name, turn);
        this.writes += 1;
      } catch (error) {
        if (!(error instanceof KubeError)) throw error;
        if (error.status === 0 || error.status >= 429)
          await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  async #write(name: string, turn: number): Promise<void> {
    const ref = { type: configMaps, namespace, name };
    const data = { value: String(turn) };
    const signal = AbortSignal.timeout(2000);
    if (turn % 3 === 0) {
      const metadata = { name, namespace, labels: { chaos: 'yes' } };
      await this.#client.create(configMaps, { metadata, data }, { signal });
    } else if (turn % 3 === 1) await this.#client.patch(ref, { data }, { signal });
    else await this.#client.delete(ref, { signal });
  }
}

let plane: ControlPlane;
let direct: Credentials;
let client: KubeClient;
let proxy: TcpProxy;
let watched: Credentials;
let transport: Transport;
let metrics: Metrics;
let abort: AbortController;
let replayed: Map<string, View>;
let mistakes: string[];

beforeAll(async () => {
  plane = await ControlPlane.start();
  direct = await loadCredentials({ kubeconfig: plane.kubeconfig });
  client = createKubeClient(createTransport(direct, { logger: silent }));
  await client.create(clusterRoleBindings, {
    metadata: { name: 'other' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'User', name: 'other', apiGroup: 'rbac.authorization.k8s.io' }],
  });
});
afterAll(async () => {
  await direct?.[Symbol.asyncDispose]();
  await plane?.[Symbol.asyncDispose]();
});

beforeEach(async () => {
  proxy = await TcpProxy.start(plane.apiPort);
  watched = await loadCredentials({ kubeconfig: await plane.kubeconfigFor('other', proxy.port) });
  metrics = createMetrics();
  transport = createTransport(watched, { logger: silent, metrics });
  abort = new AbortController();
});
afterEach(async () => {
  abort.abort();
  await watched[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
});

/** Follows the churned objects and replays every told change, noting each that does not fit. */
function follow(): Store<View> {
  const options = { type: configMaps, namespace, labelSelector, project };
  const store = watchStore(transport, options, { logger: silent, metrics, signal: abort.signal });
  replayed = new Map();
  mistakes = [];
  store.onChange(({ key, old, now }) => {
    if (replayed.get(key) !== old) mistakes.push(`${key}: told an old value that was not told before`);
    if (old !== undefined && now !== undefined && old.uid !== now.uid) mistakes.push(`${key}: uid changed`);
    if (now === undefined) replayed.delete(key);
    else replayed.set(key, now);
  });
  return store;
}

async function nothingLostNothingDoubled(store: Store<View>): Promise<void> {
  const fresh = await client.list(configMaps, { namespace, labelSelector });
  const truth = new Map(fresh.map((raw) => [`${namespace}/${raw.metadata.name}`, project(raw)]));
  await eventually(() => expect(new Map(store)).toEqual(truth), 60_000);
  expect(replayed).toEqual(truth);
  expect(mistakes).toEqual([]);
}

const restarts = async (cause: string): Promise<number> => {
  const text = await metrics.expose();
  const line = new RegExp(`watch_restarts_total\\{kind="ConfigMap",cause="${cause}"\\} (\\d+)`);
  return Number(line.exec(text)?.[1] ?? 0);
};

async function restartApiServer(flags: readonly string[] = []): Promise<void> {
  await plane.stop('kube-apiserver');
  plane.startApiServer(flags);
  await plane.ready();
}

/** The API server turns every request of the watching user away until the returned function is called. */
async function shedLoad(): Promise<() => Promise<void>> {
  const limited = {
    nominalConcurrencyShares: 0,
    borrowingLimitPercent: 0,
    lendablePercent: 0,
    limitResponse: { type: 'Reject' },
  };
  const metadata = { name: 'closed' };
  await client.create(levels, { metadata, spec: { type: 'Limited', limited } });
  const everything = {
    resourceRules: [
      { verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true },
    ],
    nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
    subjects: [{ kind: 'User', user: { name: 'other' } }],
  };
  const spec = { priorityLevelConfiguration: { name: 'closed' }, matchingPrecedence: 2, rules: [everything] };
  await client.create(flows, { metadata, spec });
  // One request may always run: it is kept busy by a webhook that accepts connections and never speaks.
  const mute = createServer().listen(0, '127.0.0.1');
  await once(mute, 'listening');
  await client.create(webhooks, muteWebhook((mute.address() as AddressInfo).port));
  const ended = new AbortController();
  const busy = occupy(ended.signal);
  const other = createTransport(watched, { logger: silent });
  await eventually(async () => {
    await expect(other.call({ method: 'GET', path: '/version' })).rejects.toMatchObject({ status: 429 });
  }, 30_000);
  return async () => {
    ended.abort();
    await busy;
    mute.close();
    await client.delete({ type: webhooks, name: 'mute' });
    await client.delete({ type: flows, name: 'closed' });
    await client.delete({ type: levels, name: 'closed' });
  };
}

function muteWebhook(port: number): KubeObject {
  const rules = [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['secrets'] }];
  const clientConfig = { url: `https://127.0.0.1:${port}/` };
  const webhook = { name: 'mute.example.com', clientConfig, rules, sideEffects: 'None', timeoutSeconds: 30 };
  return { metadata: { name: 'mute' }, webhooks: [{ ...webhook, admissionReviewVersions: ['v1'] }] };
}

/** Keeps two requests of the watching user waiting at the webhook, until the signal. */
async function occupy(signal: AbortSignal): Promise<void> {
  const other = createKubeClient(createTransport(watched, { logger: silent }));
  const secret = { metadata: { name: 'never', namespace } };
  const keep = async () => {
    while (!signal.aborted) await other.create(secrets, secret, { signal }).catch(() => setImmediate());
  };
  await Promise.all([keep(), keep()]);
}

async function underChurn(faults: (store: Store<View>, churn: Churn) => Promise<void>): Promise<void> {
  const churn = new Churn(client);
  const store = follow();
  try {
    await store.synced;
    await faults(store, churn);
  } finally {
    await churn.stop();
  }
  await nothingLostNothingDoubled(store);
}

const moreWrites = (churn: Churn, count: number) => {
  const target = churn.writes + count;
  return eventually(() => expect(churn.writes).toBeGreaterThanOrEqual(target), 60_000);
};

describe('reflector and a real API server under churn', () => {
  it('loses nothing when the API server is killed and started again, twice', async () => {
    await underChurn(async (_store, churn) => {
      for (let round = 0; round < 2; round += 1) {
        await moreWrites(churn, 100);
        await restartApiServer();
      }
      await moreWrites(churn, 100);
    });
    expect(await restarts('connection')).toBeGreaterThan(0);
  });

  it('lists anew when etcd has compacted its version away (410)', async () => {
    await restartApiServer(forgetful);
    await underChurn(async (store, churn) => {
      proxy.refusing = true;
      proxy.cut();
      // No older than what the reflector has: once this is gone, so is the reflector's version.
      const resourceVersion = await currentVersion();
      const { version } = store;
      await moreWrites(churn, 100);
      await eventually(async () => expect(await isGone(resourceVersion)).toBe(true), 30_000);
      expect(store.version).toBe(version);
      proxy.refusing = false;
      await eventually(async () => expect(await restarts('gone')).toBeGreaterThan(0), 60_000);
    });
    await restartApiServer();
  });

  it('lists anew when the API server forgot its version by a restart while we were away', async () => {
    await underChurn(async (_store, churn) => {
      proxy.refusing = true;
      proxy.cut();
      await moreWrites(churn, 100);
      await restartApiServer();
      await moreWrites(churn, 10);
      proxy.refusing = false;
      await eventually(async () => expect(await restarts('gone')).toBeGreaterThan(0), 60_000);
    });
  });

  it('loses nothing through slow and cut connections', async () => {
    await underChurn(async (_store, churn) => {
      for (let round = 0; round < 12; round += 1) {
        proxy.delayMs = round % 3 === 0 ? 50 : 0;
        const { opened } = proxy;
        await moreWrites(churn, 20);
        proxy.cut();
        await eventually(() => expect(proxy.opened).toBeGreaterThan(opened), 30_000);
      }
      proxy.delayMs = 0;
    });
    expect(await restarts('connection')).toBeGreaterThanOrEqual(12);
  });

  it('loses nothing when a connection swallows data and is cut later', async () => {
    await underChurn(async (_store, churn) => {
      await moreWrites(churn, 50);
      proxy.silent = true;
      await moreWrites(churn, 50);
      proxy.cut();
      proxy.silent = false;
      await moreWrites(churn, 50);
    });
  });

  it('loses nothing when the server sheds load (429)', async () => {
    await underChurn(async (_store, churn) => {
      const open = await shedLoad();
      proxy.cut();
      await moreWrites(churn, 100);
      await eventually(async () => expect(await restarts('429')).toBeGreaterThan(1), 30_000);
      await open();
    });
  });
});

async function currentVersion(): Promise<string> {
  const list = await client.request('GET', '/api/v1/namespaces/default/configmaps?limit=1');
  return (list as KubeList).metadata.resourceVersion ?? '';
}

/** Is a watch from this version answered with 410? */
async function isGone(resourceVersion: string): Promise<boolean> {
  const query = { watch: 'true', resourceVersion, timeoutSeconds: '1' };
  const path = '/api/v1/namespaces/default/configmaps';
  try {
    for await (const lines of createTransport(direct, { logger: silent }).watch(
      path,
      query,
      AbortSignal.timeout(5000),
    )) {
      return lines.some((line) => line.includes('"code":410'));
    }
    return false;
  } catch (error) {
    return error instanceof KubeError && error.status === 410;
  }
}
