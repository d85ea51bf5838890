import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { routes } from '../../shared/api/operations.ts';
import { openApi, webhooksSchema } from '../../tools/release/openapi.ts';

it('docs/openapi.json is what the routes and schemas make: npm run openapi', () => {
  expect(JSON.parse(readFileSync('docs/openapi.json', 'utf8'))).toEqual(JSON.parse(JSON.stringify(openApi())));
});

it('docs/webhooks.schema.json is what the schemas of bodies make: npm run openapi', () => {
  expect(JSON.parse(readFileSync('docs/webhooks.schema.json', 'utf8'))).toEqual(
    JSON.parse(JSON.stringify(webhooksSchema())),
  );
});

const calls = routes.filter(({ page }) => !page);

it('has every call of the API, and no page', () => {
  const { paths } = JSON.parse(JSON.stringify(openApi()));
  expect(Object.keys(paths).sort()).toEqual([...new Set(calls.map(({ path }) => path))].sort());
});

it.each(calls.map(({ key, method, path }) => [key, method, path]))(
  '%s answers with named schemas',
  (_, method, path) => {
    const { paths } = JSON.parse(JSON.stringify(openApi()));
    for (const { content } of Object.values<Described>(paths[path][method.toLowerCase()].responses)) {
      for (const { schema } of Object.values(content)) {
        for (const one of schema.anyOf ?? [schema])
          expect(one).toEqual({ $ref: expect.stringMatching(/\/schemas\/\w+$/) });
      }
    }
  },
);

interface Described {
  readonly content: Readonly<Record<string, { schema: { anyOf?: object[] } }>>;
}
