import { describe, expect, it } from 'vitest';
import { readCursor, writeCursor } from '../../shared/api/cursor.ts';
import { listQuery } from '../../shared/api/verifications.ts';
import { anAwaitingVerification } from '../builders/verification.ts';

const record = anAwaitingVerification();

describe('cursors', () => {
  it('come back as they were given, and nothing else is one', () => {
    const start = { verificationId: record.verificationId, createdAt: record.createdAt };
    expect(readCursor(writeCursor(start))).toEqual(start);
    for (const wrong of ['x', '', Buffer.from('["a","b"]').toString('base64url'), 'e30']) {
      expect(readCursor(wrong)).toBeUndefined();
      expect(listQuery.safeParse({ state: 'decided', cursor: wrong }).error?.issues[0]?.message).toContain(
        'next_cursor',
      );
    }
  });
});
