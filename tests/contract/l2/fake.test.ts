import { l2Contract } from '#tests/contract/l2/suite.ts';
import { FakeL2 } from '#tests/support/fake-l2.ts';

l2Contract(() => {
  const fake = new FakeL2();
  return Promise.resolve({
    setPlan: (entries) => fake.setPlan(entries),
    announce: (ips) => fake.announce(ips),
    interfaces: () => Promise.resolve(fake.interfaces),
    counts: () => Promise.resolve(fake.counts),
    ask: (ip) => Promise.resolve(fake.ask(ip)),
    setLink: (up) => {
      fake.setInterfaces(fake.interfaces.map((known) => ({ ...known, up })));
      return Promise.resolve();
    },
    close: () => fake.close(),
  });
});
