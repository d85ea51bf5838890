import * as z from 'zod';

/** How a file may lie there: as it is, or compressed when it was built. */
export const encoding = z.enum(['br', 'gzip', 'identity']);
export type Encoding = z.infer<typeof encoding>;

/** What is appended to a file's name where it lies compressed. */
export const endingOf: Readonly<Record<Encoding, string>> = { br: '.br', gzip: '.gz', identity: '' };

/** A file by the name it is asked for, which holds a hash of what is in it. */
const builtFile = z.object({
  type: z.string(),
  /** sha256 of its bytes, shortened. */
  hash: z.string(),
  /** Bytes by encoding: how it may be sent. */
  bytes: z.partialRecord(encoding, z.int()),
});
export type BuiltFile = z.infer<typeof builtFile>;

/** A page's script, what that imports from the start, and its style sheet: names of files. */
const entry = z.object({ script: z.string(), imports: z.array(z.string()), style: z.string().optional() });
export type Entry = z.infer<typeof entry>;

/** `built.json`: what `web/build.ts` wrote, for the function that serves it. */
export const built = z.object({
  capture: entry,
  console: entry,
  element: entry,
  icon: z.string(),
  licences: z.string(),
  /** What live guidance loads: names of files, none of them loaded by a page before its camera runs. */
  guidance: z.array(z.string()),
  files: z.record(z.string(), builtFile),
});
export type Built = z.infer<typeof built>;
