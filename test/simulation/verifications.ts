import { isDeepStrictEqual } from 'node:util';
import type { Due, Listed, Moved, Sighting, Verifications } from '../../shared/domain/ports.ts';
import {
  type InState,
  maximumNotes,
  moved,
  notedEntry,
  overNotes,
  type State,
  type Unerased,
  type Verification,
  verification,
  withNothingDue,
  withOrderClosed,
  withOrderGivenUp,
  withRefund,
} from '../../shared/domain/verification.ts';
import {
  alwaysWrites,
  fencesErasure,
  fencesMissing,
  fencesNotes,
  fencesPosts,
  fencesRefund,
  fencesRefundDue,
  fencesWaiting,
  renewsChallenge,
  shardOf,
  stepsHandOff,
} from '../../shared/stores/verifications.ts';
import { type MemorySightings, memorySightings } from './sightings.ts';

/** A table in memory, open to a test. */
export interface MemoryVerifications extends Verifications {
  readonly all: () => Verification[];
  /** Called with every change, as the table's stream would be. */
  onChange?: (before: Verification | undefined, after: Verification) => void;
}

export interface MemoryTable {
  readonly now: () => Date;
  readonly newId: () => string;
  readonly sightings?: Pick<MemorySightings, 'take'>;
  /** Credits left, by tenant. */
  readonly credits?: Map<string, number>;
  /** Whether a write read at `from` goes through. The simulation plants weaker ones to see them caught. */
  readonly admits?: typeof fence;
  /** What becomes of a row on its way into the table. */
  readonly stored?: (row: Verification, before: Verification | undefined) => Verification;
}

/** The condition of the real store's write, word for word. */
export function fence(current: Verification, from: Verification, to: Verification): boolean {
  return (
    current.sequence === from.sequence &&
    current.state === from.state &&
    current.round === from.round &&
    (!(from.state === 'awaiting_captures' && fencesMissing(to.state)) ||
      (current.state === 'awaiting_captures' && current.missing.join() === from.missing.join())) &&
    (!renewsChallenge(from, to) ||
      (current.state === 'awaiting_captures' && current.challengeIssuedAt === from.challengeIssuedAt)) &&
    (!stepsHandOff(from, to) || !stepsHandOff(current, from)) &&
    (!(from.state === 'dispatched' && fencesWaiting(to.state)) ||
      (current.state === 'dispatched' && current.waitingFor === from.waitingFor)) &&
    (!fencesRefund(from, to) || ('credit' in current && current.credit === 'taken')) &&
    (!fencesRefundDue(from, to) || (current.state === 'erased' && current.refundDue === true)) &&
    erasureFence(current, from, to) &&
    (!fencesNotes(from, to) || current.notes === from.notes) &&
    (!fencesPosts(from, to) ||
      ('failedPosts' in current && 'failedPosts' in from && current.failedPosts === from.failedPosts))
  );
}

function erasureFence(current: Verification, from: Verification, to: Verification): boolean {
  const fenced = fencesErasure(from, to);
  return !fenced || (current.state === 'erased' && current.erasure?.step === fenced.step);
}

/**
 * A table in memory that passes the real store's suite: the same fences, the same losers' answers. Its rows are frozen
 * instead of copied: no reader can change what another has read, and a hundred thousand simulated runs stay affordable.
 */
