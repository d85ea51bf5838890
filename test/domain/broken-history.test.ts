import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../shared/domain/audit.ts';
import { brokenHistory, isUnchained } from '../../shared/domain/broken-history.ts';
import { eventOf } from '../../shared/domain/event.ts';
import type { Moved } from '../../shared/domain/ports.ts';
import type { Verdict } from '../../shared/domain/verdict.ts';
import type { HistoryEntry, InState, State, Unerased, Verification } from '../../shared/domain/verification.ts';
import { anAwaitingVerification, landedFor, start } from '../builders/verification.ts';
import { type Random, randomOf } from '../simulation/random.ts';
import { memoryVerifications } from '../simulation/verifications.ts';

let clock = start.getTime();
let ids = 0;
const now = () => {
  clock += 17;
  return new Date(clock);
};
const store = memoryVerifications({ now, newId: () => `id-${++ids}` });

const verdict: Verdict = {
  outcome: 'failed',
  confidence: 0.91,
  reasons: ['presentation_attack_suspected', 'face_mismatch'],
  scores: { live: 0.0312, match: 0.2 },
  provider: 'builtin',
  policyVersion: 3,
};

/** A verification that was decided, at each of its moves with so many notes made since its record was read. */
async function decidedWith(notes: () => number, sourceId = `visit-${++ids}`): Promise<InState<'decided'>> {
  let record: Verification = anAwaitingVerification({ sourceId });
  await store.create(record);
  const landed = landedFor('spoof_detect');
  const claim = { landed, provider: 'builtin', attempt: 1, waitingFor: 'answer', dueAt: 1 } as const;
  const moves: ((from: Verification) => Promise<Moved<State>>)[] = [
    (from) => store.move(from, 'queued', { landed, provider: 'builtin', dueAt: 1 }),
    (from) => store.move(from, 'dispatched', claim, { provider: 'builtin', attempt: 1 }),
    (from) => store.move(from, 'decided', { landed, verdict }, { outcome: 'failed' }),
  ];
  for (const move of moves) {
    const read: Verification = record;
    for (let note = notes(); note > 0; note -= 1) await store.note(read, 'answer_late', { provider: 'builtin' });
    const result = await move(read);
    if (result.kind !== 'moved') throw new Error('A note lost a move');
    record = result.verification;
  }
  for (let note = notes(); note > 0; note -= 1) await store.note(record, 'capture_overwritten');
  return (await store.find(record.verificationId)) as InState<'decided'>;
}

/** The same value with one character of one of its texts or numbers another. */
function withOneCharacterChanged<T>(value: T, random: Random): T {
  if (typeof value === 'string') {
    const at = random.below(value.length);
    return `${value.slice(0, at)}${value[at] === 'x' ? 'y' : 'x'}${value.slice(at + 1)}` as T;
  }
  if (typeof value === 'number') return (value + 1) as T;
  const names = Object.entries(value as object).flatMap(([name, one]) =>
    Array.isArray(one) && one.length === 0 ? [] : [name],
  ) as (keyof T)[];
  const name = names[random.below(names.length)] as keyof T;
  const changed = withOneCharacterChanged(value[name], random);
  if (!Array.isArray(value)) return { ...value, [name]: changed };
  return value.map((one, index) => (String(index) === name ? changed : one)) as T;
}

const withLines = (record: InState<'decided'>, history: HistoryEntry[]) => ({ ...record, history });

