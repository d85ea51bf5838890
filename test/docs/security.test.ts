import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { mutants } from '../mutants/table.ts';
import { rowsUnder } from './markdown.ts';

const page = readFileSync('docs/security.md', 'utf8');
const testsIn = (text: string) => [...text.matchAll(/`(test\/[^`]+\.ts)`/g)].map(([, file = '']) => file);

describe('docs/security.md', () => {
  it.each([...new Set(testsIn(page))])('names a test that is there: %s', (file) => {
    expect(existsSync(file)).toBe(true);
  });

  it.each([
    ['| Control | Fails without it |', 16],
    ['| What | Where | How long | Protected by | Fails without it |', 8],
  ])('names in every row of %s the tests that fail without it', (header, least) => {
    const rows = rowsUnder(page, header);
    expect(rows.length).toBeGreaterThanOrEqual(least);
    for (const row of rows) expect(testsIn(row.at(-1) ?? ''), row[0]).not.toEqual([]);
  });

  it('names every test that a control is taken away from', () => {
    const named = testsIn(page);
    for (const { tests, control } of mutants) {
      expect(
        named.some((file) => tests.includes(file)),
        control,
      ).toBe(true);
    }
  });
});
