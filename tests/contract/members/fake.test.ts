import { membersContract } from '#tests/contract/members/suite.ts';
import { FakeMembers } from '#tests/support/fake-members.ts';

membersContract(() => {
  const port = new FakeMembers('a', ['a', 'b', 'c']);
  const without = (node: string): Promise<void> => {
    port.setAlive(...[...port.alive].filter((name) => name !== node));
    return Promise.resolve();
  };
  return Promise.resolve({
    port,
    kill: without,
    leave: without,
    start: (node) => {
      port.setAlive(...port.alive, node);
      return Promise.resolve();
    },
    setUsableInterfaces: (node, names) => void port.links.set(node, new Set(names)),
    report: (node, cards, held) => port.report(node, { cards, held }),
    close: () => port.close(),
  });
});
