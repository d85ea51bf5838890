import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { failureReasons, recaptureReasons } from '../../shared/domain/verdict.ts';
import { registry } from '../../shared/providers/registry.ts';
import { takeItAgain, whatToDo } from '../../shared/providers/served.ts';
import { codeIn, rowsUnder } from './markdown.ts';

const page = readFileSync('docs/reasons.md', 'utf8');
const recaptures = rowsUnder(page, '| reason | meaning | given by | words for the person |');
const failures = rowsUnder(page, '| reason | meaning | given by |');
const others = rowsUnder(page, '| shown for | words for the person |');

it('lists every recapture reason, and nothing else', () => {
  expect(recaptures.map(([reason]) => codeIn(reason))).toEqual([...recaptureReasons]);
});

it('lists every failure reason, and nothing else', () => {
  expect(failures.map(([reason]) => codeIn(reason))).toEqual([...failureReasons]);
});

/** The sandbox gives any reason that its source_id asks for, so the page does not name it. */
const providers = [...registry.values()].filter(({ readsSourceId }) => !readsSourceId).map(({ name }) => name);

/**
 * The code in which a provider comes to its findings: its folder, the engine for the built-in one, and what they share.
 * How we tell a reason in a vendor's words is not among it.
 */
function codeOf(provider: string): string {
  const places = [`shared/providers/${provider}`, ...(provider === 'builtin' ? ['engine'] : [])];
  const files = places.flatMap((place) => globSync(`${place}/**/*.ts`)).filter((file) => !file.endsWith('/answers.ts'));
  const own = files.map((file) => readFileSync(file, 'utf8'));
  const shared = own.some((text) => text.includes("'../capture.ts'")) ? ['shared/providers/capture.ts'] : [];
  return [...own, ...shared.map((file) => readFileSync(file, 'utf8'))].join('\n');
}

const code = new Map(providers.map((name) => [name, codeOf(name)]));

const engineTests = globSync('test/engine/**/*.ts')
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n');

it.each([...recaptureReasons, ...failureReasons].filter((reason) => code.get('builtin')?.includes(reason)))(
  '%s, which the engine gives, is provoked by a test of the engine',
  (reason) => {
    expect(engineTests).toMatch(new RegExp(`\\b${reason}\\b`));
  },
);

it.each([...recaptures, ...failures].map(([reason, , givenBy]) => [codeIn(reason), givenBy]))(
  '%s is given by the providers whose code has it',
  (reason, givenBy) => {
    const giving = providers.filter((name) => new RegExp(`\\b${reason}\\b`).test(code.get(name) ?? ''));
    expect(givenBy).toBe(giving.length > 0 ? giving.toSorted().join(', ') : 'Bonafide itself');
  },
);

it.each(recaptures.map(([reason, , , words]) => [codeIn(reason), words]))(
  "says of %s what an answer in a vendor's words says",
  (reason, words) => expect(words).toBe(new Map(Object.entries(whatToDo)).get(reason)),
);

it.each([...recaptures.map((row) => row[3]), ...others.map((row) => row[1])])(
  '"%s" is short and accuses no one',
  (words = '') => {
    expect(words).toMatch(/^[A-Z].*[.]$/);
    expect(words.length).toBeLessThanOrEqual(100);
    expect(words).not.toMatch(/attack|spoof|fraud|fake|cheat|suspect|mismatch|wrong (person|digits|face)/i);
  },
);

it('has the words for where no reason says more', () => {
  expect(others.map(([, words]) => words)).toContain(takeItAgain);
});
