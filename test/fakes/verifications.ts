import {
  type HistoryEntry,
  type In,
  maximumNotes,
  moved,
  type State,
  type Verification,
  verification,
} from '../../shared/domain/verification.ts';
import {
  fencesWaiting,
  type Listed,
  type Moved,
  shardOf,
  type Verifications,
} from '../../shared/stores/verifications.ts';

/** A table in memory that passes the real store's suite: the same fences, the same losers' answers. */
export function fakeVerifications({ now, newId }: { now: () => Date; newId: () => string }): Verifications & {
  all: () => Verification[];
  /** Called with every change, as the table's stream would be. */
  onChange?: (before: Verification | undefined, after: Verification) => void;
} {
  const rows = new Map<string, Verification>();
  const copy = <T extends Verification>(row: T): T => verification.parse(structuredClone(row)) as T;

  function write(row: Verification): void {
    const before = rows.get(row.verificationId);
    rows.set(row.verificationId, copy(row));
    fake.onChange?.(before && copy(before), copy(row));
  }

  /** The fence of the real store, word for word. */
  function change<S extends State>(from: Verification, to: In<S>): Moved<S> {
    const current = rows.get(from.verificationId);
    const open =
      current !== undefined &&
      current.sequence === from.sequence &&
      current.state === from.state &&
      current.round === from.round &&
      (!(from.state === 'awaiting_captures' && (to.state === 'awaiting_captures' || to.state === 'queued')) ||
        (current.state === 'awaiting_captures' && current.missing.join() === from.missing.join())) &&
      (!(from.state === 'dispatched' && fencesWaiting(to.state)) ||
        (current.state === 'dispatched' && current.waitingFor === from.waitingFor));
    if (!open) return { kind: 'lost', current: current && copy(current) };
    const entry = to.sequence > from.sequence ? to.history.at(-1) : undefined;
    const merged = {
      ...to,
      ...(to.state === 'erased'
        ? {}
        : {
            history: [...current.history, ...(entry ? [entry] : [])],
            notes: current.notes,
            notesDropped: current.notesDropped,
          }),
    };
    write(merged);
    return { kind: 'moved', verification: copy(merged) };
  }

  const fake: ReturnType<typeof fakeVerifications> = {
    all: () => [...rows.values()].map(copy),

    async create(record) {
      const existing = rows.get(record.verificationId);
      if (existing) return { kind: 'exists', verification: copy(existing) };
      write(record);
      return { kind: 'created', verification: copy(record) };
    },

    async find(id) {
      const row = rows.get(id);
      return row && copy(row);
    },

    async move(from, to, fields, remark = {}) {
      return change(from, moved(from, to, fields, remark, { at: now(), moveId: newId() }));
    },

    land: async (from, fields) => change(from, { ...from, ...fields }),

    accept: async (from, fields) => change(from, { ...from, ...fields, waitingFor: 'webhook' }),

    async settle(from) {
      const { dueAt: _, ...settled } = from;
      change(from, settled);
    },

    async note(from, code, about = {}) {
      const current = rows.get(from.verificationId);
      if (!current || current.state === 'erased') return;
      const entry: HistoryEntry = {
        at: now().toISOString(),
        sequence: from.sequence,
        kind: 'noted',
        state: from.state,
        round: from.round,
        code,
        ...about,
      };
      write(
        current.notes < maximumNotes
          ? { ...current, history: [...current.history, entry], notes: current.notes + 1 }
          : { ...current, notesDropped: current.notesDropped + 1 },
      );
    },

    async list({ tenant, state, limit, after }) {
      const matching = [...rows.values()]
        .filter((row) => row.tenant === tenant && row.state === state)
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
            sourceId: row.sourceId,
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

    async due({ state, shard, now: at, limit }) {
      const seconds = Math.floor(at.getTime() / 1000);
      return [...rows.values()]
        .flatMap((row) => ('dueAt' in row && row.dueAt !== undefined ? [{ ...row, dueAt: row.dueAt }] : []))
        .filter((row) => row.state === state && shardOf(row.verificationId) === shard && row.dueAt <= seconds)
        .sort((a, b) => a.dueAt - b.dueAt)
        .slice(0, limit)
        .map((row) => row.verificationId);
    },
  };
  return fake;
}
