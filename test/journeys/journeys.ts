import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routes } from '../../shared/api/operations.ts';
import { listView, receiptView } from '../../shared/api/verifications.ts';
import { checkReceipt } from '../../shared/domain/receipt.ts';
import { portrait, type Sample, samples } from '../../tools/samples.ts';
import { idCard, selfieOfPair } from '../engine/people.ts';
import { said, video } from '../engine/videos.ts';
import { type Client, clientOf, newSourceId, post, put, type Target } from './client.ts';
import { declared } from './declared.ts';

/** What any deployment must do, as a caller sees it: the local stack and a real one differ only in the target. */
export function journeys(target: () => Target): void {
  let client: Client;
  let photos: readonly Sample[];
  let face: Uint8Array;
  beforeAll(async () => {
    client = clientOf(target());
    await client.call('GET', '/events'); // from here on they are kept
    photos = await samples();
    face = await portrait();
  });

  describe('a selfie becomes a verdict', () => {
    it.each([0, 1, 2, 3])('as known of sample %i', async (index) => {
      const sample = photos[index];
      if (!sample) throw new Error('sample');
      const sourceId = newSourceId();
      const requested = await client.request(sourceId);
      expect((await put(requested, sample.bytes)).status).toBe(200);
      const { state, verdict, round, attempts } = await client.verdict(sourceId);
      expect({ state, round, outcome: verdict?.outcome, file: sample.file }).toEqual({
        state: 'decided',
        round: 1,
        outcome: sample.expected.outcome,
        file: sample.file,
      });
      expect(verdict?.reasons).toEqual(expect.arrayContaining([...sample.expected.reasons]));
      expect(attempts).toEqual([expect.objectContaining({ attempt: 1, provider: 'builtin', result: 'decided' })]);
    });

    it('from a HEIC photo', async () => {
      const sourceId = newSourceId();
      const requested = await client.request(sourceId, { captures: { selfie: { content_type: 'image/heic' } } });
      await put(requested, readFileSync('test/fixtures/portrait.heic'));
      expect((await client.verdict(sourceId)).verdict?.outcome).toBe('passed');
    });

    it('sent by form, as browsers do', async () => {
      const sourceId = newSourceId();
      expect((await post(await client.request(sourceId), face)).status).toBe(204);
      expect((await client.verdict(sourceId)).verdict?.outcome).toBe('passed');
    });

    it('sent by curl: PUT, and POST', async () => {
      const directory = mkdtempSync(join(tmpdir(), 'bonafide-curl-'));
      const photo = join(directory, 'photo.jpg');
      writeFileSync(photo, face);
      const curl = (...options: string[]) => execFileSync('curl', ['-sSf', ...options], { encoding: 'utf8' });
      const byPut = await client.request('curl-put');
      const byPost = await client.request('curl-post');
      const { put: one } = byPut.uploads.selfie ?? {};
      const { post: two } = byPost.uploads.selfie ?? {};
      curl(
        '-T',
        photo,
        ...Object.entries(one?.headers ?? {}).flatMap(([name, value]) => ['-H', `${name}: ${value}`]),
        one?.url ?? '',
      );
      curl(
        ...Object.entries(two?.fields ?? {}).flatMap(([name, value]) => ['-F', `${name}=${value}`]),
        '-F',
        `file=@${photo}`,
        two?.url ?? '',
      );
      expect((await client.verdict('curl-put')).verdict?.outcome).toBe('passed');
      expect((await client.verdict('curl-post')).verdict?.outcome).toBe('passed');
      rmSync(directory, { recursive: true });
    });
  });

  describe('an upload that is not what was signed', () => {
    const refusals: Record<
      string,
      (view: Awaited<ReturnType<Client['request']>>) => Promise<{ status: number; text: string }>
    > = {
      'a wrong signature': (view) =>
        put(view, face, {}, view.uploads.selfie?.put.url.replace(/X-Amz-Signature=\w{4}/, 'X-Amz-Signature=0000')),
      'a tampered lifetime': (view) =>
        put(view, face, {}, view.uploads.selfie?.put.url.replace(/X-Amz-Expires=\d+/, 'X-Amz-Expires=604800')),
      'another type': (view) => put(view, face, { 'content-type': 'image/png' }),
      'no promise not to overwrite': (view) => put(view, face, { 'if-none-match': 'x' }),
      'a swapped key': (view) => put(view, face, {}, view.uploads.selfie?.put.url.replace('/1/selfie', '/2/selfie')),
      'no signature': (view) => put(view, face, {}, view.uploads.selfie?.put.url.split('?')[0]),
      'a form over 10 MiB': (view) => post(view, new Uint8Array(10 * 1024 * 1024 + 1)),
      'a form with another type': (view) => post(view, face, { 'Content-Type': 'image/png' }),
      'a form with a swapped key': (view) => post(view, face, { key: `${view.uploads.selfie?.post.fields.key}x` }),
      'a form with a tampered policy': (view) =>
        post(view, face, {
          Policy: Buffer.from('{"conditions":[],"expiration":"2099-01-01T00:00:00Z"}').toString('base64'),
        }),
    };

    it.each(Object.entries(refusals))('is refused and changes nothing: %s', async (_, send) => {
      const sourceId = newSourceId();
      const { status, text } = await send(await client.request(sourceId));
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
      expect(text).toMatch(/<Code>\w+<\/Code>/);
      expect(await client.read(sourceId)).toMatchObject({ state: 'awaiting_captures', sequence: 1 });
      expect(await client.history(sourceId)).toHaveLength(1);
    });

    it('is refused when it is of another length than was declared', async () => {
      const sourceId = newSourceId();
      const view = await client.request(sourceId, {
        captures: { selfie: { content_type: 'image/jpeg', content_length: face.byteLength } },
      });
      const { 'content-length': _, ...headers } = view.uploads.selfie?.put.headers ?? {};
      const answer = await fetch(view.uploads.selfie?.put.url ?? '', { method: 'PUT', headers, body: 'short' });
      expect(answer.status).toBe(403);
      expect(await client.read(sourceId)).toMatchObject({ state: 'awaiting_captures', sequence: 1 });
    });

    it('is refused when it would overwrite: a second PUT is 412', async () => {
      const sourceId = newSourceId();
      const captures = { selfie: { content_type: 'image/jpeg' }, id_card: { content_type: 'image/jpeg' } };
      // Two captures, so that the first is still there when the second PUT comes: a verdict may be quicker.
      const view = await client.request(sourceId, { check: 'photo_verify', captures });
      expect(await put(view, await selfieOfPair())).toMatchObject({ status: 200 });
      expect(await put(view, photos[1]?.bytes ?? face)).toMatchObject({ status: 412 });
      expect(await put(view, await idCard(), {}, view.uploads.id_card?.put.url)).toMatchObject({ status: 200 });
      expect((await client.verdict(sourceId)).verdict?.outcome).toBe('passed');
    });

    it('overwrites by form: what came first is analysed, the other one noted and never read', async () => {
      const sourceId = newSourceId();
      const view = await client.request(sourceId);
      expect((await post(view, face)).status).toBe(204);
      // The first one noticed counts, whatever the order of S3's events: the simulation plays both.
      await expect.poll(async () => (await client.read(sourceId)).state).not.toBe('awaiting_captures');
      expect((await post(view, photos[1]?.bytes ?? face)).status).toBe(204);
      const { verdict, attempts } = await client.verdict(sourceId);
      expect(attempts).toHaveLength(1);
      await expect
        .poll(async () => (await client.history(sourceId)).map(({ code }) => code))
        .toContain('capture_overwritten');
      expect(verdict?.outcome).toBe('passed');
      expect((await client.read(sourceId)).verdict).toEqual(verdict);
    });
  });

  describe('a request', () => {
    it('made again is answered again; another one under its source_id is a conflict', async () => {
      const sourceId = newSourceId();
      const body = { source_id: sourceId, check: 'spoof_detect', captures: { selfie: { content_type: 'image/jpeg' } } };
      const statuses = [
        await client.call('POST', '/verifications', body),
        await client.call('POST', '/verifications', body),
      ];
      expect(statuses.map(({ status }) => status)).toEqual([201, 200]);
      const other = await client.problem('POST', '/verifications', { ...body, metadata: { a: 1 } });
      expect(other).toMatchObject({ status: 409, code: 'source_id_conflict', type: 'application/problem+json' });
    });

    it.each([
      ['nothing at all', undefined, 422],
      ['an unknown check', { source_id: 'x', check: 'dna', captures: {} }, 422],
      [
        'a check the provider it names cannot do',
        {
          source_id: 'never-made',
          check: 'photo_verify',
          provider: 'identify',
          captures: { selfie: { content_type: 'image/jpeg' }, id_card: { content_type: 'image/jpeg' } },
        },
        422,
      ],
    ])('for %s is refused in words', async (_, body, status) => {
      const problem = await client.problem('POST', '/verifications', body);
      expect(problem).toMatchObject({ status, retryable: false });
      expect(problem.detail.length).toBeGreaterThan(10);
    });

    it('without a key, or with a wrong one, sees and changes nothing', async () => {
      const sourceId = newSourceId();
      await client.request(sourceId);
      for (const key of [undefined, 'bf_demo_wrong', `${target().apiKey.slice(0, -1)}_`]) {
        const headers = { 'content-type': 'application/json', ...(key ? { 'x-api-key': key } : {}) };
        for (const { method, path } of routes.filter(({ callers, vendor }) => callers.includes('key') && !vendor)) {
          const problem = await client.problem(method, path.replace('{source_id}', sourceId), undefined, headers);
          expect(problem).toMatchObject({ status: 401, code: 'api_key_invalid' });
        }
      }
      expect((await client.read(sourceId)).state).toBe('awaiting_captures');
    });

    it('for something that is not there is 404', async () => {
      expect(await client.problem('GET', '/verifications/never-made')).toMatchObject({ code: 'verification_unknown' });
      expect((await client.call('GET', '/nothing')).status).toBe(404);
    });
  });

  describe('a client with its token', () => {
    it('follows its verification, and sees neither scores nor attempts nor provider', async () => {
      const sourceId = newSourceId();
      const requested = await client.request(sourceId, { metadata: { internal: 'note' } });
      await put(requested, face);
      const bearer = { authorization: `Bearer ${requested.client_token}` };
      await client.verdict(sourceId);
      const { status, body } = await client.call('GET', `/verifications/${sourceId}?wait=5`, undefined, bearer);
      expect(status).toBe(200);
      expect(body).toMatchObject({ state: 'decided', verdict: { outcome: 'passed', reasons: [] } });
      expect(JSON.stringify(body)).not.toMatch(/scores|attempt|provider|confidence|metadata|builtin/);
      const other = await client.problem('GET', '/verifications/another', undefined, bearer);
      expect(other.code).toBe('client_token_invalid');
      const history = await client.problem('GET', `/verifications/${sourceId}/history`, undefined, bearer);
      expect(history.code).toBe('api_key_invalid');
    });
  });

  describe('a capture handed over to another device', () => {
    const json = { 'content-type': 'application/json' };
    const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

    /** What the other device learns of the link. */
    const opened = (link: string) => {
      const { pathname, hash } = new URL(link);
      const [, , tenant = '', sourceId = ''] = pathname.split('/').map(decodeURIComponent);
      expect(hash).toMatch(/^#h_[A-Za-z0-9_-]{22}$/);
      return { tenant, sourceId, code: hash.slice('#h_'.length) };
    };

    it('goes on with a link that it claims once, and ends when it is taken back', async () => {
      const sourceId = `${newSourceId()}:a`;
      const first = await client.request(sourceId);
      expect(new URL(first.capture_url).pathname).toMatch(
        new RegExp(`^/capture/[a-z0-9-]+/${sourceId.slice(0, -2)}%3Aa$`),
      );
      const handOff = async () => {
        const made = await client.call(
          'POST',
          `/verifications/${sourceId}/hand-off`,
          undefined,
          bearer(first.client_token),
        );
        expect(made.status).toBe(201);
        expect(made.body.hand_off_url.split('#')[0]).toBe(first.capture_url);
        const left = Date.parse(made.body.expires_at) - Date.now();
        expect(left > 590_000 && left <= 601_000).toBe(true);
        return opened(made.body.hand_off_url);
      };
      const claim = ({ tenant, code }: { tenant: string; code: string }) =>
        client.call('POST', `/verifications/${sourceId}/hand-off/claim`, { tenant, code }, json);

      const link = await handOff();
      expect(link.sourceId).toBe(sourceId);
      for (const wrong of [
        { ...link, code: `${link.code}A` },
        { ...link, tenant: 'another' },
      ]) {
        expect(await claim(wrong)).toMatchObject({ status: 410, body: { code: 'hand_off_invalid' } });
      }
      const claimed = await claim(link);
      expect(claimed.status).toBe(200);
      const phone = bearer(claimed.body.client_token);
      expect(await claim(link)).toMatchObject({ status: 410, body: { code: 'hand_off_invalid' } });

      const watched = await client.call('GET', `/verifications/${sourceId}`, undefined, bearer(first.client_token));
      expect(watched.body).toMatchObject({ handed_off: true, missing: ['selfie'], rounds_left: 2 });
      const again = await client.call('POST', `/verifications/${sourceId}/captures`, undefined, phone);
      expect(again).toMatchObject({ status: 200, body: { limits: { minimum_face_px: 112 } } });
      for (const method of ['POST', 'DELETE'] as const) {
        const refused = await client.problem(method, `/verifications/${sourceId}/hand-off`, undefined, phone);
        expect(refused).toMatchObject({ status: 401, code: 'client_token_invalid' });
      }

      const ended = await client.call(
        'DELETE',
        `/verifications/${sourceId}/hand-off`,
        undefined,
        bearer(first.client_token),
      );
      expect(ended).toMatchObject({ status: 200, body: { state: 'awaiting_captures', sequence: 1 } });
      for (const token of [claimed.body.client_token, again.body.client_token]) {
        const refused = await client.problem('GET', `/verifications/${sourceId}`, undefined, bearer(token));
        expect(refused).toMatchObject({ status: 401, code: 'client_token_invalid' });
      }
      const other = await handOff();
      await client.call('DELETE', `/verifications/${sourceId}/hand-off`, undefined, bearer(first.client_token));
      expect(await claim(other)).toMatchObject({ status: 410 });

      const last = await claim(await handOff());
      const uploads = await client.call(
        'POST',
        `/verifications/${sourceId}/captures`,
        undefined,
        bearer(last.body.client_token),
      );
      expect((await put(uploads.body, face)).status).toBe(200);
      expect((await client.verdict(sourceId)).verdict?.outcome).toBe('passed');
    });

    it('leads back only to where the policy says: nowhere, unless an operator has listed it', async () => {
      for (const return_url of [
        'https://evil.example/',
        'javascript:alert(1)',
        'https://ada:pw@shop.example/',
        '/done',
      ]) {
        const body = {
          source_id: 'never-made',
          check: 'spoof_detect',
          captures: { selfie: { content_type: 'image/jpeg' } },
        };
        const { type: _, ...problem } = await client.problem('POST', '/verifications', { ...body, return_url });
        expect(problem).toMatchObject({ status: 422, code: 'request_invalid', errors: [{ field: '/return_url' }] });
      }
    });
  });

  describe('after a recapture', () => {
    it('the next round begins with new uploads and is decided for itself, three times at most', async () => {
      const sourceId = newSourceId();
      const landscape = photos[2]?.bytes ?? face;
      let view = await client.request(sourceId);
      for (const round of [1, 2, 3]) {
        await put(view, landscape);
        expect(await client.verdict(sourceId)).toMatchObject({ round, verdict: { outcome: 'recapture' } });
        if (round === 3) break;
        const again = await client.call('POST', `/verifications/${sourceId}/captures`, undefined, {
          authorization: `Bearer ${view.client_token}`,
        });
        expect(again).toMatchObject({ status: 200, body: { state: 'awaiting_captures', round: round + 1 } });
        expect(again.body.uploads.selfie.put.url).toContain(`/${round + 1}/selfie?`);
        view = again.body;
      }
      expect(await client.problem('POST', `/verifications/${sourceId}/captures`)).toMatchObject({
        code: 'rounds_spent',
      });
    });

    it('a photo of the first round is too late', async () => {
      const sourceId = newSourceId();
      const first = await client.request(sourceId);
      await put(first, photos[3]?.bytes ?? face);
      await client.verdict(sourceId);
      const second = (await client.call('POST', `/verifications/${sourceId}/captures`)).body;
      await post(first, photos[1]?.bytes ?? face); // a spoof into round 1: must count for nothing
      await put(second, face);
      expect(await client.verdict(sourceId)).toMatchObject({ round: 2, verdict: { outcome: 'passed' } });
      await expect.poll(async () => (await client.history(sourceId)).map(({ code }) => code)).toContain('capture_late');
    });
  });

  describe('an app written for a vendor moves by its host and its key', () => {
    interface VendorAnswer {
      readonly status: number;
      readonly body: ReturnType<typeof JSON.parse>;
      readonly sourceId: string;
    }

    /** curl as the vendors' documents have it; validated as the route's row says. */
    function curl(method: 'POST', path: string, ...options: string[]): VendorAnswer {
      const { url, apiKey } = target();
      const directory = mkdtempSync(join(tmpdir(), 'bonafide-curl-'));
      const headers = join(directory, 'headers');
      const given = options.map((option) => option.replace('API_KEY', apiKey));
      const body = execFileSync('curl', ['-sS', '-X', method, '-D', headers, ...given, `${url}${path}`], {
        encoding: 'utf8',
      });
      const [, status = ''] = /HTTP\/\S+ (\d{3}) (?![\s\S]*HTTP\/\S+ \d{3} )/.exec(readFileSync(headers, 'utf8')) ?? [];
      const [, sourceId = ''] = /x-bonafide-source-id: (\S+)/i.exec(readFileSync(headers, 'utf8')) ?? [];
      rmSync(directory, { recursive: true });
      const answer = { status: Number(status), body: JSON.parse(body), sourceId };
      declared(method, path, answer);
      // What a busy machine has not judged in time goes on, and is called again.
      return answer.status === 504 ? curl(method, path, ...options) : answer;
    }

    const directory = mkdtempSync(join(tmpdir(), 'bonafide-served-'));
    const file = (name: string) => join(directory, name);
    beforeAll(async () => {
      writeFileSync(file('selfie.jpg'), await selfieOfPair());
      writeFileSync(file('card.jpg'), await idCard());
      writeFileSync(file('others-card.jpg'), await idCard({ of: 'portrait' }));
      writeFileSync(file('video.mp4'), await video());
      const data = readFileSync(file('selfie.jpg')).toString('base64');
      writeFileSync(file('selfie.json'), JSON.stringify({ data }));
    });
    afterAll(() => rmSync(directory, { recursive: true }));

    it('SpoofSense', async () => {
      const sent = () => ['-H', 'x-api-key: API_KEY', '--data-binary', `@${file('selfie.json')}`];
      const answers = [
        curl('POST', '/antispoofing', ...sent()),
        curl('POST', '/prod/antispoofing', ...sent()),
        curl('POST', '/robust', ...sent()),
        curl('POST', '/prod/robust', ...sent()),
      ];
      for (const { status, body, sourceId } of answers) {
        expect({ status, body }).toMatchObject({ status: 200, body: { model_output: { pred_idx: 'real' } } });
        const states = (await client.history(sourceId)).filter(({ kind }) => kind === 'moved');
        expect(states.map(({ state }) => state)).toEqual(['awaiting_captures', 'queued', 'dispatched', 'decided']);
      }
      const stranger = curl('POST', '/prod/robust', '-H', 'x-api-key: no', '--data-binary', `@${file('selfie.json')}`);
      expect(stranger).toMatchObject({ status: 403, body: { message: 'Forbidden' } });
    });

    it('One Smart Lab', async () => {
      const form = (parts: Record<string, string>) =>
        Object.entries({ api_key: 'API_KEY', ...parts }).flatMap(([name, value]) => ['-F', `${name}=${value}`]);
      const [photo, card] = [`@${file('selfie.jpg')}`, `@${file('card.jpg')}`];
      const spoken = { audiochallenge: said, languageCode: 'en-US' };
      const answers = [
        curl('POST', '/v1.1/photoverify', ...form({ photo, id_card: card })),
        curl('POST', '/v1.1/photoverify', ...form({ photo, id_card: `@${file('others-card.jpg')}` })),
        curl('POST', '/v1.1/videoverify', ...form({ video: `@${file('video.mp4')}`, id_card: card, ...spoken })),
        curl('POST', '/v1.1/spoofdetect', ...form({ photo })),
      ];
      const status = ({ body }: (typeof answers)[number]) => body.predictions?.verification.status;
      expect(answers.map(status)).toEqual([true, false, true, true]);
      const again = await client.problem('POST', `/verifications/${answers[0]?.sourceId}/captures`);
      expect(again.code).toBe('state_conflict');
      expect(curl('POST', '/v1.1/spoofdetect', '-F', 'api_key=no', '-F', `photo=${photo}`).status).toBe(401);
    });
  });

  describe('a review', () => {
    it('counts in the place of the verdict, which stays beside it, and is erased with the rest', async () => {
      const sourceId = newSourceId();
      const requested = await client.request(sourceId);
      await put(requested, face);
      const { sequence, verdict } = await client.verdict(sourceId);
      const review = { sequence, outcome: 'failed', reason: 'It is a mask.', reviewer: 'r-17' };
      const path = `/verifications/${sourceId}/review`;
      const early = await client.problem('POST', path, { ...review, sequence: sequence - 1 });
      expect(early).toMatchObject({ status: 409, code: 'state_conflict' });
      const wrong = await client.problem('POST', path, { ...review, outcome: 'recapture', reason: '\ud800' });
      expect(wrong.errors?.map(({ field }) => field)).toEqual(['/outcome', '/reason']);
      const reviewed = await client.call('POST', `/verifications/${sourceId}/review`, review);
      expect(reviewed).toMatchObject({
        status: 200,
        body: { state: 'decided', sequence: sequence + 1, verdict: { outcome: 'failed', provider: 'review' }, review },
      });
      expect(await client.call('POST', path, review)).toEqual(reviewed);
      const read = await client.read(sourceId);
      expect(read).toEqual(reviewed.body);
      expect(read.first_verdict).toEqual(verdict);
      const line = (await client.history(sourceId)).at(-1);
      expect(line).toMatchObject({ state: 'decided', outcome: 'failed', review: true });
      expect(JSON.stringify(line)).not.toMatch(/mask|r-17/);
      const bearer = { authorization: `Bearer ${requested.client_token}` };
      const seen = await client.call('GET', `/verifications/${sourceId}`, undefined, bearer);
      expect(seen.body).toMatchObject({ verdict: { outcome: 'failed', reasons: [] } });
      expect(JSON.stringify(seen.body)).not.toMatch(/mask|r-17|first/);
      await client.call('DELETE', `/verifications/${sourceId}`);
      expect(JSON.stringify(await client.read(sourceId))).not.toMatch(/mask|r-17/);
    });
  });

  describe('erasure', () => {
    it('leaves a tombstone, no scores, no metadata, and takes the source_id for good', async () => {
      const sourceId = newSourceId();
      const requested = await client.request(sourceId, { metadata: { name: 'A. Person' } });
      await put(requested, face);
      await client.verdict(sourceId);
      expect(await client.call('DELETE', `/verifications/${sourceId}`)).toMatchObject({
        status: 200,
        body: { state: 'erased', source_id: sourceId },
      });
      expect(await client.call('DELETE', `/verifications/${sourceId}`)).toMatchObject({ status: 200 });
      const listed = await client.call('GET', '/verifications?state=erased&limit=1');
      expect(listView.parse(listed.body).verifications).toMatchObject([{ source_id: null, state: 'erased' }]);
      const erased = await client.read(sourceId);
      expect(erased).toMatchObject({ source_id: sourceId, state: 'erased', verdict: null, attempts: [] });
      expect(JSON.stringify(erased)).not.toContain('Person');
      expect(await client.history(sourceId)).toHaveLength(1);
      const bearer = { authorization: `Bearer ${requested.client_token}` };
      const token = await client.problem('GET', `/verifications/${sourceId}`, undefined, bearer);
      expect(token.code).toBe('client_token_invalid');
      const again = await client.problem('POST', '/verifications', {
        source_id: sourceId,
        check: 'spoof_detect',
        captures: { selfie: { content_type: 'image/jpeg' } },
      });
      expect(again.code).toBe('source_id_erased');
    });

    it('has a receipt that anybody verifies with the public key, and a new one for what comes later', async () => {
      const sourceId = newSourceId();
      const requested = await client.request(sourceId);
      await put(requested, face);
      await client.verdict(sourceId);
      const early = await client.problem('GET', `/verifications/${sourceId}/receipt`);
      expect(early).toMatchObject({ status: 409, code: 'state_conflict' });
      await client.call('DELETE', `/verifications/${sourceId}`);
      const published = await client.call('GET', '/.well-known/bonafide.json', undefined, {});
      const receipt = async () => {
        const { status, body } = await client.call('GET', `/verifications/${sourceId}/receipt`);
        if (status !== 200) return undefined; // something came that is not deleted yet
        expect(checkReceipt(Buffer.from(JSON.stringify(body)), published.body.receipt_keys).kind).toBe('valid');
        return receiptView.parse(body);
      };
      const first = await receipt();
      expect(await receipt()).toEqual(first);
      expect(first?.statement).toMatchObject({
        versions: [{ deleted: 'at_decision' }],
        versions_not_listed: 0,
        vendors: [],
        not_known: [],
      });
      expect(JSON.stringify(first)).not.toContain(sourceId);
      const forged = { ...first, statement: { ...first?.statement, vendors: ['identify'] } };
      const check = checkReceipt(Buffer.from(JSON.stringify(forged)), published.body.receipt_keys);
      expect(check).toMatchObject({ kind: 'invalid' });

      expect((await post(requested, face)).status).toBe(204);
      await expect
        .poll(async () => (await receipt())?.statement.versions.map(({ deleted }) => deleted))
        .toEqual(['at_decision', 'at_erasure']);
    });
  });

  describe('the list', () => {
    it('gives verifications of one state, newest first, page by page', async () => {
      const requested = [newSourceId(), newSourceId(), newSourceId()];
      for (const sourceId of requested) await client.request(sourceId);
      const listed: (string | null)[] = [];
      let cursor = '';
      for (let page = 0; page < 3; page += 1) {
        const query = `/verifications?state=awaiting_captures&limit=1${cursor && `&cursor=${cursor}`}`;
        const { verifications, next_cursor } = listView.parse((await client.call('GET', query)).body);
        listed.push(...verifications.map(({ source_id }) => source_id));
        cursor = next_cursor ?? '';
      }
      expect(listed).toEqual(requested.toReversed());
      expect(await client.problem('GET', '/verifications')).toMatchObject({ status: 422, code: 'request_invalid' });
      const wrong = await client.problem('GET', '/verifications?state=queued&cursor=x');
      expect(wrong.errors?.[0]?.field).toBe('cursor');
    });
  });

  describe('an endpoint of a tenant', () => {
    const url = 'https://hooks.invalid/bonafide';

    it('is made, shown without its secret, changed, disabled, enabled and deleted', async () => {
      const made = await client.call('POST', '/endpoints', { url, types: ['verification.decided'], v1a: true });
      expect(made).toMatchObject({ status: 201, body: { secret: expect.stringMatching(/^whsec_/), state: 'enabled' } });
      const { secret, ...shown } = made.body;
      const { id } = shown;
      expect(shown).toMatchObject({ public_keys: [expect.stringMatching(/^whpk_/)], types: ['verification.decided'] });
      expect((await client.call('GET', '/endpoints')).body.endpoints).toContainEqual(shown);
      expect((await client.call('GET', `/endpoints/${id}`)).body).toEqual(shown);
      const changes = { types: null, body: 'full', description: 'all of it' };
      const changed = await client.call('PATCH', `/endpoints/${id}`, changes);
      expect(changed.body).toEqual({ ...shown, ...changes });
      const disabled = { state: 'disabled', disabled_because: 'asked' };
      expect((await client.call('POST', `/endpoints/${id}/disable`)).body).toMatchObject(disabled);
      expect((await client.call('POST', `/endpoints/${id}/disable`)).body).toMatchObject(disabled);
      expect((await client.call('POST', `/endpoints/${id}/enable`)).body).toEqual(changed.body);
      const rotated = await client.call('POST', `/endpoints/${id}/rotate`);
      expect(rotated).toMatchObject({ status: 200, body: { secret: expect.stringMatching(/^whsec_/) } });
      expect(rotated.body.secret).not.toBe(secret);
      expect(rotated.body.public_keys).toHaveLength(2);
      const tested = await client.call('POST', `/endpoints/${id}/test`);
      expect(tested.body).toMatchObject({ delivered: false, milliseconds: expect.any(Number) });
      expect(JSON.stringify(tested.body)).not.toContain('invalid');
      const deleted = await client.call('DELETE', `/endpoints/${id}`);
      expect(deleted).toMatchObject({ status: 200, body: { id, state: 'deleted' } });
      for (const [method, path] of [
        ['GET', ''],
        ['PATCH', ''],
        ['DELETE', ''],
        ['POST', '/disable'],
        ['POST', '/enable'],
        ['POST', '/rotate'],
        ['POST', '/test'],
      ] as const) {
        const gone = await client.problem(method, `/endpoints/${id}${path}`, method === 'PATCH' ? {} : undefined);
        expect(gone).toMatchObject({ status: 404, code: 'endpoint_unknown' });
      }
    });

    it('is refused with the field that is wrong, and its key', async () => {
      const wrong: [object, string][] = [
        [{ url: 'http://hooks.invalid/' }, '/url'],
        [{ url: 'https://169.254.169.254/' }, '/url'],
        [{ url: 'https://user@hooks.invalid/' }, '/url'],
        [{ url: 'https://hooks.invalid:8443/' }, '/url'],
        [{ url, types: ['verification.decided', 'verification.invented'] }, '/types/1'],
        [{ url, types: [] }, '/types'],
        [{ url, body: 'fat' }, '/body'],
        [{ url, secret: 'whsec_c2hvcnQ=' }, '/secret'],
        [{ url, state: 'disabled' }, '/state'],
        [{}, '/url'],
      ];
      for (const [body, field] of wrong) {
        const refused = await client.problem('POST', '/endpoints', body);
        expect(refused).toMatchObject({ status: 422, code: 'request_invalid', errors: [{ field }] });
      }
      const keyless = await client.problem('GET', '/endpoints', undefined, { 'x-api-key': 'no' });
      expect(keyless.code).toBe('api_key_invalid');
    });
  });

  describe('events of a tenant', () => {
    const url = 'https://hooks.invalid/events';

    /** Until it is so. An endpoint may be known 20 s after it was made. */
    async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
      for (const end = Date.now() + 90_000; Date.now() < end; await new Promise((on) => setTimeout(on, 1000))) {
        const seen = await look();
        if (seen !== undefined) return seen;
      }
      throw new Error('not in 90 s');
    }

    it('are seen, read, sent again and replayed, though their endpoint takes none', async () => {
      const { id } = (await client.call('POST', '/endpoints', { url, types: ['verification.decided'] })).body;
      await new Promise((on) => setTimeout(on, 20_000)); // so long may an announcer know of none: asked sooner, it costs more
      const sourceId = await until(async () => {
        const made = `${newSourceId()}.sandbox-passed`; // several, until one is announced: the engine has no part in it
        await put(await client.request(made, { provider: 'sandbox' }), face);
        await client.verdict(made);
        for (let look = 0; look < 3; look += 1) {
          const { deliveries } = (await client.call('GET', `/deliveries?source_id=${made}`)).body;
          if (deliveries.some(({ endpoint_id }: { endpoint_id: string }) => endpoint_id === id)) return made;
          await new Promise((on) => setTimeout(on, 500));
        }
        return undefined;
      });
      const { deliveries } = (await client.call('GET', `/deliveries?endpoint=${id}&limit=1`)).body;
      const [delivery] = deliveries;
      expect(delivery).toMatchObject({ endpoint_id: id, type: 'verification.decided', state: 'waiting' });
      expect(delivery.attempts[0]).toMatchObject({ error: expect.stringMatching(/^(unreachable|address_forbidden)$/) });
      expect((await client.call('GET', '/deliveries?state=waiting')).body.deliveries).toContainEqual(
        expect.objectContaining({ id: delivery.id }),
      );
      const alone = await client.call('GET', `/deliveries/${delivery.id}`);
      const body = JSON.parse(alone.body.body);
      expect(body).toMatchObject({ type: 'verification.decided', data: { source_id: sourceId, state: 'decided' } });
      expect(JSON.stringify(alone.body)).not.toContain('hooks.invalid');

      const read: unknown[] = [];
      let path = '/events?types=verification.decided';
      for (let more = true; more; ) {
        const page = (await client.call('GET', path)).body;
        read.push(...page.events);
        path = `/events?types=verification.decided&cursor=${page.next_cursor}`;
        more = page.more;
      }
      expect(read).toContainEqual(body);

      expect(await client.call('POST', `/deliveries/${delivery.id}/resend`)).toMatchObject({ status: 202 });
      await until(async () => {
        const again = await client.call('GET', `/deliveries/${delivery.id}`);
        return again.body.attempts.length > 1 ? true : undefined;
      });

      const window = { since: '2026-01-01T00:00:00Z', until: '2100-01-01T00:00:00Z' };
      const begun = await client.call('POST', `/endpoints/${id}/replay`, window);
      expect(begun).toMatchObject({ status: 202, body: { state: 'running', types: ['verification.decided'] } });
      const second = await client.problem('POST', `/endpoints/${id}/replay`, window);
      expect(second).toMatchObject({ status: 409, code: 'replay_running' });
      await until(async () => {
        const { replay } = (await client.call('GET', `/endpoints/${id}`)).body;
        return replay.id === begun.body.id && replay.sent > 0 ? true : undefined;
      });
      expect((await client.call('POST', `/endpoints/${id}/replay/cancel`)).body.state).toMatch(/^(cancelled|done)$/);
      const next = await client.call('POST', `/endpoints/${id}/replay`, window); // it waits a minute for what is kept late
      const cancelled = await client.call('POST', `/endpoints/${id}/replay/cancel`);
      expect(cancelled).toMatchObject({ status: 200, body: { id: next.body.id, state: 'cancelled' } });

      await client.call('DELETE', `/verifications/${sourceId}`);
      await until(async () => {
        const erased = await client.call('GET', `/deliveries/${delivery.id}`);
        return erased.body.body === undefined ? true : undefined;
      });
      const gone = await client.problem('POST', `/deliveries/${delivery.id}/resend`);
      expect(gone).toMatchObject({ status: 409, code: 'event_erased' });
      await client.call('DELETE', `/endpoints/${id}`);
      const late = await client.problem('POST', `/deliveries/${delivery.id}/resend`);
      expect(late).toMatchObject({ status: 409, code: 'endpoint_disabled' });
    });

    it('are refused with the field that is wrong, and another’s as those that are not there', async () => {
      expect((await client.problem('GET', '/deliveries')).errors?.[0]?.field).toBe('source_id');
      expect((await client.problem('GET', '/deliveries?state=lost')).errors?.[0]?.field).toBe('state');
      expect((await client.problem('GET', '/events?types=verification.invented')).errors?.[0]?.field).toBe('types');
      expect((await client.problem('GET', '/events?cursor=x')).errors?.[0]?.field).toBe('cursor');
      const none = 'ep_aaaaaaaaaaaaaaaa';
      const window = { since: '2026-01-01T00:00:00Z', until: '2026-01-02T00:00:00Z' };
      const backwards = { since: window.until, until: window.since };
      expect((await client.problem('POST', `/endpoints/${none}/replay`, backwards)).errors?.[0]?.field).toBe('/until');
      const unknown = { status: 404, code: 'endpoint_unknown' };
      expect(await client.problem('POST', `/endpoints/${none}/replay`, window)).toMatchObject(unknown);
      expect(await client.problem('POST', `/endpoints/${none}/replay/cancel`)).toMatchObject(unknown);
      expect(await client.problem('GET', `/deliveries?endpoint=${none}`)).toMatchObject(unknown);
      const delivery = `evt_${'a'.repeat(26)}_4.${none}`;
      const noDelivery = { status: 404, code: 'delivery_unknown' };
      expect(await client.problem('GET', `/deliveries/${delivery}`)).toMatchObject(noDelivery);
      expect(await client.problem('POST', `/deliveries/${delivery}/resend`)).toMatchObject(noDelivery);
      for (const text of ['constructor', '__proto__', 'a.b', '%20']) {
        expect(await client.problem('GET', `/deliveries/${text}`)).toMatchObject(noDelivery);
      }
    });
  });
}
