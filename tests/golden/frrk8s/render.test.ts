/** The FRRConfigurations of scenarios of frr.conf, as files to read. */
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { frrConfiguration } from '#core/frrk8s/configuration.ts';
import { node } from '#tests/support/bgp-factories.ts';
import { golden } from '#tests/support/frr-golden.ts';

const names = [
  '1-one-ipv4-ebgp-peer',
  '2-dual-stack-communities-local-preference',
  '3-aggregate-and-host-routes',
  '4-bfd-profiles',
  '5-two-vrfs',
  '6-unnumbered-password-graceful-restart',
  '7-ipv6-ebgp-local-asn',
  'bfd-all-fields',
  'communities-large',
  'debug-no-peers',
  'four-classes-three-peers',
  'leaving',
  'nothing-local',
  'peer-local-asn',
  'peer-local-asn-for-own-as',
  'peer-password-from-secret',
  'peer-source-address',
  'peer-timers-zero',
  'peers-in-three-vrfs-same-address',
  'peers-of-every-kind',
  'two-peers-different-communities',
];

describe('FRRConfiguration', () => {
  it.each(names)('%s', async (name) => {
    const scenario = golden.find(([each]) => each === name);
    if (scenario === undefined) throw new Error(`there is no scenario ${name}`);
    const context = { node: node(), passwords: 'reference', others: [] } as const;
    const { spec, refused } = frrConfiguration(scenario[1](), context);
    const text = stringify({ spec, ...(refused.length === 0 ? {} : { refused }) });
    await expect(text).toMatchFileSnapshot(`./${name}.yaml`);
  });
});
