/** When IPReservation objects are written, changed and deleted. */
import { describe, expect, it } from 'vitest';
import { planReservation, type ReservationView } from '#core/ipam/reservation-plan.ts';
import { ask, recorded, service } from '#tests/support/ipam.ts';

const NOW = Date.UTC(2026, 0, 1);
const holder = { ...recorded(['192.0.2.1']), annotations: ask({ 'reserve-for': '1h' }) };
const spec = { service: { namespace: 'n', name: 'a' }, addresses: ['192.0.2.1'], reserveFor: '1h' };
const view = (change: object = {}, automatic = true): ReservationView => ({
  name: 'n.a',
  uid: 'u',
  resourceVersion: '1',
  automatic,
  spec: { ...spec, ...change },
  status: undefined,
});
const plan = (input: Partial<Parameters<typeof planReservation>[0]>) =>
  planReservation({ object: undefined, service: undefined, wanted: undefined, now: NOW, ...input });

describe('the life of an IPReservation', () => {
  it('is written while the Service holds addresses, and follows them', () => {
    const live = service('n/a', holder);
    expect(plan({ service: live })).toMatchObject({ kind: 'create', spec });
    expect(plan({ service: live, object: view() })).toEqual({ kind: 'keep', afterMs: undefined });
    const moved = view({ addresses: ['192.0.2.9'] });
    expect(plan({ service: live, object: moved })).toMatchObject({ kind: 'replace', spec });
  });

  it.each([undefined, service('n/a', { ...holder, type: 'ClusterIP' })])('gets its end when %j', (gone) => {
    const ends = { ...spec, expiresAt: '2026-01-01T01:00:00.000Z' };
    expect(plan({ service: gone, object: view() })).toMatchObject({ kind: 'replace', spec: ends });
    expect(plan({ service: gone, wanted: spec })).toMatchObject({ kind: 'create', spec: ends });
  });

  it('is deleted at its end, not before, and loses it when the Service is back', () => {
    const object = view({ expiresAt: '2026-01-01T00:00:01Z' });
    expect(plan({ object })).toEqual({ kind: 'keep', afterMs: 1000 });
    expect(plan({ object, now: NOW + 1000 })).toMatchObject({ kind: 'delete' });
    expect(plan({ object, service: service('n/a', holder) })).toMatchObject({ kind: 'replace', spec });
    const waiting = service('n/a', { annotations: holder.annotations });
    expect(plan({ object, service: waiting })).toEqual({ kind: 'keep', afterMs: 1000 });
  });

  it('goes with the annotation; what users write stays until its own end', () => {
    const plain = service('n/a', recorded(['192.0.2.1']));
    expect(plan({ object: view(), service: plain })).toMatchObject({ kind: 'delete' });
    expect(plan({ object: view({}, false), service: plain })).toEqual({ kind: 'keep', afterMs: undefined });
    expect(plan({ object: view({ expiresAt: '2025-01-01T00:00:00Z' }, false) })).toMatchObject({
      kind: 'delete',
    });
  });
});
