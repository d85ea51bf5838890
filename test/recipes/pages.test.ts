import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { contributorRecipes, edited, providerRecipe } from './recipes.ts';

/* Whether the recipes still fit the tree; test/recipes/slow carries them out. */

const recipes = [...contributorRecipes, providerRecipe];

describe.each(recipes.map((recipe) => [recipe.title, recipe] as const))('%s', (_, recipe) => {
  it('goes by lines that are there, once each', () => {
    const files = new Map<string, string | undefined>();
    for (const step of recipe.steps) {
      if (step.kind === 'run') continue;
      const before = files.has(step.file) ? files.get(step.file) : existing(step.file);
      files.set(step.file, edited(before, step));
    }
    expect(files.size).toBeGreaterThan(1);
  });

  it('says of every step what fails without it, and of the whole how to check it', () => {
    expect(recipe.steps.filter(({ without }) => without === undefined)).toEqual([]);
    expect(recipe.checks).toContain('npm run check');
  });

  it('names tests that exist', () => {
    const guards = recipe.steps.map(({ without = '' }) => without).filter((guard) => guard !== 'tsc');
    for (const guard of guards) expect(existsSync(guard), guard).toBe(true);
  });
});

function existing(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}
