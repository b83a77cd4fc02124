import { silent } from '#runtime/log/logger.ts';
import { startMembers } from '#speaker/members/port.ts';
import type { MembersPort } from '#speaker/ports.ts';
import { membersContract } from '#tests/contract/members/suite.ts';

const names = ['a', 'b', 'c'];
const address = (name: string): string => `127.77.0.${names.indexOf(name) + 1}`;
const peers = names.map((name) => ({ name, addresses: [address(name)] }));

async function start(me: string): Promise<MembersPort> {
  const port = await startMembers({
    log: silent,
    me,
    bindAddress: address(me),
    port: 17_946,
    secret: 'test',
    realTime: false,
  });
  port.setPeers(peers);
  return port;
}

membersContract(async () => {
  const ports = new Map<string, MembersPort>();
  for (const name of names) ports.set(name, await start(name));
  const [port] = ports.values();
  if (port === undefined) throw new Error('unreachable');
  const kill = async (node: string): Promise<void> => ports.get(node)?.close();
  return {
    port,
    kill,
    leave: async (node) => {
      await ports.get(node)?.leave();
      await kill(node);
    },
    start: async (node) => void ports.set(node, await start(node)),
    setUsableInterfaces: (node, interfaces) => ports.get(node)?.setUsableInterfaces(interfaces),
    report: (node, cards, held) => {
      ports.get(node)?.setCards(cards);
      ports.get(node)?.setHeld(held);
    },
    close: async () => void (await Promise.all([...ports.values()].map((each) => each.close()))),
  };
});
