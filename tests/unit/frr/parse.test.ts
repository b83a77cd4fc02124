import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseBfdCounters, parseBfdPeers, parseNeighbors } from '#core/frr/parse.ts';

const fixture = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../fixtures/frr/${name}.json`, import.meta.url), 'utf8'));

describe('answers of FRR 10.3', () => {
  it('neighbours of all VRFs, unnumbered ones by interface (W42)', () => {
    const sessions = parseNeighbors(fixture('bgp-neighbors'));
    expect(sessions.map(({ vrf, neighbor, state }) => [vrf, neighbor, state])).toEqual([
      ['', 'eth0', 'Idle'],
      ['', '10.77.0.2', 'Established'],
      ['', '10.77.0.99', 'Idle'],
      ['', 'fd77::2', 'Established'],
      ['red', '10.78.0.9', 'Active'],
    ]);
    expect(sessions[1]).toMatchObject({
      sentPrefixes: 2,
      acceptedPrefixes: 0,
      families: ['ipv4'],
      bfd: 'Up',
      upSeconds: 5,
      established: 1,
      dropped: 0,
      lastReset: '',
      messages: { opensSent: 1, updatesSent: 2, totalReceived: 4 },
    });
    expect(sessions[0]).toMatchObject({ families: ['ipv4', 'ipv6'], bfd: undefined, upSeconds: undefined });
  });
  it('BFD sessions and counters', () => {
    expect(parseBfdPeers(fixture('bfd-peers'))).toEqual([
      { vrf: '', peer: '10.77.0.2', interface: 'eth0', isUp: true },
      { vrf: '', peer: '10.77.0.99', interface: '', isUp: false },
    ]);
    expect(parseBfdCounters(fixture('bfd-counters'))[0]).toEqual({
      vrf: '',
      peer: '10.77.0.2',
      interface: 'eth0',
      controlInput: 18,
      controlOutput: 19,
      echoInput: 0,
      echoOutput: 0,
      upEvents: 1,
      downEvents: 0,
      zebraNotifications: 2,
    });
  });
  it('odd answers are no crash', () => {
    expect(parseNeighbors(null)).toEqual([]);
    expect(parseNeighbors({ default: { x: { bgpState: 7 } } })[0]).toMatchObject({ state: '', families: [] });
    expect(parseBfdPeers('no')).toEqual([]);
  });
});
