import type { Moved } from '../domain/ports.ts';
import type { State, Verification } from '../domain/verification.ts';

/** What one look at a record came to: an end, or a lost race and what the record had become. */
export type Look<T> = { kind: 'settled'; value: T } | { kind: 'lost'; current: Verification | undefined };

/** The look ends here. */
export const settled = <T>(value: T): Look<T> => ({ kind: 'settled', value });

/** The look ends with the record it moved; a lost race is looked at again. */
export const settledIfMoved = <S extends State>(result: Moved<S>): Look<Extract<Verification, { state: S }>> =>
  result.kind === 'moved' ? settled(result.verification) : result;

/**
 * Looks at a record, and again at what it has become for as long as another writer was first.
 * Undefined: there is no such record, or it was purged meanwhile.
 */
export async function settleOn<T>(
  read: Verification | undefined,
  look: (current: Verification) => Promise<Look<T>>,
): Promise<T | undefined> {
  let current = read;
  while (current) {
    const result = await look(current);
    if (result.kind === 'settled') return result.value;
    current = result.current;
  }
  return undefined;
}
