import { createHash } from 'node:crypto';
import type { Review, Verdict } from './verdict.ts';
import type { HistoryEntry } from './verification.ts';

/*
 * The hashes of a history. A line's hash covers the verification it is of and the line itself; a move's also the hashes of
 * every line before it, in their order, notes with them. docs/audit.md says what that finds, and what it does not.
 */

/**
 * JSON with the names of every object in order and no spaces, as RFC 8785 has it: our texts are well-formed and our
 * numbers are JavaScript's, so that one value has one text. What is undefined is left out.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((one) => canonicalJson(one ?? null)).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join()}}`;
}

/** SHA-256 of a value's canonical JSON, base64url: 43 characters. */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('base64url');
}

/** The hash of a note. */
export function noteHash(verificationId: string, { hash: _, ...line }: HistoryEntry): string {
  return hashOf({ verificationId, line });
}

/** The hash of a move that goes on from what `goesOnFrom` made of the lines before it. */
export function moveHash(verificationId: string, before: string, { hash: _, ...line }: HistoryEntry): string {
  return hashOf({ verificationId, before, line });
}

/**
 * One hash for lines, in their order: what a move goes on from. A line of a version before has none of its own, and is
 * covered like a note from the first move on that has one.
 */
export function goesOnFrom(verificationId: string, lines: readonly HistoryEntry[]): string {
  return hashOf(lines.map((line) => line.hash ?? noteHash(verificationId, line)));
}

/**
 * The digest of a verdict, and of the review that gave it, that the line of its move holds. The move's random id is hashed with it and goes with erasure:
 * from then on no guess at the scores can be tried against a hash that an integrator still has.
 */
export function verdictDigest(moveId: string, verdict: Verdict, review?: Review): string {
  return hashOf({ moveId, verdict, review });
}
