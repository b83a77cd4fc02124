/** A field lab for Layer 2: more cards, who should lead, who says that it leads, and what the wire shows. */
import { expect } from 'vitest';
import { elect } from '#core/election/elect.ts';
import { NAMESPACE } from '#lab/demo/stage.ts';
import type { Lab } from '#lab/lab.ts';
import type { Place } from '#lab/net/plan.ts';
import { run } from '#lab/process/run.ts';
import { eventually } from './eventually.ts';
import { FieldLab, type FieldOptions } from './field-lab.ts';

const WAIT_MS = 30_000;

export interface L2Status {
  readonly name: string;
  readonly node: string;
  readonly interfaces: readonly string[];
}

/** The first of these nodes by hash. */
export function leaderOf(ip: string, nodes: readonly string[] = ['node1', 'node2', 'node3']): string {
  const candidates = nodes.map((node) => ({ node, score: 0 }));
  return elect(candidates, ip)[0]?.node ?? '';
}

/** Puts a card into a place, on a bridge of the lab (`br0` is the LAN of the nodes). */
export async function addCard(lab: Lab, place: Place, device: string, bridge = 'br0'): Promise<void> {
  const control = lab.netns('control');
  const port = `${place}-${device}`.slice(0, 15);
  await run([
    'ip',
    '-n',
    control,
    'link',
    'add',
    port,
    'type',
    'veth',
    'peer',
    'name',
    device,
    'netns',
    lab.netns(place),
  ]);
  await run(['ip', '-n', control, 'link', 'set', port, 'master', bridge, 'up']);
  await run(['ip', '-n', lab.netns(place), 'link', 'set', device, 'up']);
}

export async function addBridge(lab: Lab, name: string): Promise<void> {
  await run(['ip', '-n', lab.netns('control'), 'link', 'add', name, 'type', 'bridge']);
  await run(['ip', '-n', lab.netns('control'), 'link', 'set', name, 'up']);
}

export class L2Field implements AsyncDisposable {
  readonly field: FieldLab;

  constructor(field: FieldLab) {
    this.field = field;
  }

  static async start(name: string, options: FieldOptions = {}): Promise<L2Field> {
    return new L2Field(await FieldLab.start(name, options));
  }

  /** Applies an L2Advertisement; `spec` undefined: without one. */
  advertise(name: string, spec?: object): Promise<void> {
    return this.field.apply('L2Advertisement', name, spec);
  }

  /** Exactly this card answers. */
  async answers(ip: string, card: string, { device = 'eth0', withinMs = WAIT_MS } = {}): Promise<void> {
    await eventually(
      async () => expect(await this.field.responders(ip, device), ip).toEqual([card]),
      withinMs,
    );
  }

  /** The ServiceL2Status objects of a Service. */
  async statuses(service: string): Promise<L2Status[]> {
    const text = await this.field.lab.kubectl([
      '-n',
      NAMESPACE,
      'get',
      'servicel2statuses',
      '-l',
      `metallb.io/service-name=${service}`,
      '-o',
      'json',
    ]);
    const { items } = JSON.parse(text) as {
      items: { metadata: { name: string }; status?: { node?: string; interfaces?: { name: string }[] } }[];
    };
    return items.map(({ metadata, status }) => ({
      name: metadata.name,
      node: status?.node ?? '',
      interfaces: (status?.interfaces ?? []).map((each) => each.name),
    }));
  }

  /** One status object, of this node. */
  async ledBy(service: string, node: string, withinMs = WAIT_MS): Promise<void> {
    await eventually(
      async () =>
        expect(
          (await this.statuses(service)).map((each) => each.node),
          service,
        ).toEqual([node]),
      withinMs,
    );
  }

  /** The node of the newest `nodeAssigned` event of a Service, as MetalLB's own tests read it. */
  async newestAssigned(service: string): Promise<string | undefined> {
    const { items } = await this.field.lab.api.get<{
      items: { involvedObject: { name: string }; lastTimestamp: string; message: string }[];
    }>('/api/v1/namespaces/default/events?fieldSelector=reason%3DnodeAssigned');
    const own = items.filter(({ involvedObject }) => involvedObject.name === service);
    const newest = own.sort((a, b) => (a.lastTimestamp < b.lastTimestamp ? 1 : -1))[0];
    return /"(node\d+)"/.exec(newest?.message ?? '')?.[1];
  }

  async label(node: string, labels: Readonly<Record<string, string | null>>): Promise<void> {
    await this.field.lab.api.patch(`/api/v1/nodes/${node}`, { metadata: { labels } });
  }

  async condition(node: string, type: string, status: string): Promise<void> {
    const condition = {
      type,
      status,
      reason: 'Test',
      message: '',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    const body = JSON.stringify({ status: { conditions: [condition] } });
    await this.field.lab.kubectl([
      'patch',
      'node',
      node,
      '--subresource=status',
      '--type=strategic',
      '-p',
      body,
    ]);
  }

  /** Names of the events of a Service with this reason. */
  async told(service: string, reason: string): Promise<string[]> {
    return (await this.field.events(service))
      .filter((event) => event.reason === reason)
      .map(({ message }) => message);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.field[Symbol.asyncDispose]();
  }
}
