/** What OLM is told about upgrades, from what the MetalLB object's conditions say. */
import { describe, expect, it } from 'vitest';
import { metallbConditions, type MetalLBVerdict } from '#core/status/metallb-conditions.ts';
import { toldOlm, upgradeability, type OperatorCondition } from '#core/status/operator-condition.ts';

const early = '2026-01-01T00:00:00Z';
const late = '2026-01-01T01:00:00Z';

const of = (verdict: MetalLBVerdict) =>
  upgradeability(metallbConditions(verdict, [], { generation: 1, now: early }));

describe('whether an upgrade is welcome', () => {
  it('yes when MetalLB is available; what it says goes along', () => {
    expect(of({ kind: 'available', message: 'engine' })).toEqual({
      status: 'True',
      reason: 'Available',
      message: 'engine',
    });
  });

  it('no while a rollout is under way: reason and message name what is waited for', () => {
    const message = 'DaemonSet speaker: 1 of 2 pods ready';
    expect(of({ kind: 'progressing', reason: 'SpeakerNotReady', message })).toEqual({
      status: 'False',
      reason: 'SpeakerNotReady',
      message,
    });
  });

  it('no with a spec that cannot be applied', () => {
    const message = 'spec.bgpBackend: unknown';
    expect(of({ kind: 'degraded', reason: 'InvalidSpec', message })).toEqual({
      status: 'False',
      reason: 'InvalidSpec',
      message,
    });
  });

  it('yes without a MetalLB object', () => {
    expect(upgradeability(undefined)).toMatchObject({ status: 'True', reason: 'NoMetalLB' });
  });
});

describe('what is written', () => {
  const no = { status: 'False', reason: 'SpeakerNotReady', message: 'waiting' } as const;
  const entry = (changes: Partial<OperatorCondition> = {}): OperatorCondition => ({
    type: 'Upgradeable',
    ...no,
    lastTransitionTime: early,
    ...changes,
  });

  it('the first time, the time is now', () => {
    expect(toldOlm([], no, late)).toEqual([entry({ lastTransitionTime: late })]);
  });

  it('nothing, when OLM has it already', () => {
    expect(toldOlm([entry()], no, late)).toBeUndefined();
  });

  it('another message keeps the time, another status takes a new one', () => {
    expect(toldOlm([entry({ message: 'else' })], no, late)).toEqual([entry()]);
    expect(toldOlm([entry({ status: 'True' })], no, late)).toEqual([entry({ lastTransitionTime: late })]);
  });

  it('entries of other types stay', () => {
    const other = entry({ type: 'Other' });
    expect(toldOlm([other], no, early)).toEqual([other, entry()]);
  });
});
