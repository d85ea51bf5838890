import { describe, expect, it, vi } from 'vitest';
import { Fault } from '../../shared/domain/fault.ts';
import { connectors } from '../../shared/providers/connect.ts';
import { readDelivery } from '../../shared/providers/identify/delivery.ts';
import { settings as identifySettings } from '../../shared/providers/identify/provider.ts';
import { onesmartlab } from '../../shared/providers/onesmartlab/provider.ts';
import { registry } from '../../shared/providers/registry.ts';
import { sandbox, settings as sandboxSettings } from '../../shared/providers/sandbox/provider.ts';
import { spoofsense as spoofsenseCapabilities } from '../../shared/providers/spoofsense/capabilities.ts';
import { maximumContentBytes } from '../../shared/providers/spoofsense/wire.ts';
import { startVendorSimulator } from '../../tools/vendor-simulator/server.ts';
import { credentialsOf } from '../contracts/credentials.ts';
import { jpeg, mp4, someCaptures, submissionOf } from '../contracts/submission.ts';
import { answering, fixtureText } from './answering.ts';

describe('Identify', () => {
  it('is given a link that lives as long as its webhook is waited for, our webhook name and our reference', async () => {
    const { sent, url } = await answering('identify', 'spoof_detect', {
      body: fixtureText('identify/000-received.json'),
      submission: { reference: async () => 'our.reference' },
    });
    expect(url).toBe('https://vendor.example/v1/identify');
    expect(JSON.parse(sent)).toEqual({
      service: 'identify-anti-spoof',
      payload: {
        image_link: 'https://captures.example/selfie?seconds=900',
        webhook_name: 'contract',
        source_id: 'our.reference',
      },
    });
  });

  it.each([
    '2024-01-13T05:39:48.966984+00:00',
    '2024-01-13T05:39:48Z',
    '2024-01-13T05:39:48.966984',
    '2024-01-13T05:39:48+0000',
    '20240113T053948Z',
    '2024-01-13T05:39Z',
    '2024-01-13T05:39:48+07',
    '2024-01-13T05:39:48,966+00:00',
    '2024-01-13',
    '2024-01-13 05:39:48.966984+00:00',
    'yesterday',
    '',
    1705124388,
    null,
    { seconds: 1705124388 },
  ])('reads a verdict, and an error, that were completed at %j', (completed_at) => {
    const delivered = JSON.parse(fixtureText('identify/000-result.json').replace(': .91', ': 0.91'));
    const kindOf = (body: unknown) => readDelivery(body)?.answer.kind;
    expect(kindOf({ ...delivered, completed_at })).toBe('decided');
    expect(kindOf({ ...delivered, completed_at, error: 'No face found' })).toBe('fault');
  });

  it.each([undefined, null, 7, 'text', '{', '[]', [], {}, { source_event: 'identify-anti-spoof' }, '"x"'])(
    'takes %j for no result',
    (body) => {
      expect(readDelivery(body)).toBeUndefined();
    },
  );

  it.each([
    [{}, 'x-api-key', 'a-key'],
    [{ headerName: 'x-api-token' }, 'x-api-token', 'a-key'],
    [{ headerName: 'Authorization' }, 'authorization', 'Bearer a-key'],
    [{ headerName: 'authorization', headerPrefix: 'Token ' }, 'authorization', 'Token a-key'],
    [{ headerName: 'authorization', headerPrefix: '' }, 'authorization', 'a-key'],
  ])('with the settings %j sends its token as %s: %s', async (settings, header, value) => {
    const { headers } = await answering('identify', 'spoof_detect', {
      body: fixtureText('identify/000-received.json'),
      settings,
    });
    const names = ['x-api-key', 'x-api-token', 'authorization'];
    expect(names.filter((name) => headers.has(name))).toEqual([header]);
    expect(headers.get(header)).toBe(value);
  });
});

