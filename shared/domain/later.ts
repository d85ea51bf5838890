import * as z from 'zod';
import { Fault } from './fault.ts';

/*
 * Two neighbouring versions run on one table and one queue: during a deployment, and after a rollback. What this version
 * writes is as strict as its types. What it reads may be of a later version, and holds what this one does not know:
 *
 * - fields: kept through every rewrite (`tolerant`), gone with erasure;
 * - texts that only say something, such as a reason or a code of a history: kept and passed on (`orLater`);
 * - values that decide, such as a state or a check: who only shows them passes them on as text (`tolerantly`), who would
 *   act on them leaves the row alone for a version that knows (`understood`). Decision 033.
 */

/** A text of a later version in the place of one of ours. It is written back as it was read: no code of ours makes one. */
export const laterText = z
  .string()
  .brand<'later'>()
  .describe('A value that this document does not name: a later version of the deployment has it');
export type Later = z.infer<typeof laterText>;

/** One of `known`, or the text that a later version wrote there. */
export function orLater<Known extends z.ZodType<string>>(known: Known): z.ZodUnion<[Known, typeof laterText]> {
  return z.union([known, laterText]);
}

/** Whether this version knows a text that may be a later one's. */
export function isOneOf<Known extends string>(
  known: { readonly options: readonly Known[] },
  text: string,
): text is Known {
  return known.options.some((one) => one === text);
}

/** An object that keeps fields of a later version. Its type has the fields that this one knows. */
export function tolerant<Shape extends z.core.$ZodLooseShape>(shape: Shape): z.ZodObject<Shape> {
  return z.looseObject(shape) as unknown as z.ZodObject<Shape>;
}

/** The fault that ends an act on what a later version wrote: the caller may repeat it, and a queue does. */
export function outdated(what: string): Fault {
  return new Fault('version_outdated', `A later version wrote ${what}: this one leaves it alone.`);
}

/** `stored` where this version knows every value that decides; else throws `version_outdated`. */
export function understood<Schema extends z.ZodType>(schema: Schema, stored: unknown, what: string): z.output<Schema> {
  if (!schema.safeParse(stored).success) throw outdated(what);
  return stored as z.output<Schema>;
}

/**
 * The same schema, to show or to keep what it reads: any text in the place of ours, any name beside ours, any number.
 * What it gives is typed as if it were ours: `understood` stands before whatever decides by it.
 */
export function tolerantly<Schema extends z.ZodType>(schema: Schema): z.ZodType<z.output<Schema>, z.input<Schema>> {
  return opened(schema) as unknown as z.ZodType<z.output<Schema>, z.input<Schema>>;
}

function opened(schema: z.core.$ZodType): z.ZodType {
  if (schema instanceof z.ZodObject) {
    const shape: Record<string, z.core.$ZodType> = schema.shape;
    return z.looseObject(Object.fromEntries(Object.entries(shape).map(([name, field]) => [name, opened(field)])));
  }
  if (schema instanceof z.ZodOptional) return opened(schema.unwrap()).optional();
  if (schema instanceof z.ZodNullable) return opened(schema.unwrap()).nullable();
  if (schema instanceof z.ZodDefault) {
    const { innerType, defaultValue } = schema.def;
    return opened(innerType).default(defaultValue);
  }
  if (schema instanceof z.ZodArray) return z.array(opened(schema.element));
  if (schema instanceof z.ZodRecord) return z.record(z.string(), opened(schema.valueType));
  if (schema instanceof z.ZodDiscriminatedUnion) return z.looseObject({});
  if (schema instanceof z.ZodUnion) return z.union(schema.options.map(opened));
  if (schema instanceof z.ZodEnum || schema instanceof z.ZodString) return z.string();
  if (schema instanceof z.ZodNumber) return z.number();
  if (schema instanceof z.ZodLiteral) return z.unknown();
  return schema as z.ZodType;
}
