import { describe, expect, it } from 'vitest';
import { carriedOut } from '../carried-out.ts';
import { contributorRecipes } from '../recipes.ts';
import { workingCopy } from '../working-copy.ts';

const copy = workingCopy();
const route = contributorRecipes.find(({ title }) => title === 'A route');

describe.each(contributorRecipes.map((recipe) => [recipe.title, recipe] as const))('%s', (_, recipe) => {
  carriedOut(recipe, copy);
});

it('a misspelt route does not compile', () => {
  copy.reset();
  copy.follow(route?.steps ?? []);
  copy.edit('functions/retry-verification/handler.ts', (text) =>
    text.replace("'GET /verifications/{source_id}/retry'", "'GET /verifications/{source_id}/retries'"),
  );
  const { succeeded, output } = copy.check('tsc');
  expect(succeeded).toBe(false);
  expect(output).toContain('functions/retry-verification/handler.ts');
});
