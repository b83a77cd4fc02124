/**
 * Tells users what keeps a Service from being announced by Layer 2, once for each cause, and only when it lasts: what
 * is on its way while pods, nodes and speakers change places is nobody's business.
 */
import { lacksInterfaces, l2Interfaces, type ServiceVerdict } from '#core/announce/verdict.ts';
import type { EventText } from '#runtime/kube/events.ts';
import type { Clock } from '#runtime/queue/types.ts';

/** Milliseconds a cause must last before it is told. */
export const LASTING_MS = 2_000;

export interface UnannouncedOptions {
  readonly nodeName: string;
  /** Names of the interfaces of this node that are not excluded. */
  readonly interfaces: () => readonly string[];
  readonly clock: Clock;
  readonly tell: (verdict: ServiceVerdict, event: EventText) => void;
}

interface Cause {
  readonly text: string;
  /** Undefined: it was told. */
  readonly cancel: (() => void) | undefined;
}

export class Unannounced {
  readonly #options: UnannouncedOptions;
  /** By key of the Service and what it is about. */
  readonly #causes = new Map<string, Cause>();

  constructor(options: UnannouncedOptions) {
    this.#options = options;
  }

  /** The Service was decided on; undefined: it is gone. */
  note(key: string, verdict: ServiceVerdict | undefined): void {
    this.#note(`${key} nobody`, verdict, verdict && whyNobody(verdict));
    this.#note(`${key} interfaces`, verdict, verdict && this.#whyPassedOver(verdict));
  }

  #note(topic: string, verdict: ServiceVerdict | undefined, event: EventText | undefined): void {
    const known = this.#causes.get(topic);
    if (known?.text === event?.message) return;
    known?.cancel?.();
    this.#causes.delete(topic);
    if (verdict === undefined || event === undefined) return;
    const cancel = this.#options.clock.schedule(LASTING_MS, () => {
      this.#causes.set(topic, { text: event.message, cancel: undefined });
      this.#options.tell(verdict, event);
    });
    this.#causes.set(topic, { text: event.message, cancel });
  }

  /** This node would announce, but an interface that is asked for does not exist here. */
  #whyPassedOver(verdict: ServiceVerdict): EventText | undefined {
    const { nodeName, interfaces } = this.#options;
    if (verdict.l2.kind !== 'decided' || !verdict.l2.decision.passedOver.includes(nodeName)) return undefined;
    if (!lacksInterfaces(verdict, interfaces())) return undefined;
    const messages = verdict.addresses.map((ip) => missingInterfaces(verdict, ip, nodeName));
    const message = `${messages.join('; ')}; node "${verdict.l2.decision.node}" announces instead`;
    return { type: 'Warning', reason: 'announceFailed', message };
  }

  close(): void {
    for (const { cancel } of this.#causes.values()) cancel?.();
    this.#causes.clear();
  }
}

/** MetalLB's words, and the names. */
export function missingInterfaces(verdict: ServiceVerdict, ip: string, node: string): string {
  const names = l2Interfaces(verdict)?.join(', ') ?? '';
  return `the interfaces specified by LB IP "${ip}" doesn't exist in assigned node "${node}" with protocol "layer2": ${names}`;
}

/** Every speaker comes to the same words, so one Event is enough. */
function whyNobody({ l2 }: ServiceVerdict): EventText | undefined {
  const nobody = l2.kind === 'decided' ? l2.decision.nobody : undefined;
  if (nobody === undefined) return undefined;
  return {
    type: 'Warning',
    reason: 'notAnnounced',
    message: `no node announces the Service by Layer 2: ${nobody}`,
    shared: true,
  };
}
