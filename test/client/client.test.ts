import { afterEach, beforeEach, describe, expect, expectTypeOf, it, vi } from 'vitest';
import {
  BonafideProblem,
  bonafide,
  type ClientVerification,
  isProblem,
  type Uploads,
  type Verification,
} from '../../web/client/index.ts';
import { type Scripted, scriptedBonafide, throttledByGateway, unavailable } from '../integrate/bonafide-double.ts';

const view = (state: string, sequence: number): Scripted => ({
  status: 200,
  body: { source_id: 'u-1', state, sequence, round: 1, verdict: null },
});
const awaiting: Scripted = { ...view('awaiting_captures', 1), headers: { 'retry-after': '1' } } as Scripted;
const problem = (status: number, code: string, more: object = {}): Scripted => ({
  status,
  body: { type: 'about:blank', title: code, status, detail: 'Because.', code, retryable: false, ...more },
});
const hungUp: Scripted = undefined;
const request = {
  source_id: 'u-1',
  check: 'spoof_detect',
  captures: { selfie: { content_type: 'image/jpeg' } },
} as const;

let stop = () => {};
async function answeredBy(...script: Scripted[]) {
  const server = await scriptedBonafide(script);
  stop = server.stop;
  return { ...server, connection: { base: server.url, key: server.apiKey } };
}
beforeEach(() => {
  vi.spyOn(Math, 'random').mockReturnValue(0); // no pause but those that are asked for
});
afterEach(() => {
  stop();
  vi.restoreAllMocks();
});

