import type { Send, Verifications } from '../../shared/domain/ports.ts';
import type { Verification } from '../../shared/domain/verification.ts';
import type { Random } from './random.ts';
import type { MemorySightings } from './sightings.ts';
import { fence, type MemoryTable } from './verifications.ts';

/** Defects that can be put into the world around the verbs, each to be seen caught. */
export const plantNames = [
  'no-lease',
  'no-fence',
  'no-condition',
  'drop-message',
  'double-history',
  'no-note-fence',
  'no-hand-off-fence',
  'no-place',
  'drop-delivery',
  'unsigned',
  'no-look-in-bucket',
] as const;
export type Plant = (typeof plantNames)[number];

/** What a planted table does differently. */
export function plantedTable(plant: Plant | undefined): Pick<MemoryTable, 'admits' | 'stored'> {
  switch (plant) {
    case 'no-fence': // the state alone is looked at: not the sequence, the round, or what is waited for
      return { admits: (current, from) => current.state === from.state };
    case 'no-condition':
      return { admits: () => true };
    case 'no-note-fence': // a move goes through over notes that it does not cover
      return { admits: (current, from, to) => fence({ ...current, notes: from.notes }, from, to) };
    case 'no-hand-off-fence': // of two steps of a hand-off both go through
      return { admits: (current, from, to) => fence(withHandOffOf(from, current), from, to) };
    case 'double-history':
      return { stored: withDoubledEntry };
    default:
      return {};
  }
}

function withHandOffOf(from: Verification, current: Verification): Verification {
  return from.state === 'erased' || current.state === 'erased' ? current : { ...current, handOff: from.handOff };
}

function withDoubledEntry(row: Verification, before: Verification | undefined): Verification {
  const entry = row.history.at(-1);
  if (!before || !entry || row.sequence === before.sequence || row.state === 'erased') return row;
  return { ...row, history: [...row.history, entry] };
}

/** `no-place`: what is read of places is old at times, and a decision is written though another one stands there. */
export function plantedSightings(
  plant: Plant | undefined,
  sightings: MemorySightings,
  random: Random,
): MemorySightings {
  if (plant !== 'no-place') return sightings;
  return {
    ...sightings,
    find: async (places) => (random.chance(0.3) ? [] : sightings.find(places)),
    take: (wanted) => sightings.take(wanted) || true,
  };
}

/** The store and the queues as the verbs see them. */
export interface Stores {
  readonly verifications: Verifications;
  readonly send: Send;
}

export function plantedStores(plant: Plant | undefined, stores: Stores, random: Random): Stores {
  const { verifications, send } = stores;
  switch (plant) {
    case 'no-lease': // a claim holds no other worker off: each finds its lease dead
      return {
        send,
        verifications: {
          ...verifications,
          async find(id, options) {
            const record = await verifications.find(id, options);
            const leased = record?.state === 'dispatched' && record.waitingFor === 'answer';
            return leased ? { ...record, dueAt: 0 } : record;
          },
        },
      };
    case 'drop-message': {
      // A message is lost, sent again it is lost again, and the sweep does not see that it is missing.
      const lost = new Set<string>();
      return {
        async send(provider, verification, delaySeconds) {
          const message = `${verification.verificationId} ${verification.sequence}`;
          if (lost.has(message) || random.chance(0.1)) lost.add(message);
          else await send(provider, verification, delaySeconds);
        },
        verifications: {
          ...verifications,
          due: async (query) => (query.state === 'queued' ? [] : verifications.due(query)),
        },
      };
    }
    default:
      return stores;
  }
}
