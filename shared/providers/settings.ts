import * as z from 'zod';

/**
 * An object with these keys and no others. Misspelt, a setting would change nothing and the captures would go to the
 * default address: so an unknown key is refused, naming the one that was meant or those there are.
 */
export function exactly<Shape extends z.ZodRawShape>(shape: Shape) {
  const known = Object.keys(shape);
  const hintFor = (key: string): string => {
    const meant = known.find((name) => plain(name) === plain(key));
    if (meant) return `"${key}" is not known: write "${meant}"`;
    return `"${key}" is not known: write ${known.join(', ') || 'nothing'}`;
  };
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? issue.keys.map(hintFor).join('; ') : undefined),
  });
}

/** `base_url`, `BASE-URL` and `baseUrl` are spellings of one name. */
const plain = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

/** What is wrong, by field and in words, never by value: values may be secrets. `within` is where the fields are. */
export function mistakesOf({ error }: z.ZodSafeParseResult<unknown>, within = ''): string[] {
  return (error?.issues ?? []).map(({ path, message }) =>
    [[within, ...path].filter((part) => part !== '').join('.'), message].filter(Boolean).join(': '),
  );
}
