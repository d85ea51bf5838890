import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import { ownSecretBytes, readSecret, secretText } from '../../shared/domain/endpoint-secret.ts';
import { endpointAnswerSeconds } from '../../shared/domain/times.ts';
import { signedBy } from '../../shared/webhooks/sign.ts';

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

/** What signs: as given or as the environment has it, else a new secret, which is said. */
export function secretOf(given: string | undefined, say: (text: string) => void): string {
  const known = given ?? process.env.BONAFIDE_WEBHOOK_SECRET;
  if (known !== undefined) {
    if (!readSecret(known)) throw new Error('The secret is none: whsec_ and base64 of 24 to 64 bytes');
    return known;
  }
  const secret = secretText(randomBytes(ownSecretBytes));
  say(`Signed with ${secret}`);
  return secret;
}

/** Posts a body as Bonafide does, signed, and says what was answered. It is not tried again. */
export async function forward(body: WebhookBody, to: { url: string; secret: string }): Promise<string> {
  const secrets = [readSecret(to.secret)].filter((secret) => secret !== undefined);
  const text = JSON.stringify(body);
  const from = performance.now();
  const answer = await fetch(to.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...signedBy(secrets, { id: body.data.id, at: new Date(), body: text }, { v1a: false }),
    },
    body: text,
    redirect: 'manual',
    signal: AbortSignal.timeout(endpointAnswerSeconds * 1000),
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
