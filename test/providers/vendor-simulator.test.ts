import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readDelivery } from '../../shared/providers/identify/delivery.ts';
import { startVendorSimulator, type VendorSimulator } from '../../tools/vendor-simulator/server.ts';
import { jpeg, startOurSide } from '../contracts/submission.ts';

let simulator: VendorSimulator;
let ours: Awaited<ReturnType<typeof startOurSide>>;

beforeAll(async () => {
  ours = await startOurSide();
  simulator = await startVendorSimulator({ webhooks: { ours: `${ours.url}/webhook` }, spoofsenseEdition: 'messages' });
});
afterAll(async () => {
  await simulator.stop();
  await ours.stop();
});
beforeEach(() => {
  simulator.reset();
  ours.posts.length = 0;
});

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${simulator.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${simulator.key}`, 'x-api-key': simulator.key, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

const toIdentify = (sourceId = 'id-1', changes: Record<string, unknown> = {}) =>
  post('/identify', {
    service: 'identify-anti-spoof',
    payload: { image_link: ours.serve(jpeg()), webhook_name: 'ours', source_id: sourceId, ...changes },
  });

const outcomes = () =>
  ours.posts.map(({ text }) => {
    const delivered = readDelivery(text);
    if (!delivered) return undefined;
    return delivered.answer.kind === 'fault' ? 'error' : delivered.answer.finding.outcome;
  });

describe('Simulated Identify', () => {
  it('answers first and posts the result after it, having fetched the image', async () => {
    const answer = await toIdentify();
    expect(await answer.json()).toEqual({ message: 'identify-anti-spoof request received', remaining_credits: 92 });
    await simulator.settled();
    expect(outcomes()).toEqual(['passed']);
    expect(simulator.received()[0]?.captures.image).toMatchObject({ bytes: jpeg().length });
    expect(simulator.posted()).toMatchObject([{ status: 200 }]);
  });

  it('may post before it answers', async () => {
    simulator.script('identify', [{ webhook: { when: 'before' } }]);
    await toIdentify();
    expect(outcomes()).toEqual(['passed']);
  });

  it('may post late, never, twice, and the opposite', async () => {
    simulator.script('identify', [
      { webhook: { delayMilliseconds: 100 } },
      { webhook: { when: 'never' } },
      { webhook: { times: 2 } },
      { says: 'spoof', webhook: { contradict: true } },
      { webhook: { body: '{"payload":' } },
      { says: 'no_face' },
    ]);
    const expected = [['passed'], [], ['passed', 'passed'], ['failed', 'passed'], [undefined], ['error']];
    for (const each of expected) {
      ours.posts.length = 0;
      await toIdentify();
      if (each.length > 0 && each !== expected[0]) await simulator.settled();
      if (each === expected[0]) {
        expect(ours.posts).toEqual([]);
        await simulator.settled();
      }
      expect(outcomes()).toEqual(each);
    }
  });

  it('runs out of credits', async () => {
    simulator.setCredits(1);
    expect((await toIdentify()).status).toBe(200);
    const refused = await toIdentify();
    expect([refused.status, await refused.json()]).toEqual([422, { message: 'Not enough credits' }]);
    await simulator.settled();
  });

  it('refuses other services, payloads, webhooks and tokens', async () => {
    expect((await post('/identify', { service: 'another', payload: {} })).status).toBe(422);
    expect((await post('/identify', { service: 'identify-anti-spoof', payload: {} })).status).toBe(422);
    expect((await toIdentify('id-1', { webhook_name: 'unknown' })).status).toBe(422);
    expect((await post('/identify', {}, { authorization: 'Bearer wrong' })).status).toBe(401);
  });

  it('says so where the image cannot be fetched', async () => {
    await toIdentify('id-1', { image_link: `${ours.url}/nothing-here` });
    await simulator.settled();
    expect(outcomes()).toEqual(['error']);
  });
});

describe('Simulated SpoofSense', () => {
  it('finds in a capture what it was told, in the edition it was started with', async () => {
    const data = Buffer.from(jpeg('nobody')).toString('base64');
    const first = await post('/antispoofing', { data });
    expect(await first.json()).toMatchObject({ success: true });
    const [received] = simulator.received('spoofsense');
    simulator.knows(received?.captures.data?.sha256 ?? '', 'no_face');
    const second = await post('/robust', { data });
    expect(await second.json()).toEqual({ success: false, message: 'face not detected' });
  });

  it('takes content up to its limit', async () => {
    const refused = await post('/antispoofing', { data: 'A'.repeat(10_485_760) });
    expect([refused.status, await refused.text()]).toEqual([413, 'HTTP content length exceeded 10485760 bytes.']);
    expect(refused.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  });

  it.each(['/antispoofing', '/robust', '/prod/antispoofing', '/prod/robust'])('is served at %s', async (path) => {
    const answer = await post(path, { data: Buffer.from(jpeg()).toString('base64') });
    expect(await answer.json()).toMatchObject({ success: true });
  });

  const image = Buffer.from(jpeg('??>>')).toString('base64');
  const notBase64: [string, unknown][] = [
    ['nothing', ''],
    ['a sentence', 'not base64 !!!'],
    ['a data URL', `data:image/jpeg;base64,${image}`],
    ['base64 with its padding lost', image.replace(/=+$/, '')],
    ['base64url', image.replaceAll('+', '-').replaceAll('/', '_')],
    ['base64 in lines', image.replace(/.{40}/, '$&\n')],
    ['a number', 17],
    ['null', null],
  ];

  it.each(notBase64)('refuses %s as its documents say, in both editions', async (_, data) => {
    expect(image).toMatch(/[+/].*=$/);
    const refused = await post('/antispoofing', { data });
    expect([refused.status, await refused.json()]).toEqual([200, { success: false, message: 'Invalid base64 string' }]);
    const newer = await startVendorSimulator({ spoofsenseEdition: 'error_codes' });
    try {
      const answer = await fetch(`${newer.url}/robust`, {
        method: 'POST',
        headers: { 'x-api-key': newer.key },
        body: JSON.stringify({ data }),
      });
      expect([answer.status, await answer.json()]).toEqual([
        200,
        { success: false, message: 'Invalid input image payload', error_code: 'INVALID_IMAGE_PAYLOAD' },
      ]);
    } finally {
      await newer.stop();
    }
  });

  it.each(['{}', '[]', '"x"', '{"data":', ''])('refuses the body %s in the same words', async (body) => {
    expect(await (await post('/antispoofing', body)).json()).toEqual({
      success: false,
      message: 'Invalid base64 string',
    });
  });

  it('has a magic key for every fault', async () => {
    const refused = await post('/antispoofing', { data: '' }, { 'x-api-key': `${simulator.key}+throttled` });
    expect(refused.status).toBe(429);
  });
});

describe('Another process', () => {
  const command = (name: string, body: unknown) => post(`/_simulator/${name}`, body);

  it('tells the simulator what to do, and asks what came', async () => {
    await command('script', { vendor: 'spoofsense', behaviours: [{ fault: 'failed' }] });
    await command('always', { vendor: 'spoofsense', behaviour: { says: 'spoof' } });
    expect((await post('/antispoofing', { data: 'AAAA' })).status).toBe(500);
    expect(await (await post('/antispoofing', { data: 'AAAA' })).json()).toMatchObject({
      model_output: { pred_idx: 'spoof' },
    });
    const received: unknown = await (await fetch(`${simulator.url}/_simulator/received`)).json();
    expect(received).toMatchObject([{ vendor: 'spoofsense' }, { vendor: 'spoofsense', authentic: true }]);
    expect(JSON.stringify(received)).not.toContain(simulator.key);
    expect((await command('script', { vendor: 'nobody' })).status).toBe(400);
    expect((await command('script', '{')).status).toBe(400);
    await command('reset', {});
    expect(simulator.received()).toEqual([]);
  });

  it('starts it from the command line', async () => {
    const child = spawn(process.execPath, ['tools/vendor-simulator.ts', '--port', '0', '--json', '--credits', '3']);
    try {
      const [line] = (await once(child.stdout, 'data')) as [Buffer];
      const { ready, url, key } = JSON.parse(line.toString()) as { ready: boolean; url: string; key: string };
      expect(ready).toBe(true);
      const answer = await fetch(`${url}/antispoofing`, {
        method: 'POST',
        headers: { 'x-api-key': key },
        body: '{"data":"AAAA"}',
      });
      expect(await answer.json()).toMatchObject({ success: true });
    } finally {
      child.kill();
      await once(child, 'exit');
    }
  });
});
