import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { contextKeys } from '../../infra/settings.ts';
import { gaps } from '../deployed/gaps.ts';

const page = readFileSync('docs/deploying.md', 'utf8');

/** The cells of the rows under a table's header. */
function table(header: string): string[][] {
  const [, rest = ''] = page.split(`${header}\n`);
  const [rows = ''] = rest.split('\n\n');
  return rows
    .split('\n')
    .filter((row) => row.startsWith('| ') && !row.startsWith('|---'))
    .map((row) => row.slice(2, -2).split(' | '));
}

it('names every choice that infra reads, and no other', () => {
  const read = Object.keys(contextKeys).map((key) => `\`${key}\``);
  const named = table('| `-c` | Default | What it chooses |').map(([key]) => key);
  expect(named.toSorted()).toEqual(read.toSorted());
});

it('adds up what a thousand verifications cost', () => {
  const rows = table('| What | Of what | Per verification | USD per million | USD per 1,000 verifications |');
  const parts = rows.slice(0, -1).map(([, , count, price, cost]) => {
    const computed = (Number(count) * Number(price)) / 1000;
    expect(cost).toBe(computed.toFixed(4));
    return computed;
  });
  const total = parts.reduce((sum, cost) => sum + cost, 0);
  expect(rows.at(-1)?.at(-1)).toBe(`**${total.toFixed(4)}**`);
});

it('tells every gap of the emulator the test knows, in its words', () => {
  const rows = table('| What | On AWS | Here |').map(([what, onAws, here]) => ({ what, onAws, here }));
  expect(rows).toEqual(gaps);
});
