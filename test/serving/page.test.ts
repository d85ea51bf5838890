import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { faultCodes } from '../../shared/domain/fault.ts';
import { reason } from '../../shared/domain/verdict.ts';
import * as onesmartlab from '../../shared/providers/onesmartlab/answers.ts';
import * as spoofsense from '../../shared/providers/spoofsense/answers.ts';
import { withServingTables } from '../../tools/release/serving-tables.ts';
import { codeIn, rowsUnder } from '../docs/markdown.ts';

const page = readFileSync('docs/serving.md', 'utf8');

it('docs/serving.md has the tables that the writers make: npm run serving-tables', () => {
  expect(withServingTables(page)).toBe(page);
});

describe('docs/serving.md', () => {
  it.each([
    ['SpoofSense, both editions', '| reason | `error_codes` | `messages` |'],
    ['One Smart Lab, all routes', '| reason | `/spoofdetect` | `/photoverify` | `/videoverify` |'],
    ['Identify', '| reason | posted |'],
  ])('has a row of every reason: %s', (_, header) => {
    const rows = rowsUnder(page, header);
    expect(rows.map(([first]) => codeIn(first))).toEqual(reason.options);
    for (const row of rows) expect(row.filter((cell) => cell !== '')).toHaveLength(header.split('|').length - 2);
  });

  it('has a row of every fault, for every vendor and edition', () => {
    const header =
      '| fault | SpoofSense, `error_codes` | SpoofSense, `messages` | One Smart Lab | Identify, refused | Identify, posted |';
    const rows = rowsUnder(page, header);
    expect(rows.map(([first]) => codeIn(first))).toEqual(faultCodes);
    for (const [, codes, messages, lab, refused] of rows) {
      for (const cell of [codes, messages, lab, refused]) expect(cell).toMatch(/^\d{3} ./);
    }
  });

  it('says what a call is told that has waited long enough', () => {
    const written = [spoofsense.gateway.timedOut, onesmartlab.refusals.timedOut];
    for (const { status, body } of written) expect(page).toContain(`\`${status} ${JSON.stringify(body)}\``);
  });
});
