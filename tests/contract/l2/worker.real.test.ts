import { afterAll, beforeAll } from 'vitest';
import { decodeArp } from '#core/l2/arp.ts';
import { decodeNdp } from '#core/l2/ndp.ts';
import { l2Contract } from '#tests/contract/l2/suite.ts';
import type { FromProbe } from '#tests/integration/l2/probe-process.ts';
import { arpRequest, hex, mac, neighborSolicitation } from '#tests/support/frames.ts';
import { startProbe, startResponder, type Probe } from '#tests/support/l2-processes.ts';
import { Segment } from '#tests/support/netns.ts';

const segment = new Segment('l2c');
let client: Probe;
let clientMac = '';

beforeAll(async () => {
  await segment.up();
  await segment.host('node', '192.0.2.11/24', '2001:db8::11/64');
  await segment.host('client', '192.0.2.1/24', '2001:db8::1/64');
  clientMac = await segment.mac('client');
  client = await startProbe(segment.netns('client'));
});

afterAll(async () => {
  await client?.kill('SIGKILL');
  await segment.down();
});

function isAnswer(message: FromProbe, ip: string): boolean {
  if (message.kind !== 'frame') return false;
  const frame = hex(message.frame);
  const [arp, ndp] = [decodeArp(frame), decodeNdp(frame)];
  if (arp !== undefined)
    return arp.operation === 2 && arp.destination[0] !== 0xff && arp.senderIp.join('.') === ip;
  return ndp?.kind === 'advertisement' && ndp.solicited;
}

async function ask(ip: string): Promise<boolean> {
  const own = mac(clientMac);
  client.forget();
  const frame = ip.includes(':')
    ? neighborSolicitation(ip, { etherSource: own, link: own })
    : arpRequest(ip, { source: own, senderMac: own });
  client.send({ kind: 'send', frame: Buffer.from(frame).toString('hex') });
  return client
    .expect((message) => isAnswer(message, ip), 300)
    .then(
      () => true,
      () => false,
    );
}

l2Contract(async () => {
  const responder = await startResponder(segment.netns('node'));
  const stats = async () => {
    const earlier = responder.received.length;
    responder.send({ kind: 'stats' });
    const answer = await responder.expect(
      (message) => message.kind === 'stats' && responder.received.indexOf(message) >= earlier,
    );
    if (answer.kind !== 'stats') throw new Error('unreachable');
    return answer;
  };
  return {
    setPlan: (entries) => responder.send({ kind: 'plan', entries }),
    announce: (ips) => responder.send({ kind: 'announce', ips }),
    interfaces: () => {
      const last = responder.received.findLast((message) => message.kind === 'interfaces');
      return Promise.resolve(last?.kind === 'interfaces' ? last.interfaces : []);
    },
    counts: async () => new Map(Object.entries((await stats()).counts)),
    ask,
    setLink: async (up) => {
      await segment.ip('node', 'link', 'set', 'eth0', up ? 'up' : 'down');
    },
    close: async () => {
      responder.send({ kind: 'close' });
      await responder.ended(2_000);
    },
  };
});
