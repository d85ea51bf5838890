import * as z from 'zod';

/** Species of presentation attack instruments that a capture may show (ISO/IEC 30107-3). */
export const attackSpecies = ['print', 'replay', 'photographed_portrait', 'mask'] as const;

const filled = z.string().min(1, 'is empty');
const empty = z.literal('', 'must be empty: nothing is presented');
const common = {
  file: z
    .string()
    .regex(
      /^(?!\/)(?!.*(^|\/)\.\.(\/|$)).+\.(jpe?g|png|webp|hei[cf])$/i,
      'is not a JPEG, PNG, WebP or HEIC below the folder',
    ),
  /** The person who is or seems to be in front of the camera, by a number of the operator's: never a name. */
  subject: filled,
  /** Where, by whom and with what it was captured. A model is measured on sources it has never seen. */
  source: filled,
  /** The camera. */
  device: filled,
  lighting: filled,
  /** Number of the consent form, or the licence of the picture. */
  consent: filled,
};
const row = z.discriminatedUnion(
  'label',
  [
    z.object({ ...common, label: z.literal('bona_fide'), species: empty, instrument: empty }),
    z.object({ ...common, label: z.literal('attack'), species: z.enum(attackSpecies), instrument: filled }),
  ],
  { error: 'is neither bona_fide nor attack' },
);

/** One row of `provenance.csv`: a capture, and all that must be known of it before it may train a model. */
export type Capture = z.infer<typeof row>;

const columns = ['file', 'label', 'species', 'subject', 'source', 'device', 'instrument', 'lighting', 'consent'];

/** `provenance.csv` is not what docs/capture-protocol.md says: every mistake, one a line. */
export class ProvenanceRefused extends Error {
  override readonly name = 'ProvenanceRefused';
}

/**
 * The captures of a folder, all of them right or none.
 * @param text of `provenance.csv`
 * @param digestOf the same for the same bytes; undefined where there is no such file
 */
export async function readProvenance(
  text: string,
  digestOf: (file: string) => Promise<string | undefined>,
): Promise<Capture[]> {
  const { captures, mistakes } = parse(text);
  mistakes.push(...personsInTwoSources(captures), ...tooFewSources(captures));
  mistakes.push(...(await wrongFiles(captures, digestOf)));
  if (mistakes.length === 0) return captures;
  const told = mistakes.slice(0, 20).join('\n');
  const rest = mistakes.length > 20 ? `\n… and ${mistakes.length - 20} more` : '';
  throw new ProvenanceRefused(`provenance.csv:\n${told}${rest}`);
}

function parse(text: string): { captures: Capture[]; mistakes: string[] } {
  const [header = '', ...lines] = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const names = header.split(',').map((name) => name.trim());
  const missing = columns.filter((name) => !names.includes(name));
  const unknown = names.filter((name) => !columns.includes(name));
  if (missing.length > 0 || unknown.length > 0) {
    const said = [
      ...missing.map((name) => `the column ${name} is missing`),
      ...unknown.map((name) => `the column "${name}" is unknown`),
    ];
    throw new ProvenanceRefused(`provenance.csv:\n${said.join('\n')}\nIts columns are ${columns.join(',')}`);
  }
  const captures: Capture[] = [];
  const mistakes: string[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const where = `line ${index + 2}`;
    const cells = line.split(',').map((cell) => cell.trim());
    if (line.includes('"') || cells.length !== names.length) {
      mistakes.push(
        `${where}: ${cells.length} cells where there are ${names.length} columns, or a quote; neither commas nor quotes are read inside a cell`,
      );
      continue;
    }
    const parsed = row.safeParse(Object.fromEntries(names.map((name, cell) => [name, cells[cell]])));
    if (parsed.success) captures.push(parsed.data);
    else mistakes.push(...parsed.error.issues.map((issue) => `${where}: ${issue.path.join('.')} ${saidOf(issue)}`));
  }
  return { captures, mistakes };
}

const saidOf = ({ code, message, path }: z.core.$ZodIssue) =>
  code === 'invalid_value' && path[0] === 'species' && message.startsWith('Invalid')
    ? `is none of ${attackSpecies.join(', ')}`
    : message;

/** One person on both sides of leave-one-source-out would make a model look better than it is. */
function personsInTwoSources(captures: readonly Capture[]): string[] {
  return [...Map.groupBy(captures, ({ subject }) => subject)].flatMap(([subject, ofSubject]) => {
    const sources = [...new Set(ofSubject.map(({ source }) => source))];
    return sources.length < 2
      ? []
      : [
          `subject ${subject} is in the sources ${sources.join(' and ')}: trained on and measured on alike. Give these one name of a source, or leave captures out`,
        ];
  });
}

function tooFewSources(captures: readonly Capture[]): string[] {
  const sources = new Set(captures.filter(({ label }) => label === 'bona_fide').map(({ source }) => source));
  return sources.size >= 2
    ? []
    : [
        `bona fide captures of two sources are the least, found ${sources.size}: each in turn is left out of training and measured on`,
      ];
}

async function wrongFiles(
  captures: readonly Capture[],
  digestOf: (file: string) => Promise<string | undefined>,
): Promise<string[]> {
  const seen = new Map<string, string>();
  const mistakes: string[] = [];
  for (const { file } of captures) {
    const digest = await digestOf(file);
    const same = digest === undefined ? undefined : seen.get(digest);
    if (digest === undefined) mistakes.push(`there is no file ${file}`);
    else if (same !== undefined)
      mistakes.push(`${file} is ${same === file ? 'listed twice' : `the same picture as ${same}`}`);
    else seen.set(digest, file);
  }
  return mistakes;
}
