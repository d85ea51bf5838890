import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import type { Send, Work } from '../domain/ports.ts';
import { verificationId } from '../domain/verification.ts';

/** The body of a provider queue's message. */
const message = z.object({ verification_id: verificationId, sequence: z.int().positive() });

/** What a message says. A foreign one is a bug of ours: it ends in the DLQ. */
export function readWork(body: string): Work {
  const { verification_id, sequence } = message.parse(JSON.parse(body));
  return { verificationId: verification_id, sequence };
}

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
  .pipe(z.record(z.string(), z.url()))
  .transform((urls): ReadonlyMap<string, string> => new Map(Object.entries(urls)));

export function sqsSend(client: SQSClient, queues: ReadonlyMap<string, string>): Send {
  return async (provider, { verificationId: id, sequence }, delaySeconds = 0) => {
    const url = queues.get(provider);
    if (!url) throw new Error(`No queue is set for provider ${provider}`);
    const body: z.input<typeof message> = { verification_id: id, sequence };
    await client.send(
      new SendMessageCommand({ QueueUrl: url, MessageBody: JSON.stringify(body), DelaySeconds: delaySeconds }),
    );
  };
}
