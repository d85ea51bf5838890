import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type ContentType, captureKey, parseCaptureKey, sniffContentType } from '../../shared/domain/captures.ts';
import { newChallenge, newTurn } from '../../shared/domain/challenge.ts';
import { readClientToken, signClientToken } from '../../shared/domain/client-token.ts';
import { eventOf } from '../../shared/domain/event.ts';
import { faultCodes, faults } from '../../shared/domain/fault.ts';
import { defaultPolicy, planFor, policy } from '../../shared/domain/policy.ts';
import { historyEntry, sourceId, states, transitions, verification } from '../../shared/domain/verification.ts';
import {
  IdKeyUnusable,
  idsUnder,
  legacyVerificationIdOf,
  verificationIdOf,
} from '../../shared/domain/verification-id.ts';
import { idKey, idOf } from '../builders/deployment.ts';
import { anAwaitingVerification } from '../builders/verification.ts';

describe('the states', () => {
  it('have a record shape each', () => {
    expect(verification.options.map((option) => option.shape.state.value).sort()).toEqual([...states].sort());
  });

  it('are drawn in docs/state-machine.md: exactly these arrows', () => {
    const drawn = [...readFileSync('docs/state-machine.md', 'utf8').matchAll(/^ {4}(\w+) --> (\w+)/gm)]
      .map(([, from, to]) => `${from} → ${to}`)
      .filter((arrow) => !arrow.includes('[*]'));
    const table = states.flatMap((from) => transitions[from].map((to) => `${from} → ${to}`));
    expect(drawn.sort()).toEqual(table.sort());
  });

  it('let nothing leave a tombstone, and let everything become one', () => {
    expect(transitions.erased).toEqual([]);
    expect(states.filter((state) => state !== 'erased' && !transitions[state].some((to) => to === 'erased'))).toEqual(
      [],
    );
  });
});

describe('ids', () => {
  it('are the same from either side, and never the caller’s words', () => {
    const id = verificationIdOf(idKey, 'acme', 'u-42');
    expect(id).toBe(verificationIdOf(idKey, 'acme', 'u-42'));
    expect(id).toMatch(/^[a-z2-7]{26}$/);
    const others = [verificationIdOf(idKey, 'acme', 'u-43'), verificationIdOf(idKey, 'acm', 'eu-42')];
    expect(new Set([id, ...others]).size).toBe(3);
  });

  it('are base32 of HMAC-SHA-256(key, tenant ‖ 0 ‖ source_id), its first 26 characters', () => {
    // python3: base64.b32encode(hmac.digest(b'0123456789abcdef' * 4, b'acme\0u-42', 'sha256'))[:26].lower()
    expect(verificationIdOf('0123456789abcdef'.repeat(4), 'acme', 'u-42')).toBe('3waabaw3nfxmemfbsxfp4mgkrw');
  });

  it('cannot be made without the deployment’s key', () => {
    const id = verificationIdOf(idKey, 'acme', '491701234567');
    expect(id).not.toBe(verificationIdOf(`${idKey.slice(0, -1)}x`, 'acme', '491701234567'));
    expect(id).not.toBe(legacyVerificationIdOf('acme', '491701234567'));
  });

  it.each(['', ' ', 'short', `${idKey}\n`, `"${idKey}"`, `{"key":"${idKey}"}`])(
    'are refused under the key %j, never made with a plain hash instead',
    async (key) => {
      expect(() => verificationIdOf(key, 'acme', 'u-42')).toThrow(IdKeyUnusable);
      await expect(idsUnder(async () => key, { legacy: true }).of('acme', 'u-42')).rejects.toThrow(IdKeyUnusable);
    },
  );

  it('are refused where the key cannot be read, in the words of what failed', async () => {
    const ids = idsUnder(() => Promise.reject(new Error('no such secret')), { legacy: true });
    await expect(ids.of('acme', 'u-42')).rejects.toThrow('no such secret');
  });

  it('from before the key are base32 of SHA-256(tenant ‖ 0 ‖ source_id), where they are still looked for', () => {
    // python3: base64.b32encode(hashlib.sha256(b'acme\0u-42').digest())[:26].lower()
    expect(legacyVerificationIdOf('acme', 'u-42')).toBe('r6axta263tjo54nbtii4mntqyd');
    const key = async () => idKey;
    expect(idsUnder(key, { legacy: true }).legacyOf('acme', 'u-42')).toBe('r6axta263tjo54nbtii4mntqyd');
    expect(idsUnder(key, { legacy: false }).legacyOf('acme', 'u-42')).toBeUndefined();
  });

  it.each(['u-42', 'a', 'A.b_c:d-e', 'x'.repeat(128)])('takes %s as a source_id', (id) => {
    expect(sourceId.safeParse(id).success).toBe(true);
  });

  it.each(['', '.', '..', 'a b', 'a/b', 'ü', 'x'.repeat(129), 'a\n'])('refuses %j as a source_id', (id) => {
    expect(sourceId.safeParse(id).success).toBe(false);
  });
});

