/** A speaker's responder alone, driven by the test: argument and messages are JSON. */
import type { DuplicatePolicy } from '#core/l2/claim.ts';
import { defaultTiming, type GratuitousTiming } from '#core/l2/gratuitous.ts';
import type { Logger } from '#runtime/log/logger.ts';
import { startL2 } from '#speaker/l2/port.ts';
import { digest } from '#tests/support/digest.ts';
import type { L2Conflict, L2Counts, L2Entry, L2Interface } from '#speaker/ports.ts';

export interface ResponderArgument {
  readonly exclude?: readonly string[];
  readonly timing?: GratuitousTiming;
  readonly realTime?: boolean;
  readonly duplicates?: DuplicatePolicy;
}

export type ToResponder =
  | { readonly kind: 'plan'; readonly entries: readonly L2Entry[] }
  | { readonly kind: 'announce'; readonly ips?: readonly string[] | undefined }
  | { readonly kind: 'cards'; readonly macs: readonly string[] }
  | { readonly kind: 'stats' }
  /** The main thread reads and decides so many Services over and over, and hands over the plan each time. */
  | {
      readonly kind: 'digest';
      readonly services: number;
      readonly ms: number;
      readonly held: readonly string[];
    }
  | { readonly kind: 'close' };

export type FromResponder =
  | { readonly kind: 'started' }
  | { readonly kind: 'interfaces'; readonly interfaces: readonly L2Interface[] }
  | { readonly kind: 'conflict'; readonly conflict: L2Conflict }
  | {
      readonly kind: 'stats';
      readonly counts: Readonly<Record<string, L2Counts>>;
      readonly drops: Readonly<Record<string, number>>;
      readonly rss: number;
    }
  | { readonly kind: 'log'; readonly level: string; readonly message: string; readonly fields: unknown }
  | { readonly kind: 'closed'; readonly ms: number }
  | { readonly kind: 'digested'; readonly passes: number };

function tell(message: FromResponder): void {
  process.send?.(message);
}

function logger(): Logger {
  const at = (level: string) => (message: string, fields?: unknown) =>
    tell({ kind: 'log', level, message, fields });
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => logger(),
  };
}

const argument = JSON.parse(process.argv[2] ?? '{}') as ResponderArgument;
const port = await startL2({
  log: logger(),
  exclude: argument.exclude ?? ['^lo$'],
  timing: argument.timing ?? defaultTiming,
  realTime: argument.realTime ?? false,
  duplicates: argument.duplicates ?? 'withhold',
});
port.onInterfaces((interfaces) => tell({ kind: 'interfaces', interfaces }));
port.onConflict((conflict) => tell({ kind: 'conflict', conflict }));
port.onFailure((error) => tell({ kind: 'log', level: 'failure', message: error.message, fields: {} }));
tell({ kind: 'interfaces', interfaces: port.interfaces });
tell({ kind: 'started' });

async function close(): Promise<void> {
  const started = performance.now();
  await port.close();
  tell({ kind: 'closed', ms: performance.now() - started });
  process.disconnect();
}

process.on('message', (message: ToResponder) => {
  switch (message.kind) {
    case 'plan':
      port.setPlan(message.entries);
      return;
    case 'announce':
      port.announce(message.ips);
      return;
    case 'cards':
      port.setClusterCards(message.macs);
      return;
    case 'stats':
      tell({
        kind: 'stats',
        counts: Object.fromEntries(port.counts),
        drops: Object.fromEntries(port.drops),
        rss: process.memoryUsage.rss(),
      });
      return;
    case 'digest':
      tell({ kind: 'digested', passes: digest(port, message) });
      return;
    case 'close':
      void close();
  }
});
