import { goesOnFrom, moveHash, noteHash, verdictDigest } from './audit.ts';
import { firstVerdict, type HistoryEntry, type Verification } from './verification.ts';

/** What is wrong with a history, and at which of its lines, counted from 1: of one that is missing, the line it stood before. */
export interface Broken {
  readonly line: number;
  readonly what: 'changed' | 'missing' | 'reordered' | 'added';
  /** In an operator's words. */
  readonly detail: string;
}

/** Whether no line has a hash: a record that a version before wrote, of which nothing can be said. */
export function isUnchained({ history }: Verification): boolean {
  return history.every(({ hash }) => hash === undefined);
}

/**
 * The first line that was changed, taken out, put in or moved since it was written; undefined where the history holds.
 * `anchors`: hashes by sequence, as events told them. What only they find is in docs/audit.md.
 */
export function brokenHistory(
  record: Verification,
  anchors: ReadonlyMap<number, string> = new Map(),
): Broken | undefined {
  return brokenChain(record) ?? brokenEnd(record) ?? brokenVerdict(record) ?? brokenAnchor(record, anchors);
}

/** What is wrong, in one sentence. */
export function describeBroken({ history }: Verification, { line, what, detail }: Broken): string {
  const broken = history[line - 1];
  const named = broken ? `line ${line} (${describeLine(broken)})` : 'the end';
  return what === 'missing' ? `before ${named} a line is missing: ${detail}` : `${named} was ${what}: ${detail}`;
}

function describeLine({ kind, state, sequence, code }: HistoryEntry): string {
  return kind === 'moved' ? `move ${sequence}, to ${state}` : `note ${code} at ${sequence}`;
}

function brokenChain(record: Verification): Broken | undefined {
  const { history } = record;
  const first = history.findIndex(({ hash }) => hash !== undefined);
  if (first === -1) return undefined;
  const broken = firstWrong(record, history);
  return broken === -1 ? undefined : explained(record, broken);
}

/** Of the lines from the first with a hash on, the index of the first whose hash is not its own; -1 where all are. */
function firstWrong(record: Verification, lines: readonly HistoryEntry[]): number {
  const first = lines.findIndex(({ hash }) => hash !== undefined);
  return lines.findIndex((line, index) => index >= first && !holds(record, lines, index, line));
}

function holds(record: Verification, lines: readonly HistoryEntry[], index: number, line: HistoryEntry): boolean {
  const { verificationId } = record;
  const isNote = () => line.hash === noteHash(verificationId, line);
  if (line.kind === 'noted') return isNote();
  const before =
    record.state === 'erased' ? (record.goesOnFrom ?? '') : goesOnFrom(verificationId, lines.slice(0, index));
  const isMove = line.hash === moveHash(verificationId, before, line);
  return isMove || (line.kind !== 'moved' && isNote()); // of a later version: it covers what one of ours does
}

/** Why the line at `index`, the first whose hash does not hold, does not. */
function explained(record: Verification, index: number): Broken {
  const { history: lines, sequence, notes } = record;
  const line = lines[index] as HistoryEntry;
  const wrong = (what: Broken['what'], at: number, detail: string): Broken => ({ line: at + 1, what, detail });
  if (line.hash === undefined) return wrong('changed', index, 'it has no hash, and a line before it has');
  const isOurs = line.kind === 'moved' || line.kind === 'noted';
  const laterKind = `its kind ${line.kind} is of a later version: verify it with that one`;
  const changed = wrong('changed', index, isOurs ? 'its hash is another' : laterKind);
  // Only a move covers other lines: where a later one still finds the hashes it covers, this line alone is another.
  const later = lines.slice(index + 1).some((other, at) => {
    return other.kind === 'moved' && holds(record, lines, index + 1 + at, other);
  });
  if (line.kind !== 'moved' || later || record.state === 'erased') return changed;
  const surplus = lines.length - (sequence + notes); // a line for each move and each note, and no other
  if (surplus > 0) {
    const added = lines.findIndex((_, at) => intact(record, lines.toSpliced(at, 1)));
    return added === -1 ? changed : wrong('added', added, 'the lines after it go on without it');
  }
  if (surplus < 0) {
    const expected = (lines.slice(0, index).findLast(({ kind }) => kind === 'moved')?.sequence ?? 0) + 1;
    return wrong('missing', index, line.sequence > expected ? `move ${expected}` : 'a note');
  }
  const misplaced = lines.findIndex((_, from) => lines.some((_, to) => intact(record, withMoved(lines, from, to))));
  return misplaced === -1 ? changed : wrong('reordered', misplaced, 'it stood elsewhere');
}