describe('SpoofSense', () => {
  const answer = (real: number) => `{"success":true,"model_output":{"pred_idx":"real","prob_real":${real}}}`;

  it('has the threshold of its endpoint, unless the tenant has another', async () => {
    const outcomeAt = async (
      real: number,
      settings: Record<string, unknown>,
      thresholds: Record<string, number> = {},
    ) =>
      (await answering('spoofsense', 'spoof_detect', { body: answer(real), settings, submission: { thresholds } }))
        .outcome;
    expect(await outcomeAt(0.53, { endpoint: 'antispoofing' })).toBe('failed presentation_attack_suspected');
    expect(await outcomeAt(0.53, { endpoint: 'robust' })).toBe('passed');
    expect(await outcomeAt(0.5, { endpoint: 'robust' })).toBe('failed presentation_attack_suspected');
    expect(await outcomeAt(0.53, { endpoint: 'robust' }, { live: 0.9 })).toBe('failed presentation_attack_suspected');
    expect(await outcomeAt(0.53, { endpoint: 'antispoofing' }, { live: 0.1 })).toBe('passed');
  });

  it('is called at the endpoint the settings name', async () => {
    const { url } = await answering('spoofsense', 'spoof_detect', {
      body: answer(1),
      settings: { endpoint: 'robust' },
    });
    expect(url).toBe('https://vendor.example/v1/robust');
  });

  it('keeps the box of a face that is too small, which its message alone has', async () => {
    const small = (message: string) =>
      answering('spoofsense', 'spoof_detect', {
        body: JSON.stringify({ success: false, message, error_code: 'FACE_TOO_SMALL' }),
      });
    const { outcome, measurements } = await small(
      'Detected face box: 90x80 smaller than minimum required size: 128x128',
    );
    expect([outcome, measurements]).toEqual(['recapture face_too_small', { face_height_px: 90, face_width_px: 80 }]);
    expect((await small('The face is small')).measurements).toEqual({});
  });

  it('takes the largest capture whose request its limit allows, and no larger one', async () => {
    const largest = spoofsenseCapabilities.maximumBytes.selfie ?? 0;
    const contentOf = (bytes: number) => JSON.stringify({ data: '' }).length + Math.ceil(bytes / 3) * 4;
    expect(contentOf(largest)).toBeLessThanOrEqual(maximumContentBytes);
    expect(contentOf(largest + 1)).toBeGreaterThan(maximumContentBytes);
    const sized = async (bytes: number) => {
      const selfie = Buffer.concat([jpeg(), Buffer.alloc(bytes - jpeg().length)]);
      return answering('spoofsense', 'spoof_detect', {
        body: answer(1),
        submission: submissionOf('spoof_detect', { selfie }),
      });
    };
    expect((await sized(largest)).sent).toHaveLength(contentOf(largest));
    expect(await sized(largest + 1)).toMatchObject({ outcome: 'recapture capture_too_large', sent: '' });
  });
});

