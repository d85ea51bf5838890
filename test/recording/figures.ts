// Sizes and words of the checkout in the working directory: its longest handlers and functions, its duplicated lines,
// and the names and words that its style rules out.
import { readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { parse } from 'acorn';

const product = ['engine', 'functions', 'infra', 'local', 'shared', 'tools'];
const folders = [...product, 'test', 'bench', 'training', 'docs'];
const avoidedNames = ['Own', 'In', 'but', 'made', 'told', 'seen'];
const avoidedWords = ['whoever', 'somebody', 'nobody', 'what is told'];
/** So many lines in a row, blank ones and comments aside, that stand in two places are duplicated. */
const duplicateLines = 6;

/** Not ours, and this folder, which speaks of those words. */
const aside = /node_modules|^test\/recording/;

process.removeAllListeners('warning'); // stripping types is new in Node, and says so

interface File {
  readonly path: string;
  readonly text: string;
}

/** Files under a folder, or right in it where `deep` is false. */
function filesIn(folder: string, endings: RegExp, deep = true): File[] {
  return entriesOf(folder, deep)
    .filter((entry) => entry.isFile() && endings.test(entry.name) && !aside.test(entry.parentPath))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => ({ path, text: readFileSync(path, 'utf8') }));
}

function entriesOf(folder: string, recursive: boolean) {
  try {
    return readdirSync(folder, { withFileTypes: true, recursive });
  } catch {
    return []; // not every checkout has every folder
  }
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly name?: string;
}

function walk(node: Node, visit: (node: Node) => void): void {
  visit(node);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (typeof child === 'object' && child !== null && typeof child.type === 'string') walk(child, visit);
    }
  }
}

/** Types become blanks, so lines and positions stay. */
function treeOf({ text }: File): Node {
  return parse(stripTypeScriptTypes(text), { ecmaVersion: 'latest', sourceType: 'module' });
}

const lineOf = (text: string, position: number): number => text.slice(0, position).split('\n').length;
const lengthOf = ({ text }: File): number => text.trimEnd().split('\n').length;

function functionsIn(file: File): { place: string; lines: number }[] {
  const found: { place: string; lines: number }[] = [];
  walk(treeOf(file), ({ type, start, end }) => {
    if (!/^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(type)) return;
    const line = lineOf(file.text, start);
    found.push({ place: `${file.path}:${line}`, lines: lineOf(file.text, end) - line + 1 });
  });
  return found;
}

/** Lines that belong to a run which also stands elsewhere, imports aside. */
function duplicatedLines(files: readonly File[]): number {
  const places = new Map<string, string[]>();
  for (const { path, text } of files) {
    const lines = text
      .replace(/^import [\s\S]*?;$/gm, '')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !/^(\/\/|\/\*|\*)/.test(line));
    for (let start = 0; start + duplicateLines <= lines.length; start += 1) {
      const run = lines.slice(start, start + duplicateLines).join('\n');
      const here = Array.from({ length: duplicateLines }, (_, offset) => `${path}:${start + offset}`);
      places.set(run, [...(places.get(run) ?? []), ...here]);
    }
  }
  const repeated = [...places.values()].filter((lines) => lines.length > duplicateLines);
  return new Set(repeated.flat()).size;
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

/** Values by the tree; types, which the tree has not, by how they are written: `In<…>`. */
function namesIn(file: File): Map<string, number> {
  const found = new Map(avoidedNames.map((name) => [name, count(file.text, new RegExp(`\\b${name}<`, 'g'))]));
  walk(treeOf(file), ({ type, name }) => {
    if (type === 'Identifier' && name && found.has(name)) found.set(name, (found.get(name) ?? 0) + 1);
  });
  return found;
}

const wordsIn = (text: string): Map<string, number> =>
  new Map(avoidedWords.map((word) => [word, count(text, new RegExp(`\\b${word.replaceAll(' ', '\\s+')}\\b`, 'gi'))]));

function sum(maps: readonly Map<string, number>[], names: readonly string[]): number[] {
  return names.map((name) => maps.reduce((total, map) => total + (map.get(name) ?? 0), 0));
}

const code = (folder: string, deep = true) => filesIn(folder, /\.ts$/, deep);
const prose = (folder: string, deep = true) => filesIn(folder, /\.(ts|mts|mjs|md|py|ya?ml|sh|html)$/, deep);
const longest = <Sized extends { lines: number }>(list: readonly Sized[]) =>
  list.toSorted((one, other) => other.lines - one.lines);

const handlers = code('functions').filter(({ path }) => path.endsWith('/handler.ts'));
console.log('Longest handlers (lines)');
for (const { path, lines } of longest(handlers.map((file) => ({ path: file.path, lines: lengthOf(file) })))) {
  console.log(`  ${lines}  ${path}`);
}

const functions = longest(product.flatMap((folder) => code(folder)).flatMap(functionsIn));
console.log(`\nLongest functions of ${product.join(', ')} (lines, with what is declared inside)`);
for (const { place, lines } of functions.slice(0, 20)) console.log(`  ${lines}  ${place}`);
const over = [50, 100, 200].map((limit) => `${functions.filter(({ lines }) => lines > limit).length} over ${limit}`);
console.log(`  of ${functions.length}: ${over.join(', ')}`);

console.log(`\nDuplicated lines (runs of ${duplicateLines} or more), of all lines`);
for (const [name, files] of [
  ['product', product.flatMap((folder) => code(folder))],
  ['test', code('test')],
  ['all', folders.flatMap((folder) => code(folder))],
] as const) {
  const total = files.reduce((lines, file) => lines + lengthOf(file), 0);
  console.log(`  ${name.padEnd(8)} ${duplicatedLines(files)} of ${total}`);
}

const [top, totals] = ['(top)', 'total'];
const heads = [...avoidedNames, ...avoidedWords];
console.log('\nNames (in code) and words (anywhere) that the style rules out');
console.log(['folder'.padEnd(10), ...heads.map((head) => head.padStart(Math.max(5, head.length)))].join(' '));
const all: number[][] = [];
for (const folder of [...folders, top, totals]) {
  const [source, deep] = folder === top ? ['.', false] : [folder, true];
  const counts = [
    ...sum(code(source, deep).map(namesIn), avoidedNames),
    ...sum(
      prose(source, deep).map(({ text }) => wordsIn(text)),
      avoidedWords,
    ),
  ];
  all.push(counts);
  const shown =
    folder === totals ? heads.map((_, index) => all.reduce((total, row) => total + (row[index] ?? 0), 0)) : counts;
  console.log(
    [folder.padEnd(10), ...shown.map((n, i) => String(n).padStart(Math.max(5, heads[i]?.length ?? 0)))].join(' '),
  );
}
