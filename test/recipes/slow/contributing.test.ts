import { describe, expect, it } from 'vitest';
import { carriedOut } from '../carried-out.ts';
import { contributorRecipes, type Recipe } from '../recipes.ts';
import { workingCopy } from '../working-copy.ts';

const copy = workingCopy();

function recipeOf(title: string): Recipe {
  const recipe = contributorRecipes.find((each) => each.title === title);
  if (!recipe) throw new Error(`There is no recipe ${title}`);
  return recipe;
}

describe.each(contributorRecipes.map((recipe) => [recipe.title, recipe] as const))('%s', (_, recipe) => {
  carriedOut(recipe, copy);
});

it('a misspelt route does not compile', () => {
  copy.reset();
  copy.follow(recipeOf('A route').steps);
  copy.edit('functions/retry-verification/handler.ts', (text) =>
    text.replace("'GET /verifications/{source_id}/retry'", "'GET /verifications/{source_id}/retries'"),
  );
  const { succeeded, output } = copy.check('tsc');
  expect(succeeded).toBe(false);
  expect(output).toContain('functions/retry-verification/handler.ts');
});

it('an act that the simulation does not know breaks a rule', () => {
  copy.reset();
  copy.follow(recipeOf('A function').steps.slice(0, 1));
  const { succeeded, output } = copy.check('test/architecture.test.ts');
  expect(succeeded).toBe(false);
  expect(output).toContain('Rule: every file of shared/lifecycle is reached from test/simulation/acts.ts');
});