describe('One Smart Lab', () => {
  it('keeps what it measured, seconds as seconds and fractions as fractions', async () => {
    const video = await answering('onesmartlab', 'video_verify', {
      body: fixtureText('onesmartlab/002-videoverify.json'),
    });
    expect(video.measurements.vendor_seconds).toBeCloseTo(55.86, 2);
    expect(video.measurements).toMatchObject({ face_width_ratio: 0.334375, transcription_confidence: 0.95064026 });
    const photo = await answering('onesmartlab', 'photo_verify', {
      body: fixtureText('onesmartlab/002-photoverify.json'),
    });
    expect(photo.measurements).toMatchObject({ id_card_not_spoof_confidence: 0.65, id_card_not_spoof_passed: 1 });
    expect(photo.measurements.vendor_seconds).toBeCloseTo(1.1, 1);
  });

  it('is sent the parameters of its document, and a length', async () => {
    const simulator = await startVendorSimulator();
    const provider = connectAt(simulator.baseUrls.onesmartlab, simulator.key);
    try {
      for (const check of ['spoof_detect', 'photo_verify', 'video_verify'] as const) {
        await provider.submit(submissionOf(check));
      }
      const [spoof, photo, video] = simulator.received();
      expect([spoof?.path, photo?.path, video?.path]).toEqual([
        '/v1.1/spoofdetect',
        '/v1.1/photoverify',
        '/v1.1/videoverify',
      ]);
      expect(Object.keys(spoof?.captures ?? {})).toEqual(['photo']);
      expect(Object.keys(photo?.captures ?? {})).toEqual(['id_card', 'photo']);
      expect(video?.captures).toMatchObject({
        id_card: { contentType: 'image/jpeg', bytes: someCaptures.id_card.length },
        video: { contentType: 'video/mp4', bytes: someCaptures.video.length },
      });
      expect(video?.fields).toEqual({ audiochallenge: '123457', languageCode: 'th-TH' });
      for (const received of simulator.received()) expect(received.contentLength).toBeGreaterThan(100);
    } finally {
      await simulator.stop();
    }
  });

  it('is sent a video as it is read, never as a whole', async () => {
    const chunk = mp4(64 * 1024);
    const chunks = 400; // 25 MB
    let pulls = 0;
    let read = 0;
    let furthestAhead = 0;
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulls += 1;
        furthestAhead = Math.max(furthestAhead, pulls * chunk.length - read);
        controller.enqueue(chunk);
        if (pulls === chunks) controller.close();
      },
    });
    const provider = onesmartlab({
      settings: { baseUrl: 'https://vendor.example', languageCode: 'en-US' },
      credentials: { apiKey: 'a-key' },
      fetch: async (_url, init) => {
        for await (const part of new Response(init.body).body ?? []) read += part.length;
        return new Response(fixtureText('onesmartlab/002-videoverify.json'));
      },
    });
    const { streamCapture, ...submission } = submissionOf('video_verify');
    await provider.submit({
      ...submission,
      streamCapture: async (name) =>
        name === 'video' ? { kind: 'stream', stream, bytes: chunks * chunk.length } : streamCapture(name),
    });
    expect(read).toBeGreaterThan(chunks * chunk.length);
    expect(furthestAhead).toBeLessThan(8 * chunk.length);
  });

  it('ends every stream it opened, also those it did not read', async () => {
    for (const failing of [
      'no server listens',
      'the card is unreadable',
      'the video is of another type',
      'the video is gone',
    ]) {
      const ended: string[] = [];
      const opened: string[] = [];
      const provider = connectAt('http://127.0.0.1:9', 'a-key');
      const bytes = {
        id_card:
          failing === 'the card is unreadable'
            ? Buffer.from('text, whatever its name says, and long enough'.padEnd(64))
            : jpeg(),
        video:
          failing === 'the video is of another type' ? Buffer.from('\x1a\x45\xdf\xa3'.padEnd(64), 'latin1') : mp4(),
      };
      const submission = submissionOf('video_verify', bytes, {
        streamCapture: async (name) => {
          if (failing === 'the video is gone' && name === 'video') throw new Fault('capture_missing', 'gone');
          opened.push(name);
          const content = name === 'video' ? bytes.video : bytes.id_card;
          const stream = new ReadableStream<Uint8Array>({
            start: (controller) => controller.enqueue(content),
            cancel: () => void ended.push(name),
          });
          return { kind: 'stream', stream, bytes: content.length };
        },
      });
      await provider.submit(submission).catch((error: unknown) => expect(error).toBeInstanceOf(Fault));
      expect(ended.toSorted(), failing).toEqual(opened.toSorted());
    }
  });

  it.each([
    [{}, { spoof_detect: 30, photo_verify: 30, video_verify: 120 }],
    [{ photoTimeoutSeconds: 20 }, { spoof_detect: 20, photo_verify: 20, video_verify: 120 }],
    [{ videoTimeoutSeconds: 100 }, { spoof_detect: 30, photo_verify: 30, video_verify: 100 }],
    [{ timeoutSeconds: 25 }, { spoof_detect: 25, photo_verify: 25, video_verify: 25 }],
    [
      { timeoutSeconds: 25, videoTimeoutSeconds: 90 },
      { spoof_detect: 25, photo_verify: 25, video_verify: 90 },
    ],
  ])('with the settings %j waits this many seconds: %j', async (settings, seconds) => {
    const waited = vi.spyOn(AbortSignal, 'timeout');
    try {
      for (const check of ['spoof_detect', 'photo_verify', 'video_verify'] as const) {
        await answering('onesmartlab', check, { body: '{}', settings });
      }
      expect(waited.mock.calls.map(([milliseconds]) => milliseconds / 1000)).toEqual(Object.values(seconds));
    } finally {
      waited.mockRestore();
    }
  });

  it.each([
    [{ photoTimeoutSeconds: 31 }, 'photoTimeoutSeconds'],
    [{ videoTimeoutSeconds: 121 }, 'videoTimeoutSeconds'],
    [{ timeoutSeconds: 31 }, 'timeoutSeconds'],
    [{ videoTimeoutSeconds: 0 }, 'videoTimeoutSeconds'],
  ])('waits no longer than the lease allows: %j', (settings, name) => {
    const read = connectors.get('onesmartlab')?.read({ settings, credentials: { apiKey: 'a-key' } });
    expect(read).toMatchObject({ mistakes: [expect.stringContaining(`settings.${name}: `)] });
  });

  it('refuses a challenge that is not six digits before anything is sent', async () => {
    for (const challenge of [undefined, '12345', '123456"\r\n', 'abcdef']) {
      const { outcome, sent } = await answering('onesmartlab', 'video_verify', {
        body: '{}',
        submission: { challenge },
      });
      expect({ outcome, sent }).toEqual({ outcome: 'provider_refused', sent: '' });
    }
  });

  const connectAt = (baseUrl: string, apiKey: string) =>
    onesmartlab({
      settings: { baseUrl, languageCode: 'en-US' },
      credentials: { apiKey },
      fetch: (url, init) => fetch(url, init),
    });
});

