import middy from '@middy/core';
import { log } from './log.ts';

/** A schedule's function; its act is told how much of the function's time is left. A failure is logged and thrown on: the invocation counts as failed, and its alarm rings. */
export function schedule<Dependencies>(
  connect: () => Dependencies,
  act: (dependencies: Dependencies, remainingMilliseconds: () => number) => Promise<unknown>,
) {
  let dependencies: Dependencies | undefined;
  return middy<unknown, void>().handler(async (_, context) => {
    try {
      dependencies ??= connect();
      await act(dependencies, () => context.getRemainingTimeInMillis());
    } catch (error) {
      log.error('schedule.failed', error);
      throw error;
    }
  });
}
