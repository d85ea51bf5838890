/** What a signing secret may have, in bytes; ours have 32. */
const shortest = 24;
const longest = 64;
export const ownSecretBytes = 32;

/** As Standard Webhooks writes a secret. */
export function secretText(secret: Uint8Array): string {
  return `whsec_${Buffer.from(secret).toString('base64')}`;
}

/** The bytes of a secret's text; undefined where it is not one: every secret has one text. */
export function readSecret(text: string): Buffer | undefined {
  const bytes = Buffer.from(text.slice('whsec_'.length), 'base64');
  return bytes.length >= shortest && bytes.length <= longest && secretText(bytes) === text ? bytes : undefined;
}
