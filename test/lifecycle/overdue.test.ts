import { describe, expect, it } from 'vitest';
import { sweepVerifications } from '../../shared/lifecycle/overdue.ts';
import { setup } from '../builders/setup.ts';
import { anAwaitingVerification } from '../builders/verification.ts';

const record = anAwaitingVerification();

describe('the sweep', () => {
  it('does not let one bad record stand in another’s way', async () => {
    const at = setup();
    await at.verifications.create(record);
    await at.verifications.create(anAwaitingVerification({ sourceId: 'visit-8' }));
    at.advance(7200);
    const find = async (id: string) => {
      if (id === record.verificationId) throw new Error('throttled');
      return at.verifications.find(id);
    };
    expect(await sweepVerifications({ ...at, verifications: { ...at.verifications, find } })).toEqual({
      swept: 1,
      failed: 1,
    });
    expect(at.logged).toEqual(['sweep.failed']);
  });

  it('leaves alone what is not due, or no longer', async () => {
    const at = setup();
    await at.verifications.create(record);
    expect(await sweepVerifications(at)).toEqual({ swept: 0, failed: 0 });
    expect(at.sent).toEqual([]);
  });

  it('looks at a bounded number, whatever has piled up', async () => {
    const at = setup();
    for (let one = 0; one < 400; one += 1)
      await at.verifications.create(anAwaitingVerification({ sourceId: `s-${one}` }));
    at.advance(7200);
    const { swept } = await sweepVerifications(at);
    expect(swept).toBe(100); // 4 shards × 25
  });
});
