import { beforeEach, describe, expect, it } from 'vitest';
import { BfdPatience } from '#core/frr/bfd-patience.ts';
import type { BgpSession } from '#core/frr/parse.ts';
import { intended, observed, report } from '#tests/support/bgp-sessions.ts';

let patience: BfdPatience;
let now = 0;
beforeEach(() => {
  [patience, now] = [new BfdPatience(), 0];
});

const waiting: Partial<BgpSession> = { state: 'Idle', bfd: 'Down', established: 0 };
/** Time goes on, a second at a time, with a look each; the peers that are tried without BFD at the end. */
function after(seconds: number, seen: Partial<BgpSession>, hasBfd = true): readonly string[] {
  for (let i = 0; i < seconds; i += 1) {
    now += 1000;
    patience.look(now, [
      report({ intended: intended({ hasBfd }), observed: observed({ messages: {}, ...seen }) }),
    ]);
  }
  return [...patience.without];
}

describe('sessions that wait for BFD', () => {
  it('are tried without it after 10 s, until they are up', () => {
    expect(after(10, waiting)).toEqual([]);
    expect(after(1, waiting)).toEqual(['tor1']);
    // Its BFD is not reported while it is left out.
    expect(after(3, { ...waiting, bfd: undefined, state: 'Connect' })).toEqual(['tor1']);
    expect(after(1, { bfd: undefined })).toEqual([]);
    expect(after(60, { bfd: 'Down' })).toEqual([]);
  });

  it('the two ways take turns, as the router may wait for BFD itself; each time with more patience, at most 2 min', () => {
    const turns: number[] = [];
    for (let turn = 0; turn < 10; turn += 1) {
      const isWithout = patience.without.size > 0;
      let seconds = 0;
      for (; patience.without.size > 0 === isWithout; seconds += 1) after(1, waiting);
      if (!isWithout) turns.push(seconds);
    }
    expect(turns).toEqual([11, 20, 40, 80, 120]);
  });

  it.each<[string, Partial<BgpSession>, boolean]>([
    ['FRR tries to connect, as others than 10.3.0 do', { ...waiting, state: 'Connect' }, true],
    ['BFD is up', { ...waiting, bfd: 'Up' }, true],
    ['the session is up', { bfd: 'Down' }, true],
    ['there is no BFD', { ...waiting, bfd: undefined }, false],
  ])('nothing is left out where %s', (_, seen, hasBfd) => {
    expect(after(60, seen, hasBfd)).toEqual([]);
  });

  it('one that FRR does not begin by itself is begun: with its BFD gone, and still idle', () => {
    const stuck = (isWithoutBfd: boolean, seen: Partial<BgpSession>) =>
      patience
        .stuck([
          report({ intended: intended({ isWithoutBfd }), observed: observed({ messages: {}, ...seen }) }),
        ])
        .map(({ peer }) => peer);
    expect(stuck(true, { state: 'Idle', bfd: undefined })).toEqual(['tor1']);
    // Its BFD has not gone yet; it is on its way; it is up; it is none of these sessions.
    expect(stuck(true, waiting)).toEqual([]);
    expect(stuck(true, { state: 'Connect', bfd: undefined })).toEqual([]);
    expect(stuck(true, { bfd: undefined })).toEqual([]);
    expect(stuck(false, { state: 'Idle', bfd: undefined })).toEqual([]);
  });

  it('an FRR that is silent or lacks the neighbour says nothing; a peer that is gone is forgotten', () => {
    after(11, waiting);
    const silent = report({ intended: intended({ hasBfd: true }), observed: undefined, frrAnswers: false });
    expect(patience.look(now + 60_000, [silent])).toBe(false);
    expect([...patience.without]).toEqual(['tor1']);
    expect(patience.look(now + 60_000, [])).toBe(true);
    expect([...patience.without]).toEqual([]);
  });
});
