import type { Fetcher, PostWebhook } from '../domain/ports.ts';
import { postSeconds } from '../domain/times.ts';

/** Posts JSON to a webhook. It is taken by any 2xx; what is answered beside the status is not read. */
export function webhookSender({ post }: Pick<Fetcher, 'post'>): PostWebhook {
  return async (url, body) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await post(url, { body, headers }, { timeoutSeconds: postSeconds });
    return answer.kind === 'answered' && answer.status >= 200 && answer.status < 300;
  };
}
