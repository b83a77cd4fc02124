import { FakeFrr } from '#tests/support/fake-frr.ts';
import { OURS } from '#tests/support/frr-lab.ts';
import { frrContract } from './suite.ts';

frrContract(() => {
  const port = new FakeFrr();
  return Promise.resolve({
    port,
    lines: () => Promise.resolve(port.lines),
    refuseOwnAddress: () => void port.refusals.set(OURS.ipv4, 'local system'),
    dispose: () => port.close(),
  });
});