describe('a call', () => {
  it('that fails for now is made again: throttled, not run in time, hung up', async () => {
    const { connection, asked } = await answeredBy(throttledByGateway, unavailable, hungUp, view('queued', 2));
    expect(await bonafide(connection).read('u-1')).toMatchObject({ state: 'queued' });
    expect(asked).toHaveLength(4);
  });

  it('is made five times and no more', async () => {
    const { connection, asked } = await answeredBy(...Array(9).fill(unavailable));
    await expect(bonafide(connection).read('u-1')).rejects.toMatchObject({ code: 'gateway', status: 503 });
    expect(asked).toHaveLength(5);
  });

  it('that the API calls not retryable is made once', async () => {
    const { connection, asked } = await answeredBy(problem(404, 'verification_unknown'), view('queued', 2));
    await expect(bonafide(connection).read('u-1')).rejects.toMatchObject({ code: 'verification_unknown' });
    expect(asked).toHaveLength(1);
  });

  it('that the API calls retryable is made again, whatever its status', async () => {
    const again = problem(409, 'erasure_unfinished', { retryable: true });
    const { connection, asked } = await answeredBy(again, view('queued', 2));
    await bonafide(connection).read('u-1');
    expect(asked).toHaveLength(2);
  });

  it('that is no GET and not said to be idempotent is made once', async () => {
    const { connection, asked } = await answeredBy(unavailable, unavailable, unavailable);
    const client = bonafide(connection);
    const endpoint = client.POST('/endpoints', { body: { url: 'https://a.test/' } });
    await expect(endpoint).rejects.toMatchObject({ status: 503 });
    expect(asked).toHaveLength(1);
  });

  it('POST /verifications is made again, with the same body', async () => {
    const { connection, asked } = await answeredBy(hungUp, { status: 201, body: { source_id: 'u-1' } });
    await bonafide(connection).POST('/verifications', { body: request });
    expect(asked).toEqual(Array(2).fill(`POST /verifications ${JSON.stringify(request)}`));
  });

  it('waits as long as Retry-After says, and tells instead of waiting longer than a minute', async () => {
    const { connection } = await answeredBy(
      { ...unavailable, headers: { 'retry-after': '1' } } as Scripted,
      { ...unavailable, headers: { 'retry-after': '61' } } as Scripted,
    );
    const begun = performance.now();
    await expect(bonafide(connection).read('u-1')).rejects.toMatchObject({ retryAfterSeconds: 61 });
    expect(performance.now() - begun).toBeGreaterThan(990);
  });

  it('ends when its signal is aborted, in the middle of a pause and of a request', async () => {
    const { connection } = await answeredBy({ ...unavailable, headers: { 'retry-after': '50' } } as Scripted);
    const client = bonafide(connection);
    const reason = new Error('The page is closed');
    const controller = new AbortController();
    const call = client.GET('/endpoints', { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 100);
    await expect(call).rejects.toBe(reason);
    await expect(client.read('u-1', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it('that nothing answers in time is a network failure, and tried again', async () => {
    let asked = 0;
    const fetch = (request: Request) =>
      new Promise<Response>((_, reject) => {
        asked += 1;
        request.signal.addEventListener('abort', () => reject(request.signal.reason));
      });
    const client = bonafide({ base: 'http://a.test', timeoutSeconds: 0.02, attempts: 3, fetch });
    await expect(client.read('u-1')).rejects.toMatchObject({ code: 'network_failure', retryable: true });
    expect(asked).toBe(3);
  });

  it('asks for its credential each time, and shows nothing else', async () => {
    const seen: (string | null)[] = [];
    const fetch = async ({ headers, credentials }: Request) => {
      seen.push(headers.get('authorization'), headers.get('x-api-key'), credentials);
      return Response.json({}, { status: seen.length < 6 ? 503 : 200 });
    };
    let tokens = 0;
    await bonafide({ base: 'http://a.test', token: async () => `ct_${++tokens}`, fetch }).read('u-1');
    expect(seen).toEqual(['Bearer ct_1', null, 'omit', 'Bearer ct_2', null, 'omit']);
  });

  it('takes a key or a token, and not both', () => {
    expect(() => bonafide({ base: 'http://a.test', key: 'bf', token: 'ct' })).toThrow(/not both/);
  });
});

describe('a problem', () => {
  it('has code, status, what is wrong with which field, and is told apart by its code', async () => {
    const errors = [{ field: '/check', message: 'is not a check' }];
    const { connection } = await answeredBy(problem(422, 'request_invalid', { errors }));
    const caught: unknown = await bonafide(connection)
      .POST('/verifications', { body: request })
      .catch((error) => error);
    if (!isProblem(caught)) throw new Error('not a problem');
    expect(caught).toBeInstanceOf(BonafideProblem);
    switch (caught.code) {
      case 'request_invalid':
        expectTypeOf(caught).toEqualTypeOf<BonafideProblem<'request_invalid'>>();
        expect(caught).toMatchObject({ status: 422, retryable: false, errors, message: 'request_invalid: Because.' });
        break;
      case 'network_failure':
        expectTypeOf(caught).not.toHaveProperty('status');
        break;
      default:
        throw new Error(caught.code);
    }
  });

  it('of a later version of the API keeps its code', async () => {
    const { connection } = await answeredBy(problem(418, 'teapot_found'));
    await expect(bonafide(connection).read('u-1')).rejects.toMatchObject({ code: 'teapot_found', status: 418 });
  });

  it('of a page in between, which is no JSON, is a gateway’s or a network failure', async () => {
    const portal = async () => new Response('<html>Sign in to the hotel</html>', { status: 200 });
    const client = bonafide({ base: 'http://a.test', fetch: portal, attempts: 1 });
    await expect(client.read('u-1')).rejects.toMatchObject({ code: 'network_failure' });
    const proxy = async () => new Response('<html>Bad gateway</html>', { status: 502 });
    const other = bonafide({ base: 'http://a.test', fetch: proxy, attempts: 1 });
    await expect(other.read('u-1')).rejects.toMatchObject({ code: 'gateway', status: 502, retryable: true });
  });
});

describe('waiting for the verdict', () => {
  it('tells each state once and ends at rest', async () => {
    const script = [view('queued', 2), view('queued', 2), view('dispatched', 3), view('decided', 4)];
    const { connection, asked } = await answeredBy(...script);
    const states: string[] = [];
    const ended = await bonafide(connection).waitForVerdict('u-1', { onState: ({ state }) => states.push(state) });
    expect(states).toEqual(['queued', 'dispatched', 'decided']);
    expect(ended.state).toBe('decided');
    expect(asked).toEqual(Array(4).fill('GET /verifications/u-1?wait=20'));
  });

  it.each(['decided', 'errored', 'expired', 'erased'])('ends at %s', async (state) => {
    const { connection } = await answeredBy(view(state, 4));
    expect(await bonafide(connection).waitForVerdict('u-1')).toMatchObject({ state });
  });

  it.each([
    ['as Retry-After says', awaiting],
    ['a second without it', view('awaiting_captures', 1)],
  ])('asks again after captures were awaited: %s', async (_, answer) => {
    const { connection } = await answeredBy(answer, answer, view('decided', 4));
    const begun = performance.now();
    await bonafide(connection).waitForVerdict('u-1');
    expect(performance.now() - begun).toBeGreaterThan(1980);
  });

  it('asks again no sooner than Retry-After says, of a webhook that is awaited and of a gateway that refuses', async () => {
    const askAgain = (answer: Scripted, seconds: string) =>
      ({ ...answer, headers: { 'retry-after': seconds } }) as Scripted;
    const script = [
      askAgain(view('dispatched', 3), '1'),
      askAgain(throttledByGateway, '1'),
      askAgain(unavailable, '1'),
    ];
    const { connection, asked } = await answeredBy(...script, view('decided', 4));
    const begun = performance.now();
    await bonafide(connection).waitForVerdict('u-1');
    expect(performance.now() - begun).toBeGreaterThan(2970);
    expect(asked).toHaveLength(4);
  });

  it('counts what a gateway refuses in a row, and gives up', async () => {
    const { connection, asked } = await answeredBy(...Array(9).fill(unavailable));
    const waiting = bonafide(connection).waitForVerdict('u-1', { attempts: 3 });
    await expect(waiting).rejects.toMatchObject({ code: 'gateway', status: 503 });
    expect(asked).toHaveLength(3);
  });

  it('goes on after dropped connections, and gives up when there are too many in a row', async () => {
    const drops = Array(19).fill(hungUp);
    const { connection } = await answeredBy(...drops, view('queued', 2), ...drops, view('decided', 4));
    expect(await bonafide(connection).waitForVerdict('u-1')).toMatchObject({ state: 'decided' });
    stop();
    await expect(bonafide(connection).waitForVerdict('u-1', { attempts: 3 })).rejects.toMatchObject({
      code: 'network_failure',
    });
  });

  it('ends with the signal', async () => {
    const { connection } = await answeredBy(...Array(50).fill(awaiting));
    const waiting = bonafide(connection).waitForVerdict('u-1', { signal: AbortSignal.timeout(200) });
    await expect(waiting).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});

describe('uploading captures', () => {
  const put = { url: 'http://s3.test/', headers: {} };
  const awaits = (captures: object): Scripted => ({
    status: 200,
    body: { round: 1, uploads: captures, challenge: '407193' },
  });
  /** S3, which each PUT reaches; its answers are lost. */
  const loseAnswers = () => {
    const network = globalThis.fetch;
    const lost = vi.fn(() => Promise.reject(new TypeError('fetch failed')));
    vi.stubGlobal('fetch', (input: string | Request, init?: RequestInit) =>
      init?.method === 'PUT' ? lost() : network(input, init),
    );
    return lost;
  };
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('asks for no further round where a capture was judged whose answer was lost', async () => {
    const lost = loseAnswers();
    const { connection, asked } = await answeredBy(awaits({ selfie: { put } }), view('decided', 4));
    await bonafide(connection).uploadCaptures('u-1', { selfie: new Blob(['photo']) });
    expect(lost).toHaveBeenCalledTimes(1);
    expect(asked.map((line) => line.split(' ')[0])).toEqual(['POST', 'GET']);
  });

  it('tells that a video’s digits were replaced, and sends nothing', async () => {
    const lost = loseAnswers();
    const { connection } = await answeredBy(awaits({ video: { put } }));
    const uploading = bonafide(connection).uploadCaptures(
      'u-1',
      { video: new Blob(['video']) },
      { challenge: '111111' },
    );
    await expect(uploading).rejects.toMatchObject({ code: 'challenge_replaced', retryable: false });
    expect(lost).not.toHaveBeenCalled();
  });
});

describe('types', () => {
  it('say what a key sees, and what a token', () => {
    const server = bonafide({ base: 'http://a.test', key: 'bf' });
    const page = bonafide({ base: 'http://a.test', token: 'ct' });
    expectTypeOf(server.read).returns.resolves.toEqualTypeOf<Verification>();
    expectTypeOf(page.read).returns.resolves.toEqualTypeOf<ClientVerification>();
    expectTypeOf(page.POST<'/verifications/{source_id}/captures'>).returns.resolves.toEqualTypeOf<Uploads>();
  });

  it('refuse a route, a parameter and a field that there are not', () => {
    const { GET, POST } = bonafide({ base: 'http://a.test', key: 'bf' });
    const never = () => [
      // @ts-expect-error no such route
      GET('/verification'),
      // @ts-expect-error it has no POST
      POST('/verifications/{source_id}/history', {}),
      // @ts-expect-error its source_id is missing
      GET('/verifications/{source_id}'),
      // @ts-expect-error a misspelt parameter
      GET('/verifications', { params: { query: { states: 'decided' } } }),
      // @ts-expect-error no such check
      POST('/verifications', { body: { ...request, check: 'dna' } }),
      // @ts-expect-error a body is needed
      POST('/verifications', {}),
      // @ts-expect-error vendors' routes are not an integrator's
      POST('/identify', {}),
    ];
    expect(never).toBeTypeOf('function');
  });
});
