/**
 * `node test/pages/open-capture-page.ts LINK`: a person who opens a capture page, wherever it is served, and takes a selfie.
 * Prints what the page says in the end; fails where the page breaks its policy or writes another error.
 * A program of its own, because `test:deployed` is compiled without a browser's types.
 */
import { openBrowser } from './browser.ts';
import { camera } from './feeds.ts';
import { press, sees } from './person.ts';

const [link = ''] = process.argv.slice(2);
const { video } = await camera({ of: 'portrait' });
const browser = await openBrowser({ video });
const errors: string[] = [];
try {
  // An emulator's certificate is its own; the flag for the whole browser would excuse more.
  const context = await browser.newContext({ locale: 'en-GB', isMobile: true, ignoreHTTPSErrors: true });
  context.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  context.on('weberror', (error) => errors.push(String(error.error())));
  const page = await context.newPage();
  await page.goto(link);
  await press(page, 'begin');
  console.log(
    await sees(page, 'passed_title', 'failed_title', 'recapture_title', 'errored_title', 'rounds_spent_title'),
  );
} finally {
  await browser.close();
}
for (const error of errors) console.error(error);
process.exit(errors.length > 0 ? 1 : 0);
