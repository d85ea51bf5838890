import { entriesOf, type Landed } from '../domain/captures.ts';
import { captureSeconds } from '../domain/times.ts';

/** Epoch seconds at which the captures of a record must be gone: a day after the first of them landed. */
export function goneAt({ landed, keptUntil }: { landed: Landed; keptUntil?: number | undefined }): number {
  const ends = entriesOf(landed).map(([, { landedAt }]) => Math.floor(Date.parse(landedAt) / 1000) + captureSeconds);
  return Math.min(...ends, ...(keptUntil === undefined ? [] : [keptUntil]));
}
