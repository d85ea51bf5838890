import { execFile } from 'node:child_process';
import { promisify, stripVTControlCharacters } from 'node:util';

/** What pages ask of the API, as people use them. */
interface PageRequests {
  /** By check, from the opened page to the verdict. */
  readonly capture: Readonly<Record<string, number>>;
  /** By view, in a minute in which the page is seen. */
  readonly console_minute: Readonly<Record<string, number>>;
}

/** The tests of pages that count them in Chromium, print the numbers and hold them to their limits. */
const counting = 'asks little of the API|in a minute at';

/** Runs those tests: one beyond its limit fails the bench. */
export async function benchPageRequests(): Promise<PageRequests> {
  const run = ['run', '--config', 'test/pages/vitest.config.ts', '--testNamePattern', counting];
  const files = ['test/pages/outcomes.test.ts', 'test/pages/console.test.ts'];
  const { stdout } = await promisify(execFile)('npx', ['vitest', ...run, ...files], { maxBuffer: 64 * 1024 * 1024 });
  const printed = stripVTControlCharacters(stdout); // vitest colours what it prints into a pipe, too
  const counted = (line: RegExp) =>
    Object.fromEntries([...printed.matchAll(line)].map(([, what, count]) => [what, Number(count)]));
  const found = {
    capture: counted(/(\w+): (\d+) requests to the API/g),
    console_minute: counted(/(\w+): (\d+) requests in a minute/g),
  };
  if (Object.keys(found.capture).length !== 3 || Object.keys(found.console_minute).length !== 4) {
    throw new Error(`The tests of pages counted ${JSON.stringify(found)}`);
  }
  return found;
}
