import * as z from 'zod';

/** What no version ever wrote, in the place of a word of ours. */
export const invented = 'invented_by_a_later_version';

/** A place in a stored row where one of our words stands, and every word that may stand there. */
export interface Place {
  readonly path: readonly (string | number)[];
  readonly words: readonly string[];
}

/** Every place of `row` in which its schema knows the words. Of a list, each kind of place once. */
export function placesIn(schema: z.core.$ZodType, row: unknown): Place[] {
  const seen = new Set<string>();
  return everyPlace(schema, row, []).filter(({ path }) => {
    const kind = path.filter((part) => typeof part === 'string').join('.');
    return !seen.has(kind) && seen.add(kind);
  });
}

function everyPlace(schema: z.core.$ZodType, row: unknown, path: Place['path']): Place[] {
  if (row === undefined || row === null) return [];
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return everyPlace(schema.unwrap(), row, path);
  if (schema instanceof z.ZodDefault) return everyPlace(schema.def.innerType, row, path);
  const words = wordsOf(schema);
  if (words.length > 0) return [{ path, words }];
  const fields = row as Readonly<Record<string, unknown>>;
  if (schema instanceof z.ZodArray) {
    const items = Array.isArray(row) ? row : [...(row as Set<unknown>)];
    return items.flatMap((item, index) => everyPlace(schema.element, item, [...path, index]));
  }
  if (schema instanceof z.ZodRecord) {
    return Object.entries(fields).flatMap(([name, value]) => everyPlace(schema.valueType, value, [...path, name]));
  }
  if (schema instanceof z.ZodObject) {
    const shape: Record<string, z.core.$ZodType> = schema.shape;
    return Object.entries(shape).flatMap(([name, field]) => everyPlace(field, fields[name], [...path, name]));
  }
  if (schema instanceof z.ZodUnion) {
    const fitting = schema.options.find((option) => (option as z.ZodType).safeParse(row).success);
    return fitting ? everyPlace(fitting, row, path) : [];
  }
  return [];
}

function wordsOf(schema: z.core.$ZodType): string[] {
  if (schema instanceof z.ZodEnum) return schema.options.map(String);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(wordsOf);
  return [];
}

/** The row with another word in this place. */
export function withWord<Row>(row: Row, [name, ...rest]: Place['path'], word: string): Row {
  if (name === undefined) return word as Row;
  if (row instanceof Set) return new Set([...row].map((one, index) => (index === name ? word : one))) as Row;
  const copy: unknown = Array.isArray(row) ? [...row] : { ...row };
  const fields = copy as Record<string | number, unknown>;
  fields[name] = withWord(fields[name], rest, word);
  return copy as Row;
}

/** The row with a field that no version knows in it and in every object within it, maps by the caller's own names left alone. */
export function withFields<Row>(row: Row): Row {
  if (Array.isArray(row)) return row.map(withFields) as Row;
  if (typeof row !== 'object' || row === null || row instanceof Set || row instanceof Uint8Array) return row;
  const entries = Object.entries(row).map(([name, value]) => [name, isMap(name) ? value : withFields(value)]);
  return { ...Object.fromEntries(entries), laterField: invented } as Row;
}

const isMap = (name: string): boolean =>
  [
    ...['thresholds', 'credentials', 'measurements', 'seenBefore', 'declared', 'landed', 'metadata'],
    ...['sessions', 'servedWebhooks'],
  ].includes(name);

/** How often what was invented stands in a row, wherever: what a rewrite lost is missing. */
export function inventedIn(row: unknown): number {
  if (row instanceof Set) return inventedIn([...row]);
  if (typeof row === 'string') return row === invented ? 1 : 0;
  if (typeof row !== 'object' || row === null || row instanceof Uint8Array) return 0;
  return Object.values(row).reduce((sum: number, one) => sum + inventedIn(one), 0);
}
