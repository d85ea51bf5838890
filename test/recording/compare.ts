// What one reduced recording has and another has not. Exits with 1 where they differ.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'without-prose': { type: 'boolean', default: false } },
});
const [before, after] = positionals;
if (!before || !after) throw new Error('usage: compare.ts [--without-prose] BEFORE AFTER');

/** Sentences for people: they may change where nothing else does. */
const prose = /"(detail|title|message)":"(?:[^"\\]|\\.)*"/g;

function linesOf(file: string): Set<string> {
  const text = readFileSync(file, 'utf8');
  return new Set((values['without-prose'] ? text.replace(prose, '"$1":"…"') : text).split('\n'));
}

const [old, young] = [linesOf(before), linesOf(after)];
const removed = [...old].filter((line) => !young.has(line)).map((line) => `- ${line}`);
const added = [...young].filter((line) => !old.has(line)).map((line) => `+ ${line}`);
for (const line of [...removed, ...added].sort((one, other) => (one.slice(2) < other.slice(2) ? -1 : 1))) {
  console.log(line);
}
console.log(`${removed.length} removed, ${added.length} added, ${old.size - removed.length} equal`);
process.exitCode = removed.length + added.length > 0 ? 1 : 0;