describe('A capture a vendor does not take', () => {
  const webp = Buffer.from('RIFF\0\0\0\0WEBPVP8 '.padEnd(64), 'latin1');

  it.each(['spoofsense', 'onesmartlab'])('is never sent to %s', async (provider) => {
    const sent = async (selfie: Uint8Array) => {
      const { openCapture, streamCapture } = submissionOf('spoof_detect', { selfie });
      return answering(provider, 'spoof_detect', { body: '{}', submission: { openCapture, streamCapture } });
    };
    expect(await sent(webp)).toMatchObject({ outcome: 'capture_type_unsupported', sent: '' });
    expect(await sent(Buffer.from('a text'))).toMatchObject({ outcome: 'recapture capture_unreadable', sent: '' });
    const tooLarge = { kind: 'too_large', bytes: 99_000_000 } as const;
    const submission = { openCapture: async () => tooLarge, streamCapture: async () => tooLarge };
    const large = await answering(provider, 'spoof_detect', { body: '{}', submission });
    expect(large).toMatchObject({
      outcome: 'recapture capture_too_large',
      measurements: { capture_bytes: 99_000_000 },
    });
  });
});

it.each(['identify', 'spoofsense', 'onesmartlab'])('takes 402 of %s for spent credits', async (provider) => {
  const { outcome } = await answering(provider, 'spoof_detect', { status: 402, body: 'Payment Required' });
  expect(outcome).toBe('provider_credits_spent');
});

it('asks fetch to follow no redirect and to send no credentials of its own, with a streamed body too', async () => {
  const asked: unknown[] = [];
  const world = {
    fetch: async (_url: string, { redirect, credentials, method }: RequestInit) => {
      asked.push({ redirect, credentials, method });
      return new Response(null, { status: 500 });
    },
    sleep: async () => undefined,
  };
  for (const name of ['spoofsense', 'onesmartlab']) {
    const provider = connectors.get(name)?.connect({ settings: {}, credentials: { apiKey: 'a-key' } }, world);
    await provider?.submit(submissionOf('spoof_detect')).catch(() => undefined);
  }
  const discreet = { redirect: 'manual', credentials: 'omit', method: 'POST' };
  expect(asked).toEqual([discreet, discreet]);
});

