import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { openApi } from '../../tools/release/openapi.ts';

it('docs/openapi.json is what the routes and schemas make: npm run openapi', () => {
  expect(JSON.parse(readFileSync('docs/openapi.json', 'utf8'))).toEqual(JSON.parse(JSON.stringify(openApi())));
});
