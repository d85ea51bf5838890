import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import * as z from 'zod';
import { ownSecretBytes, secretText } from '../../shared/domain/endpoint-secret.ts';

/** What an endpoint is posted, as far as it is shown here. */
export const webhookBody = z.looseObject({
  type: z.string(),
  timestamp: z.string(),
  data: z.looseObject({
    id: z.string(),
    source_id: z.string().optional(),
    sequence: z.number().optional(),
    outcome: z.string().optional(),
  }),
});
export type WebhookBody = z.infer<typeof webhookBody>;

const answerMilliseconds = 15_000;

export const newSecret = (): string => secretText(randomBytes(ownSecretBytes));

/** Posts a body as Bonafide does, signed, and says what was answered. It is not tried again. */
export async function forward(body: WebhookBody, to: { url: string; secret: string }): Promise<string> {
  const at = new Date();
  const text = JSON.stringify(body);
  const from = performance.now();
  const answer = await fetch(to.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'webhook-id': body.data.id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': new Webhook(to.secret).sign(body.data.id, at, text),
    },
    body: text,
    redirect: 'manual',
    signal: AbortSignal.timeout(answerMilliseconds),
  }).catch((error: unknown) => (error instanceof Error && error.name === 'TimeoutError' ? 'no answer' : 'unreachable'));
  const milliseconds = Math.round(performance.now() - from);
  if (typeof answer === 'string') return `${answer} after ${milliseconds} ms`;
  await answer.body?.cancel();
  return `${answer.status} in ${milliseconds} ms`;
}

/** One line: when, what, of which verification. */
export function lineOf({ type, timestamp, data }: WebhookBody): string {
  const about = [data.source_id, data.sequence, data.outcome].filter((word) => word !== undefined);
  return [timestamp, type, ...about].join(' ');
}
