import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import * as z from 'zod';
import { commandLine, misused } from '../../tools/command-line.ts';
import { type Mutant, mutants } from './table.ts';

const usage = `npm run mutants -- [options]

Takes one control away at a time, in a copy of the working tree, and demands that the tests named beside it in
test/mutants/table.ts fail. Exits 1 where they pass all the same, where they fail without any change, and where the text
to be changed does not stand in its file exactly once.

  --row R          one row: its number, or part of its words
  --changed BASE   rows whose file differs from this commit, then those whose tests do
  --limit N        the first N of these rows`;

const { values } = commandLine(usage, {
  options: { row: { type: 'string' }, changed: { type: 'string' }, limit: { type: 'string' } },
});
const limit = z.coerce.number().int().positive().optional().safeParse(values.limit);
if (!limit.success) misused(usage, '--limit is a number of rows');

const git = (...words: string[]) => execFileSync('git', words, { encoding: 'utf8' }).split('\0').filter(Boolean);

function chosen(): readonly Mutant[] {
  const { row, changed } = values;
  const named = mutants.filter((mutant, index) => !row || String(index + 1) === row || mutant.control.includes(row));
  if (named.length === 0) misused(usage, `No row is ${row}.`);
  if (changed === undefined) return named.slice(0, limit.data);
  const differing = new Set(git('diff', '--name-only', '-z', changed));
  const withFile = named.filter(({ file }) => differing.has(file));
  const withTests = named.filter(
    ({ file, tests }) => !differing.has(file) && tests.some((test) => differing.has(test)),
  );
  return [...withFile, ...withTests].slice(0, limit.data);
}

/** The working tree as it stands, without what git ignores; packages and build are those of the tree itself. */
function copyOfTree(): string {
  const copy = mkdtempSync(join(tmpdir(), 'bonafide-mutants-'));
  process.once('exit', () => rmSync(copy, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  for (const file of git('ls-files', '-z', '--cached', '--others', '--exclude-standard')) {
    if (!existsSync(file)) continue;
    mkdirSync(join(copy, dirname(file)), { recursive: true });
    cpSync(file, join(copy, file));
  }
  for (const folder of ['node_modules', 'build']) {
    if (existsSync(folder)) symlinkSync(resolve(folder), join(copy, folder));
  }
  return copy;
}

/** The part of Vitest's JSON report that is read. */
const report = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      assertionResults: z.array(z.object({ title: z.string(), fullName: z.string(), status: z.string() })),
    }),
  ),
});
interface TestResult {
  readonly file: string;
  readonly name: string;
  readonly status: string;
}

/** A change may leave a loop that no test's own limit ends. */
const hangsAfterMilliseconds = 300_000;

/** How the named tests of these rows end in the copy: none where Vitest could not run them. */
async function resultsIn(
  copy: string,
  rows: readonly Mutant[],
  more: readonly string[] = [],
): Promise<readonly TestResult[]> {
  const outputFile = join(copy, 'report.json');
  rmSync(outputFile, { force: true });
  const files = [...new Set(rows.flatMap(({ tests }) => tests))];
  const names = [...new Set(rows.map(({ named }) => named.replaceAll(/[^\p{L}\p{N} ]/gu, '.')))].join('|'); // a regular expression
  const words = ['run', ...files, '-t', names, '--reporter=json', `--outputFile=${outputFile}`, ...more];
  const options = { cwd: copy, stdio: 'ignore', timeout: hangsAfterMilliseconds } as const;
  const vitest = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', ...words], options);
  const stop = () => vitest.kill();
  process.once('exit', stop);
  await new Promise((ended) => vitest.once('close', ended));
  process.off('exit', stop);
  if (!existsSync(outputFile)) return [];
  const { testResults } = report.parse(JSON.parse(readFileSync(outputFile, 'utf8')));
  return testResults.flatMap(({ name: file, assertionResults }) =>
    assertionResults.map(({ fullName, status }) => ({ file: relative(copy, file), name: fullName, status })),
  );
}

const of = (results: readonly TestResult[], { tests, named }: Mutant) =>
  results.filter(({ file, name, status }) => tests.includes(file) && name.includes(named) && status !== 'skipped');

/** What became of the change: `killed`, or what is wrong with the row. */
async function fateOf(row: Mutant, copy: string, unchanged: readonly TestResult[]): Promise<string> {
  const path = join(copy, row.file);
  const before = readFileSync(path, 'utf8');
  const found = before.split(row.find).length - 1;
  if (found !== 1) return `the text to be changed stands there ${found} times`;
  const own = of(unchanged, row);
  if (own.length === 0) return 'no test has this name';
  const failing = own.find(({ status }) => status !== 'passed');
  if (failing) return `fails without any change: ${failing.name}`;
  writeFileSync(
    path,
    before.replace(row.find, () => row.replace),
  );
  const results = of(await resultsIn(copy, [row], ['--bail=1']), row);
  writeFileSync(path, before);
  if (results.some(({ status }) => status === 'failed')) return 'killed';
  return results.length === 0 ? 'no test ran: the change must leave a program' : 'SURVIVED';
}

const rows = chosen();
let failed = 0;
if (rows.length > 0) {
  const copy = copyOfTree();
  const unchanged = await resultsIn(copy, rows);
  for (const row of rows) {
    const fate = await fateOf(row, copy, unchanged);
    if (fate !== 'killed') failed += 1;
    console.log(`${fate.padEnd(8)}  ${mutants.indexOf(row) + 1}. ${row.control} (${row.file})`);
  }
}
console.log(`${rows.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
