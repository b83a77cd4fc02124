/**
 * How long a write waits for the admission webhook, as the API server's client sees it: with few and with many pools
 * stored, and the same writes with no webhook registered, which is what the rest of the API server costs.
 */
import { distribution, type Figure } from '#bench/figures.ts';
import { inParallel } from '#bench/in-parallel.ts';
import { WEBHOOK_CONFIGURATION } from '#core/api/webhooks.ts';
import type { Lab } from '#lab/lab.ts';
import type { Reporter } from '#lab/report.ts';
import { eventually } from '#tests/support/eventually.ts';
import { startWebhookServer, webhookLab } from '#tests/support/webhook-lab.ts';

const NAMESPACE = 'metallb-system';
const CONFIGURATIONS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
const SAMPLES = 200;
const CREATORS = 8;

interface Written {
  readonly kind: string;
  readonly plural: string;
  readonly spec: object;
}
const pool = (index: number): Written => ({
  kind: 'IPAddressPool',
  plural: 'ipaddresspools',
  spec: { addresses: [`10.${Math.floor(index / 256)}.${index % 256}.0/24`] },
});
/** For every pool: the dearest question that one object can ask. */
const advertisement: Written = {
  kind: 'BGPAdvertisement',
  plural: 'bgpadvertisements',
  spec: { aggregationLength: 32 },
};

/** `sizes`: pools stored, ascending. */
export async function webhooks(report: Reporter, sizes: readonly number[] = [10, 2000]): Promise<Figure[]> {
  report.step('a lab with the webhook server');
  const lab = await webhookLab('mlb-bench-webhooks');
  try {
    await startWebhookServer(lab);
    await asked(lab, true);
    const figures: Figure[] = [];
    let stored = 0;
    for (const size of sizes) {
      report.step(`storing ${size} pools, with no webhook`);
      const registration = await unregister(lab);
      await store(lab, stored, size);
      stored = size;
      const without = await measured(lab, size, 'no webhook');
      await lab.api.send('POST', CONFIGURATIONS, registration);
      await asked(lab, true);
      report.step(`${size} pools, with the webhook`);
      figures.push(...(await measured(lab, size, 'webhook')), ...(await afterwards(lab, size)), ...without);
    }
    return figures;
  } finally {
    await lab.down();
  }
}

/** Waits until a faulty object is refused by the webhook, or is not. */
async function asked(lab: Lab, refused: boolean): Promise<void> {
  await eventually(async () => {
    const { status } = await write(lab, 'probe', { ...pool(0), spec: { addresses: [] } }, true);
    if ((status === 403) !== refused) throw new Error(`an empty pool was answered with ${status}`);
  }, 60_000);
}

/** Takes the webhooks away and returns what was registered, to be registered again. */
async function unregister(lab: Lab): Promise<object> {
  const path = `${CONFIGURATIONS}/${WEBHOOK_CONFIGURATION}`;
  const { webhooks } = await lab.api.get<{ webhooks: readonly object[] }>(path);
  await lab.api.send('DELETE', path);
  await asked(lab, false);
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: WEBHOOK_CONFIGURATION },
    webhooks,
  };
}

function write(lab: Lab, name: string, { kind, plural, spec }: Written, dryRun: boolean) {
  const path = `/apis/metallb.io/v1beta1/namespaces/${NAMESPACE}/${plural}${dryRun ? '?dryRun=All' : ''}`;
  const body = { apiVersion: 'metallb.io/v1beta1', kind, metadata: { name, namespace: NAMESPACE }, spec };
  return lab.api.send('POST', path, body);
}

async function store(lab: Lab, from: number, to: number): Promise<void> {
  const indexes = Array.from({ length: to - from }, (_, offset) => from + offset);
  await inParallel(indexes, CREATORS, async (index) => {
    const { status, text } = await write(lab, `pool-${index}`, pool(index), false);
    if (status !== 201) throw new Error(`pool ${index} was not stored: ${text}`);
  });
}

/** Creations one after the other that are stored: each waits for the watch to show it, or makes the next one read. */
async function afterwards(lab: Lab, count: number): Promise<Figure[]> {
  const times: number[] = [];
  const names = Array.from({ length: SAMPLES }, (_, index) => `stored-${index}`);
  for (const [index, name] of names.entries()) {
    const started = performance.now();
    const { status, text } = await write(lab, name, pool(60_000 + index), false);
    times.push(performance.now() - started);
    if (status !== 201) throw new Error(`${name} was refused: ${text}`);
  }
  await inParallel(names, CREATORS, async (name) => {
    await lab.api.send('DELETE', `/apis/metallb.io/v1beta1/namespaces/${NAMESPACE}/ipaddresspools/${name}`);
  });
  const size = `${SAMPLES} creations, ${count} pools stored`;
  return distribution('webhook, IPAddressPool that is stored', { unit: 'ms', size }, times);
}

/** Creations one after the other, as dry runs: all of admission, nothing stored. */
async function measured(lab: Lab, stored: number, how: string): Promise<Figure[]> {
  const of = async (name: string, make: (index: number) => Written): Promise<Figure[]> => {
    const times: number[] = [];
    for (let index = 0; index < SAMPLES; index += 1) {
      const started = performance.now();
      const { status, text } = await write(lab, `new-${index}`, make(index), true);
      times.push(performance.now() - started);
      if (status !== 201) throw new Error(`${name} was refused: ${text}`);
    }
    const size = `${SAMPLES} creations, ${stored} pools stored`;
    return distribution(`${how}, ${name}`, { unit: 'ms', size }, times);
  };
  return [
    ...(await of('IPAddressPool', (index) => pool(60_000 + index))),
    ...(await of('BGPAdvertisement of all pools', () => advertisement)),
  ];
}
