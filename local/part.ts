import type { Template } from './template.ts';
import type { Watching } from './watch.ts';

/** What every part is started with. */
export interface Setup {
  template: Template;
  dataDirectory: string;
  /** Of the HTTP API; 0 takes a free one. */
  port: number;
  /** Of S3; without one, the port of the last start. */
  s3Port?: number;
  /** What stands for S3's host in the URLs that callers are given. */
  s3PublicHost?: string;
  verbose: boolean;
  /** Takes no larger requests than AWS does. */
  awsLimits?: boolean;
  watch?: Watching;
  /** Takes a payload, by ARN: queues and functions enter themselves here as they start. */
  targets: Map<string, (payload: unknown) => Promise<void>>;
}

/** A part that runs. */
export interface Started<Gives> {
  /** What later parts need of it. */
  gives: Gives;
  /** Takes no more work and waits for what is running. Called on all parts together, before any is stopped. */
  drain?: () => Promise<void>;
  /** Called on the last part first, so that what a part works on outlives it. */
  stop?: () => Promise<void>;
}

/** Starts one part of the stack, given what the template says and what the parts before it gave. */
export type Part<Needs, Gives> = (setup: Setup, given: Needs) => Promise<Started<Gives>>;

/** An ordered list of parts; a part can only be added after the ones whose gifts it needs. */
export interface Parts<Given> {
  with: <Gives>(part: Part<Given, Gives>) => Parts<Given & Gives>;
  /** Starts them in order. When one fails, those that run are ended as by `stop`. */
  start: (setup: Setup) => Promise<{ given: Given; stop: () => Promise<void> }>;
}

/** The empty list. */
export const parts: Parts<unknown> = listOf(async () => ({}));

function listOf<Given>(startAll: (setup: Setup, running: Started<unknown>[]) => Promise<Given>): Parts<Given> {
  return {
    with: (part) =>
      listOf(async (setup, running) => {
        const given = await startAll(setup, running);
        const started = await part(setup, given);
        running.push(started);
        return { ...given, ...started.gives };
      }),
    async start(setup) {
      const running: Started<unknown>[] = [];
      const end = async () => {
        await Promise.all(running.map((part) => part.drain?.()));
        for (const part of running.toReversed()) await part.stop?.();
      };
      let ended: Promise<void> | undefined;
      const stop = () => {
        ended ??= end();
        return ended;
      };
      try {
        return { given: await startAll(setup, running), stop };
      } catch (error) {
        await stop();
        throw error;
      }
    },
  };
}

/** Hands a payload to the queue or function with this ARN. */
export async function deliver({ targets }: Setup, arn: string, payload: unknown): Promise<void> {
  const target = targets.get(arn);
  if (!target) throw new Error(`${arn} is neither a queue nor a function of this stack`);
  await target(payload);
}
