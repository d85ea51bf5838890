import { readFileSync } from 'node:fs';
import * as z from 'zod';

const place = z.enum(['above', 'below', 'in place of']);

/** One thing a contributor does, as a page says it. */
export type Step = {
  readonly text: string;
  /** What fails where the step is forgotten: `tsc`, or the path of a test. */
  readonly without: string | undefined;
} & (
  | { readonly kind: 'new'; readonly file: string }
  | { readonly kind: z.infer<typeof place>; readonly file: string; readonly anchor: string }
  | { readonly kind: 'run' }
);

export interface Recipe {
  readonly title: string;
  readonly steps: readonly Step[];
  /** What the page says to run in the end. */
  readonly checks: string;
}

/** A fenced block of a page, and the paragraph before it on one line. */
interface Block {
  readonly language: string;
  readonly text: string;
  readonly says: string;
}

/**
 * The recipe under a heading of a page. A fenced block is a step, and the paragraph before it says what to do with it:
 *
 *     1. `path`, new. Without it `tsc` fails.
 *     2. `path`, below `text of one line`. Without it `test/x.test.ts` fails.
 *     3. Run. Without it `test/y.test.ts` fails.
 *
 * `above` and `in place of` go like `below`. The last `sh` block, which names nothing that fails, checks the whole.
 */
export function recipeIn(page: string, heading: string): Recipe {
  const blocks = blocksIn(sectionOf(readFileSync(page, 'utf8'), heading));
  const commands = blocks.filter(({ language, says }) => language === 'sh' && !guardIn(says));
  return {
    title: heading.replace(/^#+ /, ''),
    steps: blocks.flatMap((block) => stepOf(block) ?? []),
    checks: commands.at(-1)?.text ?? '',
  };
}

function sectionOf(page: string, heading: string): string {
  const [, section] = `\n${page}`.split(`\n${heading}\n`);
  if (section === undefined) throw new Error(`No page has the heading ${heading}`);
  const level = heading.split(' ')[0]?.length ?? 1;
  const end = section.search(new RegExp(`^#{1,${level}} `, 'm'));
  return end < 0 ? section : section.slice(0, end);
}

function blocksIn(section: string): Block[] {
  return [...section.matchAll(/^( *)(`{3,})(\w*)\n([\s\S]*?\n)\1\2$/gm)].map((match) => {
    const [, indent = '', , language = '', text = ''] = match;
    const before = section.slice(0, match.index).trimEnd().split('\n\n').at(-1) ?? '';
    return {
      language,
      text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
      says: before.replaceAll(/\s+/g, ' '),
    };
  });
}

const guardIn = (says: string) => /Without (?:it|them) `([^`]+)` fails/.exec(says)?.[1];

function stepOf({ language, text, says }: Block): Step | undefined {
  const without = guardIn(says);
  const [, file = '', kind, , anchor = ''] =
    /^(?:\d+\. )?`([^`]+)`, (new|above|below|in place of)(?: (`+) ?(.+?) ?\3(?=[.,:]))?/.exec(says) ?? [];
  if (kind === 'new') return { kind, file, text, without };
  if (kind) return { kind: place.parse(kind), file, anchor, text, without };
  return language === 'sh' && without ? { kind: 'run', text, without } : undefined;
}

/** The file as it is after a step. The text a step goes by must be in exactly one line, or the page is out of date. */
export function edited(source: string | undefined, step: Exclude<Step, { kind: 'run' }>): string {
  if (step.kind === 'new') {
    if (source !== undefined) throw new Error(`${step.file} is there already`);
    return step.text;
  }
  const lines = source?.split('\n') ?? [];
  const found = lines.flatMap((line, index) => (line.includes(step.anchor) ? [index] : []));
  const [at] = found;
  if (at === undefined || found.length > 1) {
    throw new Error(`${step.file} has ${found.length} lines with: ${step.anchor}`);
  }
  const added = step.text.replace(/\n$/, '').split('\n');
  if (step.kind === 'in place of') lines.splice(at, 1, ...added);
  else lines.splice(step.kind === 'above' ? at : at + 1, 0, ...added);
  return lines.join('\n');
}

/** How to add a provider has a page of its own. */
export const providerRecipe = recipeIn('docs/how-to-add-a-provider.md', '# How to add a provider');

/** The recipes of CONTRIBUTING.md that are written out there. */
export const contributorRecipes: readonly Recipe[] = [
  'A fault code',
  'A recapture reason',
  'A field in the read answer',
  'A route',
  'A function',
].map((title) => recipeIn('CONTRIBUTING.md', `### ${title}`));
