/** The condition Accepted: what it says, and when there is something to write. */
import { describe, expect, it } from 'vitest';
import type { Problem } from '#core/model/config.ts';
import {
  findingsByObject,
  newAccepted,
  storedAccepted,
  type AcceptedCondition,
  type AcceptedView,
} from '#core/status/accepted.ts';

const now = '2026-01-02T00:00:00Z';
const earlier = '2026-01-01T00:00:00Z';
const peer = { kind: 'BGPPeer', namespace: 'metallb-system', name: 'r1' };

function problem(message: string, object = peer): Problem {
  return { code: 'PEER-1', field: 'spec.myASN', message, remedy: 'Set it.', object, summary: message };
}

function stored(condition: Partial<AcceptedCondition>, generation = 1): AcceptedView {
  const whole = {
    type: 'Accepted',
    lastTransitionTime: earlier,
    observedGeneration: 1,
    ...condition,
  } as const;
  return { generation, condition: whole };
}

const fresh: AcceptedView = { generation: 1, condition: undefined };
const accepted = { status: 'True', reason: 'Accepted', message: '' } as const;

describe('newAccepted', () => {
  it('is True for an object without findings, and is not written again', () => {
    const condition = newAccepted(undefined, fresh, now);
    expect(condition).toEqual({
      type: 'Accepted',
      ...accepted,
      lastTransitionTime: now,
      observedGeneration: 1,
    });
    expect(newAccepted(undefined, { generation: 1, condition }, '2030-01-01T00:00:00Z')).toBeUndefined();
  });

  it('names every problem with field and remedy', () => {
    const findings = { problems: [problem('no AS number'), problem('twice')], warnings: [], isKept: false };
    expect(newAccepted(findings, fresh, now)).toMatchObject({
      status: 'False',
      reason: 'Invalid',
      message: 'spec.myASN: no AS number. Set it. spec.myASN: twice. Set it.',
    });
  });

  it('says when the object stays in force as it was', () => {
    const findings = { problems: [problem('no AS number')], warnings: [], isKept: true };
    expect(newAccepted(findings, fresh, now)).toMatchObject({
      reason: 'InvalidChange',
      message: expect.stringMatching(/^Speakers use the object as it was before, .* spec\.myASN/) as string,
    });
  });

  it('a controller that came after the edit leaves that to stand, until the next edit', () => {
    const known = { problems: [problem('x')], warnings: [], isKept: true };
    const condition = newAccepted(known, fresh, now);
    const unknown = { ...known, isKept: false };
    expect(newAccepted(unknown, { generation: 1, condition }, now)).toBeUndefined();
    expect(newAccepted(unknown, { generation: 2, condition }, now)).toMatchObject({ reason: 'Invalid' });
    expect(newAccepted(undefined, { generation: 1, condition }, now)).toMatchObject(accepted);
  });

  it('a warning takes nothing away', () => {
    const findings = { problems: [], warnings: [problem('no such pool')], isKept: false };
    expect(newAccepted(findings, fresh, now)).toMatchObject({
      ...accepted,
      message: 'spec.myASN: no such pool. Set it.',
    });
  });

  it('keeps the transition time while the status stays, and follows the generation', () => {
    expect(newAccepted(undefined, stored(accepted, 2), now)).toMatchObject({
      lastTransitionTime: earlier,
      observedGeneration: 2,
    });
    const bad = { problems: [problem('x')], warnings: [], isKept: false };
    expect(newAccepted(bad, stored(accepted), now)).toMatchObject({ lastTransitionTime: now });
  });

  it.each<Partial<AcceptedCondition>>([{ status: 'False' }, { reason: 'Invalid' }, { message: 'x' }])(
    'somebody else wrote %j: it is put right',
    (change) => {
      expect(newAccepted(undefined, stored({ ...accepted, ...change }), now)).toBeDefined();
    },
  );

  it('a message stays within what the schema takes', () => {
    const findings = { problems: [problem('x'.repeat(50_000))], warnings: [], isKept: false };
    expect(newAccepted(findings, fresh, now)?.message.length).toBeLessThan(32_768);
  });
});

it('of a status, only our condition counts, and it is a copy', () => {
  const ours = { type: 'Accepted', status: 'True' };
  const conditions = [{ type: 'Ready', status: 'False' }, ours];
  expect(storedAccepted({ conditions, more: 1 })).toEqual(ours);
  expect(storedAccepted({ conditions })).not.toBe(ours);
  for (const none of [undefined, {}, { conditions: [] }]) expect(storedAccepted(none)).toBeUndefined();
});

it('findings are sorted by object', () => {
  const other = { ...peer, name: 'r2' };
  const found = findingsByObject({
    problems: [problem('a'), problem('b', other)],
    warnings: [problem('c')],
    kept: [other],
  });
  expect([...found.keys()]).toEqual(['BGPPeer/r1', 'BGPPeer/r2']);
  expect(found.get('BGPPeer/r1')).toMatchObject({
    problems: [{ message: 'a' }],
    warnings: [{ message: 'c' }],
    isKept: false,
  });
  expect(found.get('BGPPeer/r2')).toMatchObject({ isKept: true });
});
