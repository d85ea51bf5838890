import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import type { Endpoint } from '../../../shared/domain/endpoint.ts';
import { daySeconds, epochSeconds } from '../../../shared/domain/times.ts';
import { fetcher } from '../../../shared/fetching.ts';
import { bodyOf } from '../../../shared/webhooks/body.ts';
import { publicKeysOf, webhookSigner } from '../../../shared/webhooks/sign.ts';
import { pythonEnvironment } from '../../../tools/python.ts';
import { aKeptEvent } from '../../builders/kept-event.ts';
import { aSealedEndpoint, seals } from '../../builders/sealed.ts';
import { startOurSide } from '../../contracts/submission.ts';
import { layOut, receiverPrograms } from '../programs.ts';

let python: string;
let directory: string;
beforeAll(async () => {
  const requirements = 'test/integrate/receivers/requirements.txt';
  python = join(await pythonEnvironment(resolve('build/integrate/receivers'), requirements), 'python');
  directory = mkdtempSync(join(tmpdir(), 'python-verifies-'));
  layOut(directory, { 'public_key.py': 'python/public_key.py' }, receiverPrograms);
  copyFileSync('test/integrate/receivers/verify.py', join(directory, 'verify.py'));
});

/** A delivery as its receiver got it, and what is asked whether it takes it. */
interface Received {
  readonly body: string;
  readonly headers: object;
  readonly secrets: readonly string[];
  readonly publicKeys: readonly string[];
}

/** Who takes each: the `standardwebhooks` package by each secret, and `cryptography` by each public key. */
function taken(deliveries: readonly Received[]): { secrets: boolean[]; publicKeys: boolean[] }[] {
  const input = JSON.stringify(deliveries);
  return JSON.parse(execFileSync(python, ['verify.py'], { cwd: directory, input, encoding: 'utf8' }));
}

/** Posts an event to an endpoint as the product does, and answers what its receiver got. */
async function delivered(endpoint: Endpoint, at = new Date()): Promise<{ body: string; headers: object }> {
  const receiver = await startOurSide();
  try {
    const event = aKeptEvent({
      data: '{"id":"evt_a_4","type":"verification.decided","source_id":"u-42"}',
      verdict: '{"outcome":"passed","scores":{"live":0.99}}',
      metadata: '{"visit":7,"name":"Zoë 🙂"}',
    });
    const body = bodyOf(event, endpoint) ?? '';
    const headers = await webhookSigner(seals)(endpoint, { id: event.id, at, body });
    await fetcher({ loopback: true }).post(`${receiver.url}/hook`, { body, headers }, { timeoutSeconds: 10 });
    const [post] = receiver.posts;
    return { body: post?.text ?? '', headers: post?.headers ?? {} };
  } finally {
    await receiver.stop();
  }
}

it('the standardwebhooks package of Python takes a delivery, also in the middle of a rotation; cryptography takes its v1a by the public key alone', async () => {
  const expiring = [epochSeconds(new Date()) + daySeconds];
  const rotated = await aSealedEndpoint({ v1a: true, body: 'full', metadata: true, expiring });
  const plain = await aSealedEndpoint();
  const stranger = await aSealedEndpoint({ v1a: true });
  const of = async ({ endpoint, texts }: typeof rotated) => ({
    secrets: [...texts, ...stranger.texts],
    publicKeys: [
      ...(await publicKeysOf(endpoint, new Date(), seals)),
      ...(await publicKeysOf(stranger.endpoint, new Date(), seals)),
    ],
  });

  const good = { ...(await of(rotated)), ...(await delivered(rotated.endpoint)) };
  const old = await delivered(rotated.endpoint, new Date(Date.now() - 6 * 60_000));
  expect(
    taken([
      good,
      { ...(await of(plain)), ...(await delivered(plain.endpoint)) },
      { ...good, body: good.body.replace('passed', 'failed') },
      { ...good, ...old },
      { ...good, headers: { ...good.headers, 'webhook-id': 'evt_a_5' } },
    ]),
  ).toEqual([
    { secrets: [true, true, false], publicKeys: [true, true, false] },
    { secrets: [true, false], publicKeys: [false, false] }, // it has not asked for v1a
    { secrets: [false, false, false], publicKeys: [false, false, false] },
    { secrets: [false, false, false], publicKeys: [false, false, false] },
    { secrets: [false, false, false], publicKeys: [false, false, false] },
  ]);
});
