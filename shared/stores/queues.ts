import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { verificationId } from '../domain/verification.ts';

/** What a provider's queue carries: which record, and which of its sequences may claim it. */
export const work = z.object({ verification_id: verificationId, sequence: z.int().positive() });
export type Work = z.infer<typeof work>;

/** A queue message's body. A foreign one is a bug of ours: it ends in the DLQ. */
export function readWork(body: string): Work {
  return work.parse(JSON.parse(body));
}

/** Puts a verification on its provider's queue. Sending twice is harmless: only one message can claim. */
export type Send = (
  provider: string,
  verification: { verificationId: string; sequence: number },
  delaySeconds?: number,
) => Promise<void>;

/** PROVIDER_QUEUES: provider name → queue URL. */
export const providerQueues = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue('must be JSON');
      return z.NEVER;
    }
  })
  .pipe(z.record(z.string(), z.url()));

export function sqsSend(client: SQSClient, queues: Readonly<Record<string, string>>): Send {
  return async (provider, { verificationId: id, sequence }, delaySeconds = 0) => {
    const url = queues[provider];
    if (!url) throw new Error(`No queue is set for provider ${provider}`);
    const body: Work = { verification_id: id, sequence };
    await client.send(
      new SendMessageCommand({ QueueUrl: url, MessageBody: JSON.stringify(body), DelaySeconds: delaySeconds }),
    );
  };
}
