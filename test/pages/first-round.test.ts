/** Twenty people who hold the camera badly for three seconds: guidance waits for the good picture, a timer does not. */
import { afterAll, describe, expect, it } from 'vitest';
import { openBrowser } from './browser.ts';
import { type FeedOptions, feed, type Wrong, wrongs } from './feeds.ts';
import { ended, opened, told } from './journey.ts';
import { press, sees } from './person.ts';
import { stackOfThisFile } from './stack.ts';

const stack = stackOfThisFile();

const each = Object.keys(wrongs) as Wrong[];
const feeds: FeedOptions[] = [
  ...each.map((wrong) => ({ of: 'pair' as const, wrong })),
  ...each.map((wrong) => ({ of: 'portrait' as const, wrong })),
  ...(['dark', 'blurred'] as const).map((wrong) => ({ of: 'stranger' as const, wrong })),
].map((options) => ({ ...options, wrongSeconds: 3, seconds: 4 }));

const printed: string[] = [];
afterAll(() => console.log(printed.join('\n')));

describe('of twenty captures that are bad for three seconds, then good', () => {
  it('nineteen pass in the first round, by guidance', async () => {
    const passed = await passedInFirstRound('by guidance');
    expect(feeds).toHaveLength(20);
    expect(passed).toBeGreaterThanOrEqual(19);
  }, 900_000);

  if (process.env.PAGES === 'all') {
    it('so many pass by a timer alone, which is printed beside', async () => {
      await passedInFirstRound('by a timer of 2 s alone');
    }, 900_000);
  }
});

async function passedInFirstRound(how: 'by guidance' | 'by a timer of 2 s alone'): Promise<number> {
  let passed = 0;
  for (const options of feeds) {
    const browser = await openBrowser({ video: await feed(options) });
    const { visited, asked } = await opened(stack(), browser);
    const { page } = visited;
    if (how !== 'by guidance') await page.route(/\/assets\/guidance-/, (route) => route.abort());
    await press(page, 'begin');
    if (how !== 'by guidance') {
      await sees(page, 'selfie_title');
      await page.waitForTimeout(2000);
      await press(page, 'take');
      await press(page, 'keep');
    }
    const outcome = await told(visited);
    if (outcome === 'passed_title') passed += 1;
    else {
      const { verdict } = await stack().client.read(asked.sourceId);
      printed.push(`  ${options.of} ${options.wrong}: ${outcome} ${verdict?.reasons.join(', ')}`);
    }
    await ended(stack(), visited, asked, /ERR_FAILED/);
    await browser.close();
  }
  printed.push(`${how}: ${passed} of ${feeds.length} passed in the first round`);
  return passed;
}
