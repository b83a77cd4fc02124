import { describe, expect, it } from 'vitest';
import {
  configurationStateStatus,
  errorSummary,
  namesOf,
  resultOf,
} from '#core/status/configuration-state.ts';
import { planConfigurationState } from '#core/status/configuration-state-plan.ts';
import {
  bfd,
  bgpAdv,
  community,
  compiled,
  l2Adv,
  peer,
  pool,
  type TestObject,
} from '#tests/support/config-factories.ts';

const secrets = [{ name: 'opaque', type: 'Opaque', password: 'x' }];
const summary = (...objects: TestObject[]) => errorSummary(compiled(objects, { secrets }).problems);
const now = new Date('2026-11-25T15:00:00.123Z');
const speaker = { kind: 'speaker', node: 'node1' } as const;

describe('errorSummary: texts that tools compare (api.md 8.5.1)', () => {
  it('171, PEER-19, #133: missing BFD profile', () => {
    expect(summary(peer('p', { bfdProfile: 'b' }))).toBe(
      'configuration error: peer p referencing non existing bfd profile b',
    );
  });

  it('171, PEER-16, #133: missing Secret', () => {
    expect(summary(peer('p', { passwordSecret: { name: 'gone' } }))).toBe(
      'configuration error: parsing peer p secret ref not found for peer config "metallb-system"/"p"\n' +
        'failed to parse peer p password secret',
    );
  });

  it('171, PEER-17, #133: wrong type of Secret', () => {
    expect(summary(peer('p', { passwordSecret: { name: 'opaque' } }))).toBe(
      'configuration error: parsing peer p secret type mismatch on "metallb-system"/"opaque", ' +
        'type "kubernetes.io/basic-auth" is expected \nfailed to parse peer p password secret',
    );
  });

  it('171, ADB-12, #133: unknown community alias', () => {
    expect(summary(bgpAdv('a', { communities: ['alias'] }))).toBe(
      'configuration error: invalid community format: alias\ninvalid community "alias" in BGP advertisement',
    );
  });

  it.each([
    ['192.0.2.1', {}],
    ['192.0.2.1-red', { vrf: 'red' }],
    ['eth0', { peerAddress: undefined, interface: 'eth0' }],
  ])('171, FRR-2, #133: duplicate peer %s', (identifier, spec) => {
    expect(summary(peer('p', spec), peer('q', spec))).toBe(
      `configuration error: peer ${identifier} already exists, FRR mode doesn't support duplicate BGPPeers selecting the same node`,
    );
  });
});

describe('errorSummary: one problem, in the order of contract.md', () => {
  it('#134 taking the faulty objects away one by one shows them in order', () => {
    const faults: readonly [string, TestObject][] = [
      ['FRR-2', peer('z')],
      ['BFD-2', bfd('b', { detectMultiplier: 1 })],
      ['PEER-1', peer('a', { myASN: 0, peerAddress: '192.0.2.3', vrf: 'red' })],
      ['PEER-19', peer('c', { bfdProfile: 'none', peerAddress: '192.0.2.4' })],
      ['COM-1', community('x', [{ name: 'n', value: '1' }])],
      ['POOL-3', pool('p', ['nonsense'])],
      ['ADL-1', l2Adv('l', { ipAddressPools: ['v6', 'v6'] })],
      ['ADB-12', bgpAdv('d', { communities: ['alias'] })],
      ['ADB-16', bgpAdv('e', { aggregationLengthV6: 64 })],
      ['X-1', bgpAdv('f')],
    ];
    const sound = [
      peer('m', { bfdProfile: 'echo' }),
      bfd('echo', { echoMode: true }),
      pool('v6', ['2001:db8::/120']),
    ];
    const seen: string[] = [];
    for (let left = [...faults].reverse(); left.length > 0; left.pop()) {
      const objects = [...left.map(([, object]) => object), ...sound];
      seen.push(compiled(objects).problems[0]?.code ?? '');
    }
    expect(seen).toEqual(faults.map(([code]) => code));
  });

  it('172: inside a kind the first object by name, by code units and not by locale; then the next', () => {
    const missing = (name: string, address: string) => peer(name, { bfdProfile: 'x', peerAddress: address });
    expect(
      summary(missing('b', '192.0.2.3'), missing('a', '192.0.2.2'), missing('B', '192.0.2.4')),
    ).toContain('peer B referencing');
    expect(summary(missing('b', '192.0.2.3'), missing('a', '192.0.2.2'))).toContain('peer a referencing');
    expect(summary(missing('b', '192.0.2.3'))).toContain('peer b referencing');
  });
});

