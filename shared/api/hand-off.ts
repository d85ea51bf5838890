import * as z from 'zod';
import { isoOf } from '../domain/times.ts';
import { tenantId } from '../domain/verification.ts';
import type { Offered } from '../lifecycle/hand-off.ts';
import { captureUrlOf } from './verifications.ts';

/** Answer of `POST …/hand-off`. */
export const handOffView = z.object({
  hand_off_url: z.url().describe('For a QR code: it has a code in its fragment that another device may claim once'),
  expires_at: z.string().describe('Until when the code may be claimed'),
});

/** Body of `POST …/hand-off/claim`. */
export const claimRequest = z.strictObject({
  tenant: tenantId.describe('As `hand_off_url` names it'),
  code: z.string().min(1).max(100).describe('What stands behind `#h_` in `hand_off_url`'),
});

/** Answer of `POST …/hand-off/claim`. */
export const claimedView = z.object({
  client_token: z.string().describe('Of the device that has claimed it: valid until the capture is taken back'),
});

export function viewHandOff({ record, code, expiresAt }: Offered, origin: string): z.infer<typeof handOffView> {
  return { hand_off_url: `${captureUrlOf(record, origin)}#h_${code}`, expires_at: isoOf(expiresAt) };
}
