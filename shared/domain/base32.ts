const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** The first bits of `bytes`, five to a letter: ids that are read aloud, and written in paths and queries, without a change. */
export function base32(bytes: Uint8Array, letters: number): string {
  const used = bytes.subarray(0, Math.ceil((letters * 5) / 8));
  const bits = used.reduce((all, byte) => (all << 8n) | BigInt(byte), 0n);
  const letterAt = (index: number) => Number((bits >> BigInt(used.length * 8 - 5 * (index + 1))) & 31n);
  return Array.from({ length: letters }, (_, index) => alphabet[letterAt(index)]).join('');
}