/** Whether every move finds the lines it covers: of notes it has the hashes, wherever they stand. */
function intact(record: Verification, lines: readonly HistoryEntry[]): boolean {
  const first = lines.findIndex(({ hash }) => hash !== undefined);
  return lines.every((line, index) => index < first || line.kind === 'noted' || holds(record, lines, index, line));
}

function withMoved(lines: readonly HistoryEntry[], from: number, to: number): HistoryEntry[] {
  return lines.toSpliced(from, 1).toSpliced(to, 0, lines[from] as HistoryEntry);
}

/** Every line holds, but lines after them may be gone, or the record say something else. */
function brokenEnd(record: Verification): Broken | undefined {
  const { history, sequence, state, round, updatedAt, notes } = record;
  if (isUnchained(record)) return undefined;
  const index = history.findLastIndex(({ kind }) => kind === 'moved');
  const last = history[index];
  const end = history.length + 1;
  if (!last || last.sequence < sequence) {
    return { line: end, what: 'missing', detail: `move ${sequence}, at which the record is` };
  }
  if (last.sequence !== sequence || last.state !== state || last.round !== round || last.at !== updatedAt) {
    return { line: Math.max(1, index + 1), what: 'changed', detail: `the record says it is ${state} at ${sequence}` };
  }
  const noted = history.filter(({ kind }) => kind === 'noted').length;
  if (noted === notes) return undefined;
  return {
    line: noted < notes ? end : history.length,
    what: noted < notes ? 'missing' : 'added',
    detail: `the record counts ${notes} notes, and has ${noted}`,
  };
}

/** The verdict that the record has, and the first where that is another, are those that their moves gave. */
function brokenVerdict(record: Verification): Broken | undefined {
  if (record.state !== 'decided') return undefined;
  const { history, verdict, moveId, review } = record;
  const first = firstVerdict(record);
  const decisions = [
    { digest: verdictDigest(first.moveId, first.verdict), reviewed: false },
    ...(record.first || review ? [{ digest: verdictDigest(moveId, verdict, review), reviewed: true }] : []),
  ];
  for (const { digest, reviewed } of decisions) {
    const index = history.findLastIndex(
      (line) => line.kind === 'moved' && line.state === 'decided' && (line.review ?? false) === reviewed,
    );
    const line = history[index];
    if (line?.hash !== undefined && line.digest === digest) continue;
    if (line && line.hash === undefined) continue; // of a version before
    return {
      line: Math.max(1, index + 1),
      what: 'changed',
      detail: `the ${reviewed ? 'review' : 'verdict'} it gave is another`,
    };
  }
  return undefined;
}

/** An event told a hash that no line of its sequence has: the chain holds, and was written anew. */
function brokenAnchor(record: Verification, anchors: ReadonlyMap<number, string>): Broken | undefined {
  const { history, state, sequence } = record;
  const inOrder = [...anchors].sort(([one], [other]) => one - other);
  for (const [at, hash] of inOrder) {
    if (state === 'erased' && at < sequence) continue; // its line is gone
    const index = history.findIndex((line) => line.kind === 'moved' && line.sequence === at);
    if (index === -1) {
      return { line: history.length + 1, what: 'missing', detail: `move ${at}, of which an event tells` };
    }
    if (history[index]?.hash !== hash) {
      return { line: index + 1, what: 'changed', detail: 'it, or a line before it, is not the one its event told of' };
    }
  }
  return undefined;
}
