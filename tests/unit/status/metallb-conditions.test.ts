/** Conditions of the MetalLB object (operator-packaging.md §1.3, §10.7 by number). */
import { describe, expect, it } from 'vitest';
import { metallbConditions, sameConditions, type MetalLBVerdict } from '#core/status/metallb-conditions.ts';

const early = { generation: 1, now: '2026-01-01T00:00:00Z' };
const late = { generation: 2, now: '2026-01-01T01:00:00Z' };
const available: MetalLBVerdict = { kind: 'available', message: 'engine' };
const progressing: MetalLBVerdict = { kind: 'progressing', reason: 'SpeakerNotReady', message: 'waiting' };
const degraded: MetalLBVerdict = { kind: 'degraded', reason: 'ApplyFailed', message: 'broken' };

function summary(verdict: MetalLBVerdict) {
  return metallbConditions(verdict, [], early).map(({ type, status, reason, message }) =>
    [type, status, reason, message].join(' '),
  );
}

describe('conditions', () => {
  it('70, 73: available', () => {
    expect(summary(available)).toEqual([
      'Available True Available engine',
      'Upgradeable True Upgradeable ',
      'Progressing False Progressing ',
      'Degraded False Degraded ',
    ]);
  });

  it('71: progressing', () => {
    expect(summary(progressing)).toEqual([
      'Available False Available ',
      'Upgradeable False Upgradeable ',
      'Progressing True SpeakerNotReady waiting',
      'Degraded False Degraded ',
    ]);
  });

  it('72: degraded', () => {
    expect(summary(degraded)).toEqual([
      'Available False Available ',
      'Upgradeable False Upgradeable ',
      'Progressing False Progressing ',
      'Degraded True ApplyFailed broken',
    ]);
  });

  it('every reason is valid for metav1.Condition', () => {
    for (const verdict of [available, progressing, degraded]) {
      for (const { reason } of metallbConditions(verdict, [], early)) {
        expect(reason).toMatch(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/);
      }
    }
  });

  it('a transition time moves only with its status', () => {
    const before = metallbConditions(progressing, [], early);
    const same = metallbConditions({ ...progressing, message: 'still waiting' }, before, late);
    expect(same.map(({ lastTransitionTime }) => lastTransitionTime)).toEqual(Array(4).fill(early.now));
    const after = metallbConditions(available, before, late);
    expect(after.map(({ lastTransitionTime }) => lastTransitionTime)).toEqual([
      late.now,
      late.now,
      late.now,
      early.now,
    ]);
  });

  it('equal verdicts give equal conditions: nothing to write', () => {
    const first = metallbConditions(available, [], early);
    const second = metallbConditions(available, first, { ...late, generation: 1 });
    expect(sameConditions(first, second)).toBe(true);
    expect(sameConditions(first, metallbConditions(available, first, late))).toBe(false);
    expect(sameConditions(first, [])).toBe(false);
  });
});
