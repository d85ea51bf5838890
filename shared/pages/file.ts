import { type Built, type BuiltFile, type Encoding, endingOf } from './built.ts';
import { fileHeaders } from './headers.ts';

/** What of a request decides how a file is sent. */
interface Asked {
  readonly 'accept-encoding'?: string | undefined;
  readonly 'if-none-match'?: string | undefined;
}

export interface FileReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** What a hash names stays what it is. */
export const forever = 'public, max-age=31536000, immutable';
/** An integrator's page asks again so soon after a deployment. */
const shortly = 'public, max-age=300';

const plain = (status: number, text: string): FileReply => ({
  status,
  headers: { ...fileHeaders, 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', ...varies },
  body: text,
});
export const notFound = (text: string): FileReply => plain(404, text);
const varies = { vary: 'accept-encoding' } as const;

/** A built file in the smallest form that the browser takes, read when it is asked for: it is up to 3 MB large. */
export async function fileReply(
  name: string,
  headers: Asked,
  built: Pick<Built, 'files'>,
  read: (name: string) => Promise<Uint8Array>,
): Promise<FileReply> {
  const file = Object.hasOwn(built.files, name) ? built.files[name] : undefined;
  if (!file)
    return notFound('There is no such file. A page that was loaded before a deployment is to be loaded again.');
  const taken = encodingFor(file, headers['accept-encoding'] ?? '');
  if (!taken) return plain(406, `This file is sent compressed alone: accept ${Object.keys(file.bytes).join(' or ')}.`);
  const etag = `"${file.hash}-${taken}"`;
  const shared = { ...fileHeaders, ...varies, etag, 'cache-control': forever };
  if (headers['if-none-match'] === etag) return { status: 304, headers: shared, body: '' };
  return {
    status: 200,
    headers: {
      ...shared,
      'content-type': file.type,
      ...(taken !== 'identity' && { 'content-encoding': taken }),
    },
    body: await read(`${name}${endingOf[taken]}`),
  };
}

/** The element under a name that stays: it imports the file whose name holds its hash. */
export function elementReply({ element }: Pick<Built, 'element'>): FileReply {
  const from = JSON.stringify(`./assets/${element.script}`);
  return {
    status: 200,
    headers: { ...fileHeaders, 'content-type': 'text/javascript; charset=utf-8', 'cache-control': shortly },
    body: `export * from ${from};\n`,
  };
}

/** The smallest of those that the header allows. A header that names neither forbids nothing but what it cannot know. */
function encodingFor(file: BuiltFile, header: string): Encoding | undefined {
  const weights = new Map(
    header
      .toLowerCase()
      .split(',')
      .map((part) => {
        const [name = '', ...parameters] = part.split(';').map((text) => text.trim());
        const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
        return [name, weight === undefined ? 1 : Number(weight)] as const;
      }),
  );
  const allowed = (name: Encoding) => (weights.get(name) ?? weights.get('*') ?? (name === 'identity' ? 1 : 0)) > 0;
  return (['br', 'gzip', 'identity'] as const).find((name) => file.bytes[name] !== undefined && allowed(name));
}
