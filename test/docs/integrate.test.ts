import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import openApi from '../../docs/openapi.json' with { type: 'json' };
import { faultCodes, faults } from '../../shared/domain/fault.ts';
import { state } from '../../shared/domain/verification.ts';
import { program, programs } from '../integrate/programs.ts';
import { codeIn, rowsUnder } from './markdown.ts';

const page = readFileSync('docs/integrate.md', 'utf8');
const answers = rowsUnder(page, '| code | status | what to do |').map(([code, status]) => [codeIn(code), status]);
const endings = rowsUnder(page, '| code | what to do |').map(([code]) => codeIn(code));

it('every code that the API declares is in the table of its answers', () => {
  const declared = [...JSON.stringify(openApi.paths).matchAll(/`(\w+)`: /g)].map(([, code]) => code);
  expect(answers.map(([code]) => code)).toEqual(expect.arrayContaining(declared));
});

it('the faults of an errored verification are those that end an attempt', () => {
  expect(endings.toSorted()).toEqual(faultCodes.filter((code) => 'attempt' in faults[code]).toSorted());
});

it('every code has a row, and every row is a code', () => {
  const codes = new Set([...answers.map(([code]) => code), ...endings]);
  expect([...codes].toSorted()).toEqual([...faultCodes, 'internal'].toSorted());
});

it.each(answers)('%s is answered %s', (code, status) => {
  const statusOf = new Map(faultCodes.map((one) => [`${one}`, faults[one].status]));
  expect(Number(status)).toBe(code === 'internal' ? 500 : statusOf.get(code ?? ''));
});

it('every state has a row', () => {
  const named = rowsUnder(page, '| state | what to do |').flatMap(([cell = '']) => cell.match(/\w+/g));
  expect(named).toEqual(expect.arrayContaining(state.options));
});

it('the browser page says the words of docs/reasons.md', () => {
  const reasons = readFileSync('docs/reasons.md', 'utf8');
  const recaptures = rowsUnder(reasons, '| reason | meaning | given by | words for the person |');
  const [[, unknown = ''] = [], ...others] = rowsUnder(reasons, '| shown for | words for the person |');
  expect(pairsIn('reasonWords')).toEqual(recaptures.map(([reason, , , words]) => [codeIn(reason), words]));
  expect(pairsIn('otherWords')).toEqual(others);
  expect(program('web/verify.js')).toContain(`'${unknown}'`);
});

/** `['too_dark', 'It is too dark. …'],` for each line of a Map in the page's program. */
function pairsIn(name: string): string[][] {
  const [, list = ''] = program('web/verify.js').split(`const ${name} = new Map([`);
  const [lines = ''] = list.split(']);');
  return [...lines.matchAll(/\['([^']*)', '([^']*)'\],/g)].map(([, key = '', words = '']) => [key, words]);
}

it.each([...programs.keys()])('%s is run by a test', (file) => {
  const tests = globSync('test/integrate/**/*.ts').map((test) => readFileSync(test, 'utf8'));
  expect(tests.some((text) => text.includes(`'${file}'`))).toBe(true);
});
