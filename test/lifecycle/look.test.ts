import { describe, expect, it } from 'vitest';
import type { Look } from '../../shared/domain/ports.ts';
import { lookSeconds } from '../../shared/domain/times.ts';
import type { Verification } from '../../shared/domain/verification.ts';
import { keptCaptures, lookAtCapture } from '../../shared/lifecycle/look.ts';
import { anAwaitingVerification, landedFor, start } from '../builders/verification.ts';

const ada = { id: 'o_0123456789ab', name: 'Ada', role: 'reviewer' } as const;
const record = anAwaitingVerification({
  check: 'photo_verify',
  sourceId: 'person-491701234567',
  round: 2,
  missing: ['id_card'],
  landed: { selfie: landedFor('photo_verify', 'v2').selfie },
  earlier: [{ round: 1, key: '1/selfie', versionId: 'v1-selfie', etag: 'e' }],
});

/** What was done, in its order. */
function looking({ gone = [] as readonly string[] } = {}) {
  const done: string[] = [];
  const rows: Look[] = [];
  return {
    done,
    rows,
    now: () => start,
    looks: {
      write: async (look: Look) => {
        rows.push(look);
        done.push('written');
      },
    },
    captures: {
      typeOf: async ({ versionId }: { versionId: string }) => (gone.includes(versionId) ? undefined : 'image/png'),
      link: async ({ versionId }: { versionId: string }, seconds: number) => {
        done.push('signed');
        return `https://bucket.example/${versionId}?for=${seconds}`;
      },
    },
  };
}

describe('a look', () => {
  it('is written down before the URL is signed, which works for a minute', async () => {
    const at = looking();
    const look = await lookAtCapture(record, ada, { capture: 'selfie' }, at);
    expect(at.done).toEqual(['written', 'signed']);
    expect(look).toEqual({
      url: `https://bucket.example/v2-selfie?for=${lookSeconds}`,
      expiresAt: new Date(start.getTime() + 60_000),
      contentType: 'image/png',
    });
  });

  it('that could not be written shows nothing', async () => {
    const at = looking();
    const failing = { ...at, looks: { write: async () => Promise.reject(new Error('throttled')) } };
    await expect(lookAtCapture(record, ada, { capture: 'selfie' }, failing)).rejects.toThrow('throttled');
    expect(at.done).toEqual([]);
  });

  it('says who, when and at what, by ids alone: nothing of the person, the caller or the operator’s name', async () => {
    const at = looking();
    await lookAtCapture(record, ada, { capture: 'selfie' }, at);
    const { verificationId, purgeAt } = record;
    const expected = {
      verificationId,
      at: start.toISOString(),
      operatorId: ada.id,
      capture: 'selfie',
      round: 2,
      purgeAt,
    };
    expect(at.rows).toEqual([expected]);
  });

  it('is at the pinned version of a round that is over, where that is asked for', async () => {
    const at = looking();
    const { url, contentType } = await lookAtCapture(record, ada, { capture: 'selfie', round: 1 }, at);
    expect([url, contentType, at.rows[0]?.round]).toEqual([expect.stringContaining('v1-selfie'), 'image/png', 1]);
  });

  it.each<[string, Verification, { capture: 'selfie' | 'id_card'; round?: number }, readonly string[]]>([
    ['did not land', record, { capture: 'id_card' }, []],
    ['is gone', record, { capture: 'selfie' }, ['v2-selfie']],
    ['is of no such round', record, { capture: 'selfie', round: 3 }, []],
    ['was erased', { ...record, state: 'erased' } as unknown as Verification, { capture: 'selfie' }, []],
  ])('at a capture that %s is refused, and leaves no row', async (_, of, asked, gone) => {
    const at = looking({ gone });
    await expect(lookAtCapture(of, ada, asked, at)).rejects.toMatchObject({ code: 'captures_gone' });
    expect(at.done).toEqual([]);
  });
});

describe('captures that are kept', () => {
  const versions = [
    { key: '2/selfie', versionId: 'v2-selfie', bytes: 900, storedAt: '2026-01-01T00:00:05.000Z' },
    { key: '2/selfie', versionId: 'a later upload', bytes: 700, storedAt: '2026-01-01T00:00:06.000Z' },
    { key: '1/selfie', versionId: 'v1-selfie', bytes: 800, storedAt: '2026-01-01T00:00:01.000Z' },
    { key: '1/selfie', versionId: 'a delete marker' },
  ];
  const captures = { stored: async () => ({ versions, more: false }) };

  it('are those that are pinned and still stored, with their sizes, the first round first', async () => {
    expect(await keptCaptures(record, { captures })).toEqual([
      { name: 'selfie', round: 1, contentType: undefined, bytes: 800, storedAt: '2026-01-01T00:00:01.000Z' },
      { name: 'selfie', round: 2, contentType: 'image/jpeg', bytes: 900, storedAt: '2026-01-01T00:00:05.000Z' },
    ]);
  });

  it('are none of an erased verification, which is not looked for', async () => {
    const erased = { ...record, state: 'erased' } as unknown as Verification;
    const never = { stored: async () => Promise.reject(new Error('looked')) };
    expect(await keptCaptures(erased, { captures: never })).toEqual([]);
  });
});