describe('capture keys', () => {
  const id = idOf('u-42');
  it('are read back as they were made', () => {
    expect(parseCaptureKey(captureKey(id, 2, 'id_card'))).toEqual({ verificationId: id, round: 2, name: 'id_card' });
    const video = { verificationId: id, round: 1, name: 'video' };
    expect(parseCaptureKey(captureKey(id, 1, 'video', 1))).toEqual(video);
    for (const challengeNumber of [2, 10, 480]) {
      expect(parseCaptureKey(captureKey(id, 1, 'video', challengeNumber))).toEqual({ ...video, challengeNumber });
    }
  });

  it.each([
    `captures/${id}/4/selfie`,
    `captures/${id}/1/passport`,
    `captures/${id}/1/selfie/x`,
    `captures/${id}/1/selfie-2`,
    `captures/${id}/1/video-1`,
    `captures/${id}/1/video-02`,
    `captures/${id}/1/video-`,
    'captures/../1/selfie',
    'x',
    '',
  ])('knows %s is not one', (key) => {
    expect(parseCaptureKey(key)).toBeUndefined();
  });
});

describe('magic bytes', () => {
  const box = (brand: string, ...compatible: string[]) => {
    const brands = compatible.join('');
    return [0, 0, 0, 16 + brands.length, ...Buffer.from(`ftyp${brand}\0\0\0\0${brands}`)];
  };
  it.each<[number[], ContentType | undefined]>([
    [[0xff, 0xd8, 0xff, 0xe0], 'image/jpeg'],
    [[0x89, ...Buffer.from('PNG\r\n\x1a\n')], 'image/png'],
    [[...Buffer.from('RIFF'), 0, 0, 0, 0, ...Buffer.from('WEBP')], 'image/webp'],
    [box('heic'), 'image/heic'],
    ...['mif1', 'msf1', 'heix', 'heim', 'heis', 'hevc', 'hevx'].map((brand): [number[], ContentType] => [
      box(brand),
      'image/heic',
    ]),
    [box('MiHE', 'mif1', 'heic'), 'image/heic'],
    [box('abcd', ...Array<string>(11).fill('miaf'), 'heic'), 'image/heic'],
    [box('abcd', ...Array<string>(12).fill('miaf'), 'heic'), 'video/mp4'],
    [[...box('isom'), ...Buffer.from('heic')], 'video/mp4'],
    [box('qt  ', 'heic'), 'video/quicktime'],
    [box('avif', 'mif1', 'miaf'), undefined],
    [[0, 0, 0, 40, ...Buffer.from('ftyp')], 'video/mp4'],
    [box('isom'), 'video/mp4'],
    [box('qt  '), 'video/quicktime'],
    [[0x1a, 0x45, 0xdf, 0xa3], 'video/webm'],
    [box('avif'), undefined],
    [[...Buffer.from('not a picture at all')], undefined],
    [[], undefined],
  ])('%j is %s', (bytes, type) => {
    expect(sniffContentType(Uint8Array.from(bytes))).toBe(type);
  });
});

describe('a client_token', () => {
  const id = idOf('u-42');
  const now = new Date('2026-01-01T00:00:00Z');
  const token = signClientToken('secret', { verificationId: id }, now.getTime() / 1000 + 60);

  it('names its verification until it expires', () => {
    expect(readClientToken('secret', token, now)).toEqual({ verificationId: id });
    expect(readClientToken('secret', token, new Date(now.getTime() + 60_000))).toBeUndefined();
  });

  it('is not one when forged, cut, for another secret or of another shape', () => {
    const [, other] = token.split('_');
    const forged = token.replace(other ?? '', idOf('u-43'));
    for (const one of [forged, token.slice(0, -1), `${token.slice(0, -1)}!`, 'ct_', '', 'bf_acme_x']) {
      expect(readClientToken('secret', one, now), one).toBeUndefined();
    }
    expect(readClientToken('another', token, now)).toBeUndefined();
  });

  it('has one text: no other last character and no other way to write its expiry is taken', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const [, , expiry = ''] = token.split('_');
    const spellings = [
      ...[...alphabet].map((last) => token.slice(0, -1) + last),
      ...['0', '00', '+', ' ', '0x'].map((before) => token.replace(`_${expiry}_`, `_${before}${expiry}_`)),
      token.replace(`_${expiry}_`, `_${expiry}.0_`),
      `${token}=`,
      `${token}\n`,
      token.toUpperCase(),
    ];
    expect(spellings.filter((spelling) => readClientToken('secret', spelling, now) !== undefined)).toEqual([token]);
  });
});

