// A recording as the sorted set of what was said in it: no times, no random parts, no order, no counts.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { byChance } from './by-chance.ts';
import { linesOf } from './lines.ts';

const [recording] = process.argv.slice(2);
if (!recording) throw new Error('usage: reduce.ts DIRECTORY');

const lines = new Set<string>();
for (const suite of readdirSync(recording)) {
  for (const file of readdirSync(join(recording, suite))) {
    const exchanges = readFileSync(join(recording, suite, file), 'utf8')
      .split('\n')
      .filter(Boolean);
    for (const text of exchanges) for (const line of linesOf(JSON.parse(text))) lines.add(`${suite} ${line}`);
  }
}
const kept = [...lines].filter((line) => !byChance.some(({ pattern }) => pattern.test(line)));
process.stdout.write(
  kept
    .sort()
    .map((line) => `${line}\n`)
    .join(''),
);
