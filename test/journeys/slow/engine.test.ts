import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { portrait } from '../../../tools/samples.ts';
import {
  group,
  idCard,
  selfieOfPair,
  selfieOfPairFurtherAway,
  stranger,
  strangerFurtherAway,
} from '../../engine/people.ts';
import { repeated, said, video } from '../../engine/videos.ts';
import { type Client, clientOf, newSourceId, put } from '../client.ts';
import { type RunningStack, remove, startLocalStack } from '../local-stack.ts';

let running: RunningStack;
let client: Client;
let face: Uint8Array;
let card: Uint8Array;
let genuine: Uint8Array;

beforeAll(async () => {
  running = await startLocalStack();
  client = clientOf(running);
  [face, card, genuine] = await Promise.all([selfieOfPair(), idCard(), video()]);
});
afterAll(async () => {
  await running.stop();
  remove(running.dataDirectory);
});

const types = { selfie: 'image/jpeg', id_card: 'image/jpeg', video: 'video/mp4' } as const;

/** From the request to the verdict, as an app would. */
async function verdictOf(
  check: 'photo_verify' | 'video_verify',
  files: Partial<Record<keyof typeof types, Uint8Array>>,
  overrides: Record<string, unknown> = {},
) {
  const sourceId = newSourceId();
  const captures = Object.fromEntries(
    Object.keys(files).map((name) => [name, { content_type: types[name as keyof typeof types] }]),
  );
  const view = await client.request(sourceId, { check, captures, ...overrides });
  await Promise.all(
    Object.entries(files).map(async ([name, body]) => {
      const { url, headers } = view.uploads[name as keyof typeof types]?.put ?? { url: '', headers: {} };
      expect((await fetch(url, { method: 'PUT', headers, body: Buffer.from(body) })).status).toBe(200);
    }),
  );
  const { state, verdict } = await client.verdict(sourceId);
  expect(state).toBe('decided');
  return { outcome: verdict?.outcome, reasons: verdict?.reasons };
}

describe('photo_verify', () => {
  const cases: Record<string, [() => Promise<Record<'selfie' | 'id_card', Uint8Array>>, string, string[]]> = {
    'the person of the card': [async () => ({ selfie: face, id_card: card }), 'passed', []],
    'another person': [async () => ({ selfie: await stranger(), id_card: card }), 'failed', ['face_mismatch']],
    'a card whose face is too small': [
      async () => ({ selfie: face, id_card: await idCard({ facePx: 40 }) }),
      'recapture',
      ['id_face_too_small'],
    ],
    "the card's own portrait": [
      async () => ({ selfie: await portrait(), id_card: await idCard({ of: 'portrait' }) }),
      'failed',
      ['same_photo_as_id'],
    ],
    'more than one person': [async () => ({ selfie: await group(), id_card: card }), 'recapture', ['multiple_faces']],
    'a card on its side': [async () => ({ selfie: face, id_card: await idCard({ turned: 90 }) }), 'passed', []],
  };
  it.each(Object.entries(cases))('of %s', async (_, [files, outcome, reasons]) => {
    const verdict = await verdictOf('photo_verify', await files());
    expect(verdict.outcome).toBe(outcome);
    expect(verdict.reasons).toEqual(expect.arrayContaining(reasons));
    if (outcome === 'passed') expect(verdict.reasons).toEqual([]);
  });
});

describe('a selfie that was judged before', () => {
  async function seenBefore(sourceId: string, selfie: Uint8Array): Promise<readonly string[] | undefined> {
    const { status } = await put(await client.request(sourceId), selfie);
    expect(status).toBe(200);
    const { verdict } = await client.verdict(sourceId);
    expect(verdict?.outcome).toBe('passed');
    return verdict?.seen_before;
  }

  it('is told under every other source_id, stored anew too, for as long as the first is there', async () => {
    const selfie = await stranger(3);
    const again = await sharp(selfie).jpeg({ quality: 60 }).toBuffer();
    const [first, second, third] = [newSourceId(), newSourceId(), newSourceId()];
    expect(await seenBefore(first, selfie)).toBeUndefined();
    expect(await seenBefore(second, again)).toEqual(['selfie']);
    for (const sourceId of [first, second]) await client.call('DELETE', `/verifications/${sourceId}`);
    expect(await seenBefore(third, selfie)).toBeUndefined();
  });

  it('is told of all but one that are judged at once', async () => {
    const selfie = await sharp(await stranger(2))
      .flop()
      .jpeg({ quality: 92 })
      .toBuffer();
    const told = await Promise.all(Array.from({ length: 4 }, () => seenBefore(newSourceId(), selfie)));
    expect(told.filter((seen) => seen === undefined)).toHaveLength(1);
  });
});

describe('video_verify', () => {
  const challenge = said;
  const wrong = [...said].toReversed().join('');
  const oneWrong = `${said.slice(0, 3)}${(Number(said[3]) + 4) % 10}${said.slice(4)}`;
  const cases: Record<string, [() => Promise<Uint8Array>, string, string, string[]]> = {
    'the person of the card, saying the digits': [async () => genuine, challenge, 'passed', []],
    'other digits than were asked for': [async () => genuine, wrong, 'failed', ['wrong_digits']],
    'one digit wrong': [async () => genuine, oneWrong, 'failed', ['wrong_digits']],
    'no sound in the file': [() => video({ sound: 'none' }), challenge, 'recapture', ['audio_missing']],
    silence: [() => video({ sound: 'silence' }), challenge, 'recapture', []],
    'another person halfway': [
      async () => video({ people: [await selfieOfPairFurtherAway(), await strangerFurtherAway()] }),
      challenge,
      'failed',
      ['face_changed_in_video'],
    ],
    'half a file': [
      async () => genuine.subarray(0, genuine.length / 2),
      challenge,
      'recapture',
      ['capture_unreadable'],
    ],
    'ten minutes': [() => repeated(genuine, 150), challenge, 'recapture', []],
    'a phone held upright': [() => video({ sideways: true }), challenge, 'passed', []],
  };
  it.each(Object.entries(cases))('of %s', async (_, [file, digits, outcome, reasons]) => {
    const options = { challenge: digits, language_code: 'en-US' };
    const verdict = await verdictOf('video_verify', { video: await file(), id_card: card }, options);
    expect(verdict.outcome).toBe(outcome);
    expect(verdict.reasons).toEqual(expect.arrayContaining(reasons));
    expect(verdict.reasons?.length === 0).toBe(outcome === 'passed');
  });

  it('in a language without a model is refused before any upload', async () => {
    const problem = await client.problem('POST', '/verifications', {
      source_id: newSourceId(),
      check: 'video_verify',
      captures: { video: { content_type: 'video/mp4' }, id_card: { content_type: 'image/jpeg' } },
      language_code: 'th-TH',
    });
    expect(problem).toMatchObject({ status: 422, code: 'language_unsupported' });
  });
});
