import type { Fetcher, PostWebhook } from '../domain/ports.ts';
import { postSeconds } from '../domain/times.ts';

/** Posts JSON to the webhook of a served result. What is answered beside the status is not read. */
export function webhookSender({ post }: Pick<Fetcher, 'post'>): PostWebhook {
  const headers = { 'content-type': 'application/json' };
  return (url, body) => post(url, { body, headers }, { timeoutSeconds: postSeconds });
}
