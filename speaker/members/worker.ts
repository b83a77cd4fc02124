/** The worker thread of the mesh: heartbeats go on whatever the main thread does. */
import { parentPort, workerData } from 'node:worker_threads';
import { requestRealTime } from '#speaker/l2/libc.ts';
import type { FromMesh, MeshNews, MeshSettings, ToMesh } from '#speaker/members/messages.ts';
import { MeshNode } from '#speaker/members/node.ts';

const settings = workerData as MeshSettings;
const port = parentPort;
if (port === null) throw new Error('speaker/members/worker.ts runs in a worker thread only');
const tell = (message: FromMesh): void => port.postMessage(message);

/** The responder first: it must not answer beside another node for longer than it takes to hear of it. */
const spread = (news: MeshNews): void => {
  settings.responder?.postMessage(news);
  tell(news);
};

const node = new MeshNode(settings, {
  view: (view) => spread({ kind: 'view', view }),
  report: (of, report) => spread({ kind: 'report', node: of, report }),
  rejected: (count, from) => tell({ kind: 'rejected', count, from }),
});

port.on('message', (message: ToMesh) => {
  switch (message.kind) {
    case 'peers':
      node.setPeers(message.peers);
      return;
    case 'links':
      node.setLinks(message.names);
      return;
    case 'report':
      node.setReport(message.report);
      return;
    case 'leave':
      void node.leave().then(() => tell({ kind: 'left' }));
      return;
    case 'close':
      node.close();
      settings.responder?.close();
      port.close();
  }
});

const realTime = settings.realTime ? requestRealTime() : 'not asked for';
await node.start();
tell({ kind: 'ready', realTime });
