import { log } from './log.ts';

/** Lambda ends an init after 10 s and begins it anew with the first message, which waits for all of it. */
const initMilliseconds = 9000;

/**
 * Resolves when what a function opens while its container starts is open. Where that takes longer than an init may,
 * the init ends, and the first message waits for the rest. Where it fails, that is logged, and the init ends too: each
 * message then gets the reason from whatever it awaits, fails alone, and goes its way to the route's next provider. A
 * container whose init throws would answer no message at all.
 */
export async function openedInInit(opening: Promise<unknown>, milliseconds = initMilliseconds): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  const opened = opening.catch((error: unknown) => log.error('init.failed', error));
  await Promise.race([opened, late]);
  clearTimeout(timer);
}