describe('the client_token of a device that the capture was handed over to', () => {
  const id = idOf('u-42');
  const now = new Date('2026-01-01T00:00:00Z');
  const expiresAt = now.getTime() / 1000 + 60;
  const first = signClientToken('secret', { verificationId: id }, expiresAt);
  const phone = signClientToken('secret', { verificationId: id, handOff: 2 }, expiresAt);

  it('names the hand-off', () => {
    expect(readClientToken('secret', phone, now)).toEqual({ verificationId: id, handOff: 2 });
  });

  it('is no other when its number is taken out, put in or changed', () => {
    const macOf = (token: string) => token.slice(-43);
    const head = `ct_${id}_${expiresAt}`;
    expect([first, phone]).toEqual([`${head}_${macOf(first)}`, `${head}_2_${macOf(phone)}`]);
    for (const forged of [
      `${head}_${macOf(phone)}`,
      ...['1', '3', '02', '', '-2', '2.0', '2_2'].map((number) => `${head}_${number}_${macOf(phone)}`),
      ...['1', '2', '0', ''].map((number) => `${head}_${number}_${macOf(first)}`),
    ]) {
      expect(readClientToken('secret', forged, now), forged).toBeUndefined();
    }
  });
});

describe('a challenge of ours', () => {
  it('is any six digits but one digit alone, each as likely as the others', () => {
    let limit = 0;
    newChallenge((given) => {
      limit = given;
      return 0;
    });
    expect(limit).toBe(999_990);
    let last = -1;
    for (let drawn = 0; drawn < limit; drawn += 1) {
      const digits = newChallenge(() => drawn);
      const value = Number(digits);
      // Each is greater than the one before: no two are the same.
      if (digits.length !== 6 || !(value > last) || value % 111_111 === 0) throw new Error(`${drawn} makes ${digits}`);
      last = value;
    }
    expect(last).toBe(999_998);
  });

  it('that asks for a turn draws each side and second equally likely', () => {
    const limits = new Set<number>();
    const turns = Array.from({ length: 8 }, (_, drawn) =>
      newTurn((limit) => {
        limits.add(limit);
        return drawn;
      }),
    );
    expect([...limits]).toEqual([8]);
    const all = ['left', 'right'].flatMap((side) => [2, 3, 4, 5].map((second) => ({ side, second })));
    expect(turns).toHaveLength(all.length);
    expect(turns).toEqual(expect.arrayContaining(all));
  });
});

describe('policies', () => {
  it('ask the built-in engine for everything by default', () => {
    expect(policy.parse(defaultPolicy)).toEqual(defaultPolicy);
    expect(Object.values(defaultPolicy.routes)).toEqual([['builtin'], ['builtin'], ['builtin']]);
  });

  it('make a plan of one check, with one provider where the request names one', () => {
    const thresholds = { builtin: { live: 0.6 }, spoofsense: { live: 0.7 } };
    expect(planFor({ ...defaultPolicy, thresholds }, 'spoof_detect')).toMatchObject({
      policyVersion: 1,
      route: ['builtin'],
      thresholds: { builtin: { live: 0.6 } },
    });
    expect(planFor({ ...defaultPolicy, thresholds }, 'spoof_detect', 'spoofsense').route).toEqual(['spoofsense']);
  });
});

describe('faults', () => {
  it('have a status and a title each, and retry only what may work later', () => {
    for (const code of faultCodes) {
      expect(faults[code].status, code).toBeGreaterThanOrEqual(400);
      expect(faults[code].retry, code).toBe(
        code === 'erasure_unfinished' || // the sweep goes on with it every minute
          (faults[code].status >= 502 && !/refused|unauthorized|credits|unreadable|overdue/.test(code)),
      );
    }
  });
});

describe('events', () => {
  it('carry nothing of the person, only where to look', () => {
    const record = anAwaitingVerification({ sequence: 3, metadata: { name: 'A. Person' } });
    const event = eventOf(record, record);
    expect(event).toMatchObject({ type: 'verification.recapture_requested', sequence: 3, source_id: 'visit-7' });
    expect(JSON.stringify(event)).not.toContain('Person');
    expect(event.previous_event_id).toBe(event.id.replace(/3$/, '2'));
  });
});

it('keeps a line of history under 400 bytes, whatever it says', () => {
  const longest = (options: readonly string[]) => options.toSorted((a, b) => b.length - a.length)[0];
  const entry = historyEntry.parse({
    at: '2026-01-01T00:00:00.000Z',
    sequence: 999_999,
    kind: 'noted',
    state: 'awaiting_captures',
    round: 3,
    code: longest(faultCodes),
    outcome: 'recapture',
    provider: 'p'.repeat(32),
    attempt: 999,
    digest: 'd'.repeat(43),
    hash: 'h'.repeat(43),
  });
  expect(Buffer.byteLength(JSON.stringify(entry))).toBeLessThanOrEqual(400);
});
