import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { ensureDemoTenant, tenantsOf } from '../local/demo-tenant.ts';
import { startStack } from '../local/stack.ts';
import { sourceIdHeader } from '../shared/lambda/http.ts';
import { startOurSide } from '../test/contracts/submission.ts';
import { idCard, selfieOfPair } from '../test/engine/people.ts';
import { said, video } from '../test/engine/videos.ts';
import { clientOf } from '../test/journeys/client.ts';
import { countRequests, percentile, perRun } from './requests.ts';

/** Calls of each route, and how often the first are made to warm it. */
const photoCalls = 30;
const videoCalls = 3;
const warmCalls = 2;
/** Writes of the echo and of the stream come after the answer. */
const settleMilliseconds = 1500;

/**
 * What a call of a vendor's API costs that we serve: milliseconds beside the engine's own, which are those from claim to
 * decision, and AWS requests of the call itself, of the engine, and of the events that its captures' landing echoes.
 */
export async function benchServed(template: string, directory: string) {
  const stack = await startStack({ template, dataDirectory: directory, port: 0 });
  try {
    const { apiKey } = await ensureDemoTenant(stack, directory);
    const client = clientOf({ url: stack.url, apiKey });
    const [selfie, card, clip] = await Promise.all([selfieOfPair(), idCard(), video()]);
    const json = JSON.stringify({ data: selfie.toString('base64') });
    const form = (parts: Readonly<Record<string, string | Uint8Array>>) => {
      const body = new FormData();
      body.set('api_key', apiKey);
      for (const [name, value] of Object.entries(parts)) {
        if (typeof value === 'string') body.set(name, value);
        else body.set(name, new Blob([Buffer.from(value)]), name);
      }
      return body;
    };
    const ofVideo = { video: clip, id_card: card, audiochallenge: said, languageCode: 'en-US' };
    const calls: Record<string, { times: number; body: () => string | FormData }> = {
      '/antispoofing': { times: photoCalls, body: () => json },
      '/robust': { times: photoCalls, body: () => json },
      '/v1.1/spoofdetect': { times: photoCalls, body: () => form({ photo: selfie }) },
      '/v1.1/photoverify': { times: photoCalls, body: () => form({ photo: selfie, id_card: card }) },
      '/v1.1/videoverify': { times: videoCalls, body: () => form(ofVideo) },
    };

    const report: Record<string, unknown> = {};
    for (const [path, { times, body }] of Object.entries(calls)) {
      const call = async () => {
        const from = performance.now();
        const answer = await fetch(`${stack.url}${path}`, {
          method: 'POST',
          headers: { 'x-api-key': apiKey },
          body: body(),
        });
        const milliseconds = performance.now() - from;
        if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
        await answer.arrayBuffer();
        return { milliseconds, sourceId: answer.headers.get(sourceIdHeader) ?? '' };
      };
      for (let run = 0; run < warmCalls; run += 1) await call();
      await setTimeout(settleMilliseconds);
      const counted = countRequests(stack.endpoints);
      const made: { milliseconds: number; sourceId: string }[] = [];
      for (let run = 0; run < times; run += 1) {
        made.push(await call());
        await setTimeout(250); // the engine's next decoders start: a call that waits for them is not what is asked
      }
      await setTimeout(settleMilliseconds);
      const { byFunction } = counted.stop();
      const beside: number[] = [];
      for (const { milliseconds, sourceId } of made) {
        const [attempt] = (await client.read(sourceId)).attempts;
        beside.push(milliseconds - (Date.parse(attempt?.ended_at ?? '') - Date.parse(attempt?.started_at ?? '')));
      }
      const of = (name: string) => perRun(byFunction[name] ?? {}, times);
      const serving = Object.keys(byFunction).filter((name) => name.startsWith('serve-'));
      report[path] = {
        beside_engine_ms: { p50: percentile(beside, 0.5), p99: percentile(beside, 0.99) },
        whole_ms: {
          p50: percentile(
            made.map(({ milliseconds }) => milliseconds),
            0.5,
          ),
        },
        requests: {
          call: Object.assign({}, ...serving.map(of)),
          engine: of('analyse-capture'),
          echo_of_landing: of('notice-capture'),
        },
      };
    }
    report['/identify'] = await orders(stack, apiKey, selfie);
    return report;
  } finally {
    await stack.stop();
  }
}

/** What it takes until an order is answered, whose image is fetched and judged afterwards; and until its result is posted. */
async function orders(stack: Awaited<ReturnType<typeof startStack>>, apiKey: string, selfie: Uint8Array) {
  const ours = await startOurSide();
  await tenantsOf(stack).setServedWebhook('demo', 'bench', `${ours.url}/results`);
  try {
    const answered: number[] = [];
    const posted: number[] = [];
    const order = async (run: number) => {
      const payload = { image_link: ours.serve(selfie), webhook_name: 'bench', source_id: `bench-${run}` };
      const body = JSON.stringify({ service: 'identify-anti-spoof', payload });
      const from = performance.now();
      const answer = await fetch(`${stack.url}/identify`, { method: 'POST', headers: { 'x-api-key': apiKey }, body });
      if (answer.status !== 200) throw new Error(`/identify answered ${answer.status}: ${await answer.text()}`);
      await answer.arrayBuffer();
      answered.push(performance.now() - from);
      while (!ours.posts.some(({ text }) => text.includes(`"bench-${run}"`))) await setTimeout(10);
      posted.push(performance.now() - from);
    };
    for (let run = 0; run < warmCalls; run += 1) await order(run);
    answered.length = 0;
    posted.length = 0;
    const counted = countRequests(stack.endpoints);
    for (let run = 0; run < photoCalls; run += 1) await order(warmCalls + run);
    await setTimeout(settleMilliseconds);
    const { byFunction } = counted.stop();
    const requests = Object.entries(byFunction).map(([name, counts]) => [name, perRun(counts, photoCalls)]);
    return {
      answered_ms: { p50: percentile(answered, 0.5), p99: percentile(answered, 0.99) },
      posted_ms: { p50: percentile(posted, 0.5), p99: percentile(posted, 0.99) },
      requests: Object.fromEntries(requests),
    };
  } finally {
    await ours.stop();
  }
}

if (import.meta.main) {
  const { mkdtempSync, rmSync } = await import('node:fs');
  const { tmpdir } = await import('node:os');
  const { synthesize } = await import('../local/synthesize.ts');
  const directory = mkdtempSync(join(tmpdir(), 'bonafide-bench-'));
  try {
    await synthesize(join(directory, 'cdk.out'));
    console.dir(await benchServed(join(directory, 'cdk.out'), join(directory, 'data')), { depth: null });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  process.exit(0);
}
