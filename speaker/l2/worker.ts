/** The worker thread: a responder, driven by messages of the main thread. */
import { parentPort, workerData } from 'node:worker_threads';
import { compileExclusions } from '#core/l2/interfaces.ts';
import { requestRealTime } from '#speaker/l2/libc.ts';
import type { FromWorker, ToWorker, WorkerSettings } from '#speaker/l2/messages.ts';
import { Responder } from '#speaker/l2/responder.ts';
import type { MeshNews } from '#speaker/members/messages.ts';

const REPORT_EVERY = 1_000;

const settings = workerData as WorkerSettings;
const port = parentPort;
if (port === null) throw new Error('speaker/l2/worker.ts runs in a worker thread only');
const tell = (message: FromWorker): void => port.postMessage(message);

const excluded = compileExclusions(settings.exclude);
if (typeof excluded !== 'function') throw new Error(excluded.error);

const responder = new Responder(settings, excluded, {
  interfaces: (interfaces) => tell({ kind: 'interfaces', interfaces }),
  conflict: (conflict) => tell({ kind: 'conflict', conflict }),
  log: (record) => tell({ kind: 'log', record }),
});

const report = setInterval(() => tell({ kind: 'stats', ...responder.tally.take() }), REPORT_EVERY);

settings.mesh?.on('message', (news: MeshNews) => responder.hear(news));

port.on('message', (message: ToWorker) => {
  switch (message.kind) {
    case 'plan':
      responder.change(message.set, message.remove);
      return;
    case 'cards':
      responder.setClusterCards(message.macs);
      return;
    case 'announce':
      responder.announce(message.ips);
      return;
    case 'close':
      clearInterval(report);
      responder.close();
      settings.mesh?.close();
      port.close();
  }
});

tell({ kind: 'ready', realTime: settings.realTime ? requestRealTime() : 'not asked for' });
responder.start();
