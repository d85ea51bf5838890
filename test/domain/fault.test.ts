import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { faultsOf, routes } from '../../shared/api/operations.ts';
import { faultCodes, faults } from '../../shared/domain/fault.ts';

/** The table of codes and the table of routes only declare: neither throws. */
const tables = ['shared/domain/fault.ts', 'shared/api/operations.ts'];
const textOf = (patterns: readonly string[], without: readonly string[] = []) =>
  globSync(patterns)
    .filter((file) => !without.includes(file))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');

const product = textOf(['shared/**/*.ts', 'functions/**/*.ts', 'engine/**/*.ts'], tables);
const tests = textOf(['test/**/*.ts']);
const declared = new Set(routes.flatMap((route) => faultsOf(route)));

describe.each(faultCodes)('the fault %s', (code) => {
  it('is one that the product can end with', () => {
    expect(product).toContain(`'${code}'`);
  });

  it('is provoked, or named, by a test', () => {
    expect(tests).toMatch(new RegExp(`\\b${code}\\b`));
  });
});

/** What ends an attempt is read in the record; an address that is no route has no row to name its fault. */
const answered = faultCodes.filter((code) => !('attempt' in faults[code]) && code !== 'route_unknown');

it.each(answered)('%s is declared by a route that answers with it', (code) => {
  expect([...declared]).toContain(code);
});
