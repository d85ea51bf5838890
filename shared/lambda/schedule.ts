import middy from '@middy/core';
import { log } from './log.ts';

/** A schedule's function. A failure is logged and thrown on: the invocation counts as failed, and its alarm rings. */
export function schedule<Dependencies>(
  connect: () => Dependencies,
  act: (dependencies: Dependencies) => Promise<unknown>,
) {
  let dependencies: Dependencies | undefined;
  return middy<unknown, void>().handler(async () => {
    try {
      dependencies ??= connect();
      await act(dependencies);
    } catch (error) {
      log.error('schedule.failed', error);
      throw error;
    }
  });
}
