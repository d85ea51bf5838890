// What runs in a function's child process: it loads the bundle, then answers one invocation at a time.
import { flushCompileCache } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { Context } from 'aws-lambda';

/** From the parent: one invocation. */
export interface Invocation {
  requestId: string;
  event: unknown;
  /** Epoch milliseconds. */
  deadline: number;
}

/** To the parent: ready once, then one outcome per invocation. */
export type HostMessage =
  | { kind: 'ready' }
  | { kind: 'result'; result: unknown }
  | { kind: 'error'; errorType: string; errorMessage: string; trace: string[] };

// An orphan must not go on working: the parent was killed, and its successor starts functions of its own.
process.on('disconnect', () => process.exit());
// Ctrl-C reaches the whole process group, but it is the parent who decides when a function ends.
process.on('SIGINT', () => undefined);

const [file = '', exportName = ''] = process.argv.slice(2);
const send = (message: HostMessage) => void process.send?.(message);

const loaded = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
const handler = loaded[exportName];
if (typeof handler !== 'function') throw new Error(`${file} has no function named ${exportName}`);

process.on('message', async ({ requestId, event, deadline }: Invocation) => {
  try {
    const result: unknown = await handler(event, contextOf(requestId, deadline));
    send({ kind: 'result', result: result ?? null });
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    // Lambda logs what a handler throws, and so does this.
    console.error(`${requestId} Invoke Error`, error);
    send({
      kind: 'error',
      errorType: error.name,
      errorMessage: error.message,
      trace: error.stack?.split('\n') ?? [],
    });
  }
});
send({ kind: 'ready' });
flushCompileCache(); // where there is one: this process may be killed, and the next one starts sooner

function contextOf(awsRequestId: string, deadline: number): Context {
  const functionName = process.env.AWS_LAMBDA_FUNCTION_NAME ?? '';
  return {
    awsRequestId,
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:${process.env.AWS_REGION}:000000000000:function:${functionName}`,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE ?? '128',
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: String(process.pid),
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => deadline - Date.now(),
    done: unknownHere,
    fail: unknownHere,
    succeed: unknownHere,
  };
}

function unknownHere(): never {
  throw new Error('Answer with a promise: callbacks are not known here, nor in Node 24 on Lambda');
}
