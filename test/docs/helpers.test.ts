import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { rowsUnder } from './markdown.ts';

const page = readFileSync('test/README.md', 'utf8');
const quoted = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);
const rows = rowsUnder(page, '| you need | take | from |').map(
  ([what = '', names = '', places = '']) => [what, quoted(names), quoted(places)] as const,
);

it.each(rows)('test/README.md says where to find %s', (_, names, places) => {
  const paths = places.map((place) => join('test', place));
  for (const path of paths) expect(existsSync(path), path).toBe(true);
  const texts = paths.map((path) => readFileSync(path, 'utf8')).join('\n');
  for (const name of names) expect(texts).toMatch(new RegExp(`export .*\\b${name}\\b`));
});
