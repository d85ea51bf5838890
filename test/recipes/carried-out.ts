import { expect, it } from 'vitest';
import type { Recipe, Step } from './recipes.ts';
import type { WorkingCopy } from './working-copy.ts';

const nameOf = (step: Step): string => (step.kind === 'run' ? (step.text.split('\n')[0] ?? '') : step.file);

/** The tests of a recipe: followed to the letter it ends green; without any one of its steps something named fails. */
export function carriedOut(recipe: Recipe, copy: WorkingCopy): void {
  const { title, steps, checks } = recipe;

  it('ends green when it is followed', () => {
    copy.reset();
    copy.follow(steps);
    const files = copy.touched();
    console.log(`| ${title} | ${files.length} | ${files.map((file) => `\`${file}\``).join(', ')} |`);
    const ran = copy.run(checks);
    expect(ran.succeeded, ran.output).toBe(true);
    const guards = [...new Set(steps.map(({ without = '' }) => without))].filter((guard) => guard !== 'tsc');
    const named = copy.run(`npx vitest run ${guards.join(' ')}`);
    expect(named.succeeded, named.output).toBe(true);
  });

  it.each(steps.map((step, index) => [index + 1, nameOf(step), step.without ?? ''] as const))(
    'without step %i, %s, %s fails',
    (number, _, guard) => {
      copy.reset();
      copy.follow(steps.filter((_, index) => index + 1 !== number));
      const ran = copy.check(guard);
      expect(ran.succeeded).toBe(false);
      expect(ran.output).toMatch(guard === 'tsc' ? /error TS\d+/ : /FAIL/);
      expect(ran.output).not.toContain('timed out'); // a slow machine notices nothing
    },
  );
}