export function memoryVerifications({
  now,
  newId,
  sightings: places = memorySightings(now),
  credits = new Map(),
  admits = fence,
  stored = (row) => row,
}: MemoryTable): MemoryVerifications {
  const rows = new Map<string, Verification>();

  function write<T extends Verification>(row: T): T {
    const before = rows.get(row.verificationId);
    const after = frozen(stored(row, before));
    rows.set(row.verificationId, after);
    table.onChange?.(before, after);
    return after as T;
  }

  function change<S extends State>(from: Verification, to: InState<S>, sightings: readonly Sighting[] = []): Moved<S> {
    const current = rows.get(from.verificationId);
    if (current === undefined || !admits(current, from, to)) return { kind: 'lost', current };
    if (!places.take(sightings)) return { kind: 'lost', current: from };
    const entry = to.sequence > from.sequence ? to.history.at(-1) : undefined;
    const merged = {
      ...withoutRemoved(current, from, to),
      ...unchanged(current, from, to),
      ...(to.state === 'erased'
        ? {}
        : {
            history: entry ? [...current.history, entry] : current.history,
            notes: current.notes,
            notesDropped: current.notesDropped,
          }),
    };
    return { kind: 'moved', verification: write(merged) };
  }

  const table: MemoryVerifications = {
    all: () => [...rows.values()],

    async create(record) {
      const existing = rows.get(record.verificationId);
      if (existing) return { kind: 'exists', verification: existing };
      return { kind: 'created', verification: write(parsed(record)) };
    },

    async createPaid(record) {
      const left = credits.get(record.tenant) ?? 0;
      if (!rows.has(record.verificationId) && left === 0) return { kind: 'unpaid' };
      const made = await table.create(record);
      if (made.kind === 'created') credits.set(record.tenant, left - 1);
      return made;
    },

    find: async (id) => rows.get(id),

    async move(from, to, fields, remark = {}, sightings = []) {
      const stamp = { at: now(), moveId: newId() };
      return overNotes(from, async (read) => change(read, moved(read, to, fields, remark, stamp), sightings));
    },

    land: async (from, fields) => change(from, parsed({ ...from, ...fields })),

    renew: async (from, fields) => change(from, parsed({ ...from, ...fields })),

    handOff: async (from, handOff) => change<Unerased['state']>(from, parsed({ ...from, handOff })),

    accept: async (from, fields) => change(from, parsed({ ...from, ...fields, waitingFor: 'webhook' })),

    async refund(from) {
      const refunded = change(from, withRefund(from));
      if (refunded.kind === 'moved') credits.set(from.tenant, (credits.get(from.tenant) ?? 0) + 1);
      return refunded;
    },

    countPost: async (from, fields) => change<'decided' | 'errored' | 'expired'>(from, parsed({ ...from, ...fields })),

    giveUpOrder: async (from, fields) =>
      change<'decided' | 'errored' | 'expired'>(from, parsed(withOrderGivenUp(from, fields))),

    async closeOrder(from, dueAt) {
      change(from, withOrderClosed(from, dueAt));
    },

    writeDeletions: async (from, fields) => change(from, parsed({ ...from, ...fields })),

    settle: async (from) => change(from, withNothingDue(from, now())),

    async note(from, code, about = {}) {
      const current = rows.get(from.verificationId);
      if (!current || current.state === 'erased') return;
      const entry = notedEntry(from, code, about, now());
      write(
        current.notes < maximumNotes
          ? { ...current, history: [...current.history, entry], notes: current.notes + 1 }
          : { ...current, notesDropped: current.notesDropped + 1 },
      );
    },

    async list({ tenant, states, check, outcome, from = '', to = '~', limit, after }) {
      const matching = [...rows.values()]
        .filter((row) => row.tenant === tenant && states.includes(row.state))
        .filter((row) => row.createdAt >= from && row.createdAt < to && (check === undefined || row.check === check))
        .filter((row) => outcome === undefined || (row.state === 'decided' && row.verdict.outcome === outcome))
        .sort((a, b) => b.createdAt.localeCompare(a.createdAt) || b.verificationId.localeCompare(a.verificationId))
        .filter(
          (row) =>
            !after ||
            row.createdAt < after.createdAt ||
            (row.createdAt === after.createdAt && row.verificationId < after.verificationId),
        );
      const page = matching.slice(0, limit);
      const last = page.at(-1);
      return {
        items: page.map(
          (row): Listed => ({
            verificationId: row.verificationId,
            ...(row.state === 'erased' ? {} : { sourceId: row.sourceId }),
            check: row.check,
            state: row.state,
            round: row.round,
            sequence: row.sequence,
            ...(row.state === 'decided' ? { verdict: row.verdict } : {}),
            createdAt: row.createdAt,
            updatedAt: row.updatedAt,
          }),
        ),
        next:
          matching.length > limit && last
            ? { verificationId: last.verificationId, createdAt: last.createdAt }
            : undefined,
      };
    },

    async failures({ subject, since, limit }) {
      return [...rows.values()]
        .filter((row) => row.state === 'decided' && row.verdict.outcome === 'failed' && row.subject === subject)
        .map(({ updatedAt }) => updatedAt)
        .filter((at) => at > since.toISOString())
        .sort()
        .reverse()
        .slice(0, limit);
    },

    async due({ state, shard, now: at, limit, after }) {
      const seconds = Math.floor(at.getTime() / 1000);
      const found: Due[] = [];
      for (const row of rows.values()) {
        if (row.state !== state || !('dueAt' in row) || row.dueAt === undefined || row.dueAt > seconds) continue;
        if (shardOf(row.verificationId) === shard) found.push({ verificationId: row.verificationId, dueAt: row.dueAt });
      }
      return found
        .sort(byDeadline)
        .filter((one) => !after || byDeadline(one, after) > 0)
        .slice(0, limit);
    },
  };
  return table;
}

/** As the index orders them. */
function byDeadline(one: Due, other: Due): number {
  return one.dueAt - other.dueAt || one.verificationId.localeCompare(other.verificationId);
}

/** What a write does not mention, and another one has removed since `from` was read, stays away. */
function withoutRemoved<T extends Verification>(current: Verification, from: Verification, to: T): T {
  const read = new Map(Object.entries(from));
  return Object.fromEntries(
    Object.entries(to).filter(
      ([name, value]) => name in current || alwaysWrites(name, from, to) || !isDeepStrictEqual(value, read.get(name)),
    ),
  ) as T;
}

/** What a write does not mention stays as it is: another one may have changed it since `from` was read. */
function unchanged(current: Verification, from: Verification, to: Verification): Partial<Verification> {
  const read = new Map(Object.entries(from));
  const written = new Map(Object.entries(to));
  return Object.fromEntries(
    Object.entries(current).filter(
      ([name]) =>
        (written.has(name) || (to.state !== 'erased' && !read.has(name))) &&
        !alwaysWrites(name, from, to) &&
        isDeepStrictEqual(written.get(name), read.get(name)),
    ),
  );
}

/** A row of its own, of the shape its state has. `moved` has already seen to that. */
function parsed<T extends Verification>(row: T): T {
  return verification.parse(row) as T;
}

function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) frozen(inner);
  return Object.freeze(value);
}
