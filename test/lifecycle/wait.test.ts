import { describe, expect, it } from 'vitest';
import { waitForRest } from '../../shared/lifecycle/wait.ts';
import { setup } from '../builders/setup.ts';
import { anAwaitingVerification } from '../builders/verification.ts';

const record = anAwaitingVerification();

describe('waiting', () => {
  it('answers at once when the record rests, else as it is when the time is over', async () => {
    const at = setup();
    await at.verifications.create(record);
    let slept = 0;
    const sleep = async (milliseconds: number) => {
      slept += milliseconds;
      at.advance(milliseconds / 1000);
      if (slept > 2000 && (await at.verifications.find(record.verificationId))?.state === 'awaiting_captures') {
        await at.verifications.move(record, 'expired', {});
      }
    };
    expect((await waitForRest(record, 1, { ...at, sleep, maximumWaitSeconds: 20 })).state).toBe('awaiting_captures');
    expect(slept).toBeGreaterThanOrEqual(1000);
    const rested = await waitForRest(record, 20, { ...at, sleep, maximumWaitSeconds: 20 });
    expect(rested.state).toBe('expired');
    expect(slept).toBeLessThan(5000);
    slept = 0;
    await waitForRest(rested, 20, { ...at, sleep, maximumWaitSeconds: 20 });
    expect(slept).toBe(0);
  });

  it('keeps no caller longer than the deployment lets it, whatever was asked for', async () => {
    const at = setup();
    await at.verifications.create(record);
    let slept = 0;
    const sleep = async (milliseconds: number) => {
      slept += milliseconds;
      at.advance(milliseconds / 1000);
    };
    const read = await waitForRest(record, 20, { ...at, sleep, maximumWaitSeconds: 10 });
    expect([read.state, Math.round(slept / 10)]).toEqual(['awaiting_captures', 1000]);
  });
});