describe('ConfigurationState', () => {
  const invalid = compiled([peer('p', { bfdProfile: 'b' })]).problems;

  it('names, labels, condition and manager of the two components', () => {
    expect(namesOf({ kind: 'controller' })).toEqual({
      objectName: 'controller',
      labels: { 'metallb.io/component-type': 'controller' },
      conditionType: 'poolReconcilerValid',
      fieldManager: 'poolReconciler',
    });
    expect(namesOf(speaker)).toEqual({
      objectName: 'speaker-node1',
      labels: { 'metallb.io/component-type': 'speaker', 'metallb.io/node-name': 'node1' },
      conditionType: 'configReconcilerValid',
      fieldManager: 'configReconciler',
    });
  });

  it('159, 161: is valid without problems', () => {
    expect(configurationStateStatus(speaker, [], undefined, now)).toEqual({
      result: 'Valid',
      errorSummary: '',
      conditions: [
        {
          type: 'configReconcilerValid',
          status: 'True',
          reason: 'Reconciled',
          message: '',
          lastTransitionTime: '2026-11-25T15:00:00Z',
        },
      ],
    });
  });

  it('160, 162: is invalid with a problem, which the condition and the summary tell alike', () => {
    const status = configurationStateStatus(speaker, invalid, undefined, now);
    expect(status.result).toBe('Invalid');
    expect(status.conditions[0]).toMatchObject({ status: 'False', reason: 'ConfigurationError' });
    expect(status.conditions[0]?.message).toBe(status.errorSummary);
  });

  it('changes the time of transition with the status only', () => {
    const later = new Date('2026-11-25T16:00:00Z');
    const before = configurationStateStatus(speaker, invalid, undefined, now);
    const other = compiled([peer('q', { bfdProfile: 'c' })]).problems;
    const same = configurationStateStatus(speaker, other, before, later);
    expect(same.conditions[0]?.lastTransitionTime).toBe('2026-11-25T15:00:00Z');
    expect(same.errorSummary).not.toBe(before.errorSummary);
    const healed = configurationStateStatus(speaker, [], same, later);
    expect(healed.conditions[0]?.lastTransitionTime).toBe('2026-11-25T16:00:00Z');
  });

  it('158: made before there is a verdict it is Unknown, with an empty summary; once that is written nothing is', () => {
    const wish = { component: { kind: 'controller' }, namespace: 'x', owner: undefined, now } as const;
    const unknown = { result: 'Unknown', errorSummary: '', conditions: [] };
    const plan = planConfigurationState(undefined, { ...wish, problems: undefined });
    expect(plan.create).toMatchObject({ metadata: { name: 'controller' } });
    expect(plan.status).toEqual(unknown);
    const { labels } = namesOf(wish.component);
    const again = planConfigurationState(
      { labels, owners: [], status: unknown },
      { ...wish, problems: undefined },
    );
    expect([again.create, again.metadata, again.status]).toEqual([undefined, undefined, undefined]);
    const verdict = configurationStateStatus(wish.component, [], undefined, now);
    const known = planConfigurationState(
      { labels, owners: [], status: verdict },
      { ...wish, problems: undefined },
    );
    expect(known.status).toBeUndefined();
  });

  it('160: result of conditions: none Unknown, an error of another kind Valid', () => {
    expect(resultOf([])).toBe('Unknown');
    expect(resultOf([{ status: 'False', reason: 'UnknownError' }])).toBe('Valid');
    expect(resultOf([{ status: 'False', reason: 'ConfigurationError' }])).toBe('Invalid');
  });
});
