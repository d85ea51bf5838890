import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { mutants } from './table.ts';

it.each(mutants)('the control can be taken away: $control', ({ file, find, replace, tests, named }) => {
  expect(readFileSync(file, 'utf8').split(find).length - 1, `times this stands in ${file}: ${find}`).toBe(1);
  expect(replace).not.toBe(find);
  expect(named, 'no name would run every test').not.toBe('');
  for (const test of tests) expect(existsSync(test), test).toBe(true);
});

it('no control has two rows', () => {
  expect(new Set(mutants.map(({ control }) => control)).size).toBe(mutants.length);
});