describe('Stored settings and credentials', () => {
  it('are refused where they would send a key in the clear, elsewhere, or as two headers', () => {
    const addresses = [
      'https://vendor.example/?',
      'http://vendor.example',
      'ftp://vendor.example',
      'https://user:password@vendor.example',
      'https://vendor.example/?key=1',
      'https://vendor.example/#x',
      'not an address',
    ];
    for (const baseUrl of addresses) expect(identifySettings.safeParse({ baseUrl }).success, baseUrl).toBe(false);
    for (const baseUrl of ['https://vendor.example/api/', 'http://127.0.0.1:4010']) {
      expect(identifySettings.safeParse({ baseUrl }).success, baseUrl).toBe(true);
    }
    const world = { fetch: () => Promise.reject(new Error('not called')), sleep: async () => undefined };
    for (const apiKey of ['', 'two\r\nx-other: header', undefined]) {
      expect(() => connectors.get('spoofsense')?.connect({ settings: {}, credentials: { apiKey } }, world)).toThrow(
        Fault,
      );
    }
  });
});

const remote = [...registry.values()].filter((capabilities) => capabilities.remote);

describe.each(remote.map(({ name }) => name))('A secret of %s', (name) => {
  const connector = connectors.get(name);
  const baseUrl = 'https://vendor.example';
  const credentials = credentialsOf(name, 'a-key');
  const world = { fetch: () => Promise.reject(new Error('not called')), sleep: async () => undefined };

  it('says where captures will be sent', () => {
    expect(connector?.read({ settings: { baseUrl }, credentials })).toMatchObject({
      kind: 'connection',
      address: expect.stringMatching(/^https:\/\/vendor\.example/),
    });
  });

  it.each([
    [{ settings: { base_url: baseUrl }, credentials }, 'settings: "base_url" is not known: write "baseUrl"'],
    [{ settings: { baseUrl, retries: 3 }, credentials }, /^settings: "retries" is not known: write baseUrl, /],
    [
      { settings: { baseUrl }, credentials: { ...credentials, Api_Key2: 'k' } },
      /^credentials: "Api_Key2" is not known/,
    ],
    [{ baseUrl, credentials }, '"baseUrl" is not known: write settings, credentials'],
    [{ settings: { baseUrl } }, /^credentials\.(token|apiKey): /],
    ['a-key', /expected object/],
  ])('is refused with a mistake in it: %j', (stored, mistake) => {
    const read = connector?.read(stored);
    const mistakes = read?.kind === 'mistakes' ? read.mistakes : [];
    expect(mistakes).toContainEqual(typeof mistake === 'string' ? mistake : expect.stringMatching(mistake));
    expect(JSON.stringify(mistakes)).not.toContain('a-key');
  });

  it('that another version kept is used with a credential more, not with a setting more', () => {
    const settings = { baseUrl };
    expect(() => connector?.connect({ settings, credentials: { ...credentials, more: 'x' } }, world)).not.toThrow();
    expect(() => connector?.connect({ settings: { ...settings, base_url: 'x' }, credentials }, world)).toThrow(Fault);
  });
});

describe('The sandbox', () => {
  const ask = (sourceId: string, round: number) => {
    const slept: number[] = [];
    const provider = sandbox({
      settings: sandboxSettings.parse({}),
      sleep: async (seconds) => void slept.push(seconds),
    });
    return provider.submit(submissionOf('spoof_detect', {}, { sourceId, round })).then((answer) => ({ answer, slept }));
  };

  it('takes several words for one per round, the last for all that follow', async () => {
    const outcomes = [];
    for (const round of [1, 2, 3]) {
      const { answer } = await ask('sandbox-recapture-too_dark.x.sandbox-failed', round);
      outcomes.push(answer.kind === 'decided' && answer.finding.outcome);
    }
    expect(outcomes).toEqual(['recapture', 'failed', 'failed']);
  });

  it('is slow on request, by the clock it is given', async () => {
    expect((await ask('sandbox-slow', 1)).slept).toEqual([5000]);
    expect((await ask('sandbox-passed', 1)).slept).toEqual([]);
  });
});
