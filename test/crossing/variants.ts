import type * as z from 'zod';
import type { Crossing, Version } from './releases.ts';
import { invented, type Place, placesIn, withFields, withWord } from './words.ts';

/** A stored row with one word in one place, or with fields that another version may have written. */
export interface Variant<Row> {
  readonly what: string;
  readonly row: Row;
  /** The place's names, joined by dots; of a row with fields `fields`. */
  readonly place: string;
  readonly word: string;
  readonly isInvented: boolean;
  /** What the last release does not have: only a version that reads what later ones wrote is asked for it. */
  readonly isNew: boolean;
}

/** Every word in every place of `row`, one that no version knows in each, and fields that none knows. */
export function* variantsOf<Row>(
  name: string,
  row: Row,
  { ours, theirs }: { readonly ours: z.ZodType; readonly theirs: z.ZodType },
): Generator<Variant<Row>> {
  const nameOf = ({ path }: Place) => path.join('.');
  const known = new Map(placesIn(theirs, row).map((place) => [nameOf(place), place.words]));
  yield { what: `${name} as it is`, row, place: '', word: '', isInvented: false, isNew: false };
  for (const found of placesIn(ours, row)) {
    const place = nameOf(found);
    for (const word of [...found.words, invented]) {
      const isNew = !known.get(place)?.includes(word);
      const changed = withWord(row, found.path, word);
      yield { what: `${name} ${place} ${word}`, row: changed, place, word, isInvented: word === invented, isNew };
    }
  }
  const what = `${name} with fields`;
  yield { what, row: withFields(row), place: 'fields', word: invented, isInvented: true, isNew: true };
}

/**
 * Each word of each place once, now in one row's and now in another's where several have the place: what reads them is the
 * same code. What is invented stays in every row.
 */
export function takingTurns<One extends Variant<unknown>>(variants: readonly One[]): One[] {
  const kindOf = ({ place, word }: One) => `${place.replaceAll(/\.\d+/g, '')} ${word}`;
  const known = variants.filter(({ isInvented, place }) => !isInvented && place !== '');
  const byKind = [...Map.groupBy(known, kindOf).values()];
  const taken = new Set(byKind.map((ones, index) => ones[index % ones.length]));
  return variants.filter((one) => one.isInvented || one.place === '' || taken.has(one));
}

type Asked = Pick<Variant<unknown>, 'isNew'>;

/** What a version may be asked: what it may not know is for those that read what later ones wrote. */
export function mayAsk({ isTolerant }: Pick<Crossing, 'isTolerant'>, version: Version, { isNew }: Asked): boolean {
  return !isNew || isTolerant(version);
}

/** The version that acts on the one at this index: each on one half of what both know. `turn` 1 swaps them. */
export function actorOf(crossing: Pick<Crossing, 'isTolerant'>, variant: Asked, index: number, turn: 0 | 1): Version {
  const wanted = index % 2 === turn ? 'last' : 'current';
  return mayAsk(crossing, wanted, variant) ? wanted : 'current';
}
