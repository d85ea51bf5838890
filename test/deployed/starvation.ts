import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { portrait } from '../../tools/samples.ts';
import { bonafide } from '../../web/client/index.ts';
import { newSourceId, type Target } from '../journeys/client.ts';
import { messagesIn, withExecutions } from './account.ts';

const pages = 12;
const selfies = 10;
const executions = 10;
const patienceSeconds = 90;

/**
 * A new account, which has ten executions: a dozen pages wait for one person who uploads nothing, and ten others send their
 * selfies at once. All through the client that pages are made with.
 */
export function starvation(target: () => Target): void {
  it(`with ${executions} executions, ${pages} pages that wait starve none of ${selfies} selfies`, async () => {
    const face = new Blob([Buffer.from(await portrait())], { type: 'image/jpeg' });
    const answers = new Map<string, number>();
    const count = async (request: Request) => {
      const answer = await globalThis.fetch(request);
      const { message } = answer.ok ? { message: undefined } : ((await answer.clone().json()) as { message?: string });
      // What API Gateway answers in our place has a message; ours has a code.
      const whose = message === undefined ? 'ours' : 'the platform’s';
      const kind = `${whose}: ${request.method} ${answer.status}`;
      answers.set(kind, (answers.get(kind) ?? 0) + 1);
      return answer;
    };
    const { url: base, apiKey: key } = target();
    const server = bonafide({ base, key, fetch: count, attempts: 10 });
    const request = async () => {
      const source_id = newSourceId();
      const captures = { selfie: { content_type: 'image/jpeg' } };
      const asked = await server.POST('/verifications', { body: { source_id, check: 'spoof_detect', captures } });
      if (!('client_token' in asked)) throw new Error('made before');
      return { source_id, page: bonafide({ base, token: asked.client_token, fetch: count, attempts: 10 }) };
    };
    const idle = await request();
    const closed = new AbortController();
    const seconds = await withExecutions(executions, async () => {
      const waiting = Array.from({ length: pages }, () =>
        idle.page
          .waitForVerdict(idle.source_id, { signal: closed.signal, attempts: 1000 })
          .catch((error: unknown) => error),
      );
      await sleep(2000);
      const begun = performance.now();
      const signal = AbortSignal.timeout(patienceSeconds * 1000);
      const each = Array.from({ length: selfies }, async () => {
        const { source_id, page } = await request();
        await page.uploadCaptures(source_id, { selfie: face }, { signal, attempts: 1000 });
        const { verdict } = await page.waitForVerdict(source_id, { signal, attempts: 1000 });
        expect(verdict?.outcome).toBe('passed');
        return (performance.now() - begun) / 1000;
      });
      const decided = await Promise.allSettled(each);
      closed.abort(new Error('the pages are closed'));
      await Promise.all(waiting);
      return decided.map((one) =>
        one.status === 'fulfilled' ? one.value : `not in ${patienceSeconds} s: ${one.reason}`,
      );
    });
    const shown = seconds.map((one) => (typeof one === 'number' ? one.toFixed(1) : one)).sort();
    console.log(
      `${selfies} selfies with ${executions} executions and ${pages} pages that wait, decided after seconds:`,
    );
    console.log(`  ${shown.join(', ')}\n  answers ${JSON.stringify(Object.fromEntries(answers))}`);
    expect(seconds.filter((one) => typeof one !== 'number')).toEqual([]);
    const failed = [...answers.keys()].filter((kind) => kind.startsWith('ours') && !/ 2\d\d$/.test(kind));
    expect(failed).toEqual([]);
    expect(await messagesIn('undeliverable')).toBe(0);
    expect((await idle.page.read(idle.source_id)).state).toBe('awaiting_captures');
  }, 300_000);
}
