/**
 * A secret that signs. Replacing it kills nothing under way: what the value before has signed is taken until the next
 * replacement.
 */
export interface SigningSecret {
  /** The value that signs. It may be as old as a function's cache. */
  readonly current: () => Promise<string>;
  /** Every value that may have signed what is taken now, as they are kept: the current one and the one before. */
  readonly valid: () => Promise<readonly string[]>;
}

/**
 * What `read` finds under the current value, else under every other valid one: the text may be from before the last
 * replacement, or from a function that knows of one this function has not seen.
 */
export async function readSigned<T>(
  secret: SigningSecret,
  read: (value: string) => T | undefined,
): Promise<T | undefined> {
  const found = read(await secret.current());
  if (found !== undefined) return found;
  const others = (await secret.valid()).map(read);
  return others.find((other) => other !== undefined);
}
