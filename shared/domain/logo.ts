import { createHash } from 'node:crypto';

/** The page loads it before anything else is shown, and a row of the table holds 400 kB at the most. */
export const maximumLogoBytes = 32 * 1024;

const pngSignature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** Why these bytes are no logo, or undefined where they are one: by what they are, not by what the file is called. */
export function logoMistake(bytes: Uint8Array): string | undefined {
  if (bytes.length > maximumLogoBytes) return `has ${bytes.length} bytes: a logo has at most ${maximumLogoBytes}`;
  const head = Buffer.from(bytes.subarray(0, 16));
  const isPng = pngSignature.equals(head.subarray(0, 8)) && head.toString('latin1', 12) === 'IHDR';
  return isPng ? undefined : 'is not a PNG';
}

/** What a policy and an address call a logo: SHA-256 of its bytes, as hex. */
export function logoHashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
