/** A record that is being written while the pools change. */
import { expect, it } from 'vitest';
import { Ipam } from '#core/ipam/ipam.ts';
import { formatAddress } from '#core/model/ip.ts';
import { pool, recorded, service } from '#tests/support/ipam.ts';

const V6 = '2001:db8::';
const prefer = { stack: 'dual', ipFamilyPolicy: 'PreferDualStack' } as const;

/** n/a had 192.0.2.1; the write that adds the second family is under way when the pool loses 192.0.2.1. */
function written(): Ipam {
  const ipam = new Ipam('');
  const before = service('n/a', { ...prefer, ...recorded(['192.0.2.1'], 'p') });
  ipam.configure([pool('p', ['192.0.2.0/31', `${V6}/128`])], [before]);
  const { decision } = ipam.decide(before);
  expect(decision.addresses.map(formatAddress)).toEqual(['192.0.2.1', V6]);
  ipam.configure([pool('p', ['192.0.2.0/32', `${V6}/128`])], [before]);
  ipam.recorded('n/a');
  return ipam;
}

it('what the write has recorded is given to nobody else, although the pools have changed since it was decided', () => {
  const ipam = written();
  const other = ipam.decide(service('n/b', { stack: 'ipv6' }));
  expect(other.decision.kind).toBe('wait');
});

it('it is free once the Service has moved', () => {
  const ipam = written();
  ipam.decide(service('n/b', { stack: 'ipv6' }));
  const edited = service('n/a', { stack: 'ipv4', ...recorded(['192.0.2.1', V6], 'p') });
  expect(ipam.decide(edited).decision.addresses.map(formatAddress)).toEqual(['192.0.2.0']);
  expect(ipam.recorded('n/a').wake).toEqual(['n/b']);
  const other = ipam.decide(service('n/b', { stack: 'ipv6' }));
  expect(other.decision.addresses.map(formatAddress)).toEqual([V6]);
});