describe('a history', () => {
  it('of 1,000 verifications with notes raced in holds, and one changed character of any line or verdict is found by name', async () => {
    const random = randomOf(7, 1);
    let moved = 0;
    let verdicts = 0;
    for (let each = 0; each < 1000; each += 1) {
      const record = await decidedWith(() => random.below(4));
      expect(brokenHistory(record)).toBeUndefined();
      const at = random.below(record.history.length + 1);
      const decidedAt = record.history.findIndex(({ state, kind }) => state === 'decided' && kind === 'moved');
      const line = at === record.history.length ? decidedAt : at;
      const changed =
        at === record.history.length
          ? { ...record, verdict: withOneCharacterChanged(record.verdict, random) }
          : withLines(
              record,
              record.history.map((one, index) => (index === at ? withOneCharacterChanged(one, random) : one)),
            );
      expect(brokenHistory(changed), JSON.stringify(changed)).toMatchObject({ line: line + 1, what: 'changed' });
      moved += record.history[at]?.kind === 'moved' ? 1 : 0;
      verdicts += at === record.history.length ? 1 : 0;
    }
    console.log(`1000 of 1000 found: ${moved} moves, ${1000 - moved - verdicts} notes, ${verdicts} verdicts`);
  });

  it('names a line that is missing, stands elsewhere, or was put in', async () => {
    const notes = [0, 2, 1, 1];
    const record = await decidedWith(() => notes.shift() ?? 0);
    const { history } = record;
    expect(history.map(({ kind }) => kind).join(' ')).toBe('moved moved noted noted moved noted moved noted');
    const without = (index: number) =>
      withLines(
        record,
        history.filter((_, at) => at !== index),
      );
    const found = history.map((_, index) => brokenHistory(without(index)));
    expect(found.map((one) => `${one?.what} ${one?.line}`)).toEqual([
      'missing 1',
      'missing 4', // move 2: notes may stand anywhere, so that it is missed at the next move
      'missing 4', // one of the two notes before move 3, which is the fourth line now
      'missing 4',
      'missing 6',
      'missing 6',
      'missing 8',
      'missing 8',
    ]);
    const swapped = history.map((one, index) => history[index === 2 ? 5 : index === 5 ? 2 : index] ?? one);
    expect(brokenHistory(withLines(record, swapped))?.line).toBe(5);
    const later = [...history.slice(0, 1), ...history.slice(2, 4), history[1] as HistoryEntry, ...history.slice(4)];
    expect(brokenHistory(withLines(record, later))).toMatchObject({ what: 'reordered' });
    const twice = [...history.slice(0, 3), history[2] as HistoryEntry, ...history.slice(3)];
    expect(brokenHistory(withLines(record, twice))).toMatchObject({ what: 'added', line: 3 });
    const unhashed = history.map(({ hash: _, ...one }, index) => (index === 4 ? one : { ...one, hash: _ }));
    expect(brokenHistory(withLines(record, unhashed))).toMatchObject({ what: 'changed', line: 5 });
  });

  it('begins at the first line with a hash, which covers those before it', async () => {
    const before = anAwaitingVerification({ sourceId: 'before' });
    const [{ hash: _, ...line } = {} as HistoryEntry] = before.history;
    const legacy = { ...before, history: [line] };
    expect(isUnchained(legacy)).toBe(true);
    expect(brokenHistory(legacy)).toBeUndefined();
    await store.create(legacy);
    const landed = landedFor('spoof_detect');
    const moved = await store.move(legacy, 'queued', { landed, provider: 'builtin', dueAt: 1 });
    if (moved.kind !== 'moved') throw new Error('moved');
    expect(brokenHistory(moved.verification)).toBeUndefined();
    const [first, second] = moved.verification.history as [HistoryEntry, HistoryEntry];
    const changed = { ...moved.verification, history: [{ ...first, at: '2026-01-01T00:00:01.000Z' }, second] };
    expect(brokenHistory(changed)).toMatchObject({ what: 'changed', line: 2 });
  });

  it('goes on in a tombstone from one hash for the lines that are gone', async () => {
    const record = await decidedWith(() => 1);
    const erased = await store.move(record, 'erased', {});
    if (erased.kind !== 'moved') throw new Error('erased');
    const tombstone = erased.verification;
    expect(brokenHistory(tombstone)).toBeUndefined();
    expect(brokenHistory({ ...tombstone, goesOnFrom: 'A'.repeat(43) })).toMatchObject({ what: 'changed', line: 1 });
    const anchor = eventOf(record, tombstone);
    expect(
      brokenHistory(
        tombstone,
        new Map([
          [2, 'gone'],
          [anchor.sequence, anchor.hash ?? ''],
        ]),
      ),
    ).toBeUndefined();
  });

  it('says nothing of a verdict that could be guessed: the digest of the same verdict is another in each', async () => {
    const [one, other] = [await decidedWith(() => 0), await decidedWith(() => 0)];
    expect(one.verdict).toEqual(other.verdict);
    expect(one.history.at(-1)?.digest).not.toBe(other.history.at(-1)?.digest);
  });

  it('that was forged whole, or lost its last lines, is found by the hashes that events told', async () => {
    const record = await decidedWith(() => 0, 'honest');
    const anchors = new Map(record.history.slice(1).map(({ sequence, hash }) => [sequence, hash ?? ''] as const));
    expect(brokenHistory(record, anchors)).toBeUndefined();
    expect(eventOf(record as Unerased, record).hash).toBe(anchors.get(4));
    const forged = { ...(await decidedWith(() => 0, 'honest-2')) };
    const cut = { ...record, history: record.history.slice(0, 3), state: 'dispatched', sequence: 3 } as never;
    expect(brokenHistory(forged)).toBeUndefined();
    expect(brokenHistory(forged, anchors)).toMatchObject({ what: 'changed', line: 2 });
    expect(brokenHistory({ ...(cut as Verification), updatedAt: record.history[2]?.at ?? '' })).toBeUndefined();
    expect(brokenHistory({ ...(cut as Verification), updatedAt: record.history[2]?.at ?? '' }, anchors)).toMatchObject({
      what: 'missing',
      line: 4,
    });
  });

  it('has no move earlier than the line before it, whatever the clock of its writer says', async () => {
    const record = anAwaitingVerification({ sourceId: 'skewed' });
    await store.create(record);
    const ahead = memoryVerifications({ now: () => new Date(start.getTime() - 60_000), newId: () => 'behind' });
    await ahead.create(record);
    const moved = await ahead.move(record, 'expired', {});
    if (moved.kind !== 'moved') throw new Error('moved');
    expect(moved.verification.updatedAt).toBe(record.createdAt);
    expect(moved.verification.history.at(-1)?.at).toBe(record.createdAt);
  });
});

it('canonical JSON has names in order, no spaces, and nothing that is undefined', () => {
  expect(canonicalJson({ b: [1, { d: null, c: 1e21 }], a: 'é"\n', u: undefined, 10: true, 9: -0 })).toBe(
    '{"10":true,"9":0,"a":"é\\"\\n","b":[1,{"c":1e+21,"d":null}]}',
  );
});
