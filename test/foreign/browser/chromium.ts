import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import chromium, { inflate } from '@sparticuz/chromium';
import { type Browser, chromium as playwright } from 'playwright-core';

/**
 * Chromium from npm (x64 Linux), unpacked to this run's TMPDIR with the libraries it comes with. Its own `args` turn
 * off what is tested here (`--disable-web-security`), so it gets none of them.
 */
export async function openBrowser(): Promise<Browser> {
  const executablePath = await chromium.executablePath();
  const bundled = join(dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')), '..', 'bin');
  const libraries = join(await inflate(join(bundled, 'al2023.tar.br')), 'lib');
  return playwright.launch({
    executablePath,
    args: ['--no-sandbox', '--host-resolver-rules=MAP *.example 127.0.0.1'],
    env: { ...process.env, HOME: tmpdir(), LD_LIBRARY_PATH: libraries },
  });
}
