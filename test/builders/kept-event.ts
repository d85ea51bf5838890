import type { KeptEvent } from '../../shared/domain/delivery.ts';

/** An event that was kept. Say only what your test is about. */
export function aKeptEvent(overrides: Partial<KeptEvent> = {}): KeptEvent {
  return {
    id: 'evt_a_4',
    tenant: 'acme',
    type: 'verification.decided',
    about: 'a',
    sequence: 4,
    occurredAt: '2026-01-01T00:00:09.000Z',
    keptAt: '2026-01-01T00:00:10.000Z',
    data: '{"id":"evt_a_4"}',
    purgeAt: Date.parse('2026-01-31T00:00:10.000Z') / 1000,
    ...overrides,
  };
}
