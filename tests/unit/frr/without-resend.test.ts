import { describe, expect, it } from 'vitest';
import { diff } from '#core/frr/diff.ts';
import { parseConfig } from '#core/frr/tree.ts';
import { withoutResend } from '#core/frr/without-resend.ts';
import { loadTemplates } from '#speaker/frr/templates.ts';
import { community, peer } from '#tests/support/bgp-factories.ts';
import { announcing } from '#tests/support/frr-driver.ts';
import type { FrrModel } from '#core/frr/model.ts';

const render = loadTemplates('frr-templates');
const peers = [peer('a', '10.77.0.2'), peer('b', 'fd77::2')];
const coloured = (n: number, part = {}): FrrModel =>
  announcing(['198.18.0.1', '2001:db8::1'], { peers, ...part }, { communities: [community(`64512:${n}`)] });

function typed(from: string, to: string): string[] {
  const [applied, desired] = [parseConfig(from), parseConfig(to)];
  return withoutResend(diff(applied, desired), applied, desired).map(({ command }) => command);
}

const isHeldStill = (commands: readonly string[]): boolean =>
  commands[0] === 'bgp route-map delay-timer 0' && commands.at(-1) === 'bgp route-map delay-timer 1';

describe('maps that FRR need not look at once more', () => {
  it('another class for all routes: typed while the timer is off, which stands as before in the end', () => {
    const commands = typed(render(coloured(1)), render(coloured(2)));
    expect(isHeldStill(commands)).toBe(true);
    expect(commands.filter((command) => command.includes('delay-timer'))).toHaveLength(2);
    expect(commands.some((command) => command.startsWith('network '))).toBe(true);
  });

  it('the first route of a class and the last one', () => {
    const none = announcing([], { peers });
    expect(isHeldStill(typed(render(none), render(coloured(1))))).toBe(true);
    expect(isHeldStill(typed(render(coloured(1)), render(none)))).toBe(true);
  });

  it('a neighbour comes or goes, with maps of its own', () => {
    const more = coloured(1, { peers: [...peers, peer('c', '10.77.0.3')] });
    // The class is another one then: it names its peers.
    expect(isHeldStill(typed(render(coloured(1)), render(more)))).toBe(true);
    expect(isHeldStill(typed(render(more), render(coloured(1))))).toBe(true);
  });

  it('routes alone, and no changes at all, are typed as they are', () => {
    const two = announcing(['198.18.0.1'], { peers });
    const three = announcing(['198.18.0.1', '198.18.0.2'], { peers });
    expect(typed(render(two), render(three))).toEqual([expect.stringMatching(/^network 198\.18\.0\.2\/32/)]);
    expect(typed(render(two), render(two))).toEqual([]);
  });
});

describe('what is left to the timer', () => {
  const base = render(coloured(1));
  const entry = /route-map 10\.77\.0\.2-out permit (\d+)/.exec(base)?.[0] ?? '';

  it('the first configuration, which sets the timer', () => {
    expect(typed('', base).filter((command) => command.includes('delay-timer'))).toEqual([
      'bgp route-map delay-timer 1',
    ]);
  });

  it('an entry that routes in force have met: lost, changed, or found to be missing', () => {
    const without = base.replace(new RegExp(`${entry}\\n( .*\\n)*`), '');
    const changed = base.replace(new RegExp(`(${entry}\\n match tag \\d+\\n)`), '$1 set metric 5\n');
    expect(without).not.toBe(base);
    expect(changed).not.toBe(base);
    for (const [from, to] of [
      [base, without],
      [without, base],
      [base, changed],
      [changed, base],
    ] as const) {
      const commands = typed(from, to);
      expect(commands.length).toBeGreaterThan(0);
      expect(commands.some((command) => command.includes('delay-timer'))).toBe(false);
    }
  });

  it.each([
    'route-map 10.77.0.2-in permit 20\n match ip address prefix-list wanted\n',
    'route-map 10.77.0.2-out permit 7\n set metric 9\n',
    'ip prefix-list wanted permit 192.0.2.0/24\n',
    'bgp community-list standard l permit 64512:1\n',
  ])('lines that users append, also beside a new class: %j', (frrExtras) => {
    const commands = typed(base, render(coloured(2, { frrExtras })));
    expect(commands.some((command) => command.includes('delay-timer'))).toBe(false);
  });

  it('a timer that users chose: off stays off, another value is put back', () => {
    const extras = (n: number) => ({ frrExtras: `bgp route-map delay-timer ${n}\n` });
    const off = typed(render(coloured(1, extras(0))), render(coloured(2, extras(0))));
    expect(off.some((command) => command.includes('delay-timer'))).toBe(false);
    const five = typed(render(coloured(1, extras(5))), render(coloured(2, extras(5))));
    expect([five[0], five.at(-1)]).toEqual(['bgp route-map delay-timer 0', 'bgp route-map delay-timer 5']);
  });
});
