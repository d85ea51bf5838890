import type { ContentType } from '../../domain/captures.ts';

export interface Part {
  readonly field: string;
  readonly contentType: ContentType;
  readonly bytes: number;
  readonly stream: ReadableStream<Uint8Array>;
}

/**
 * A multipart body that is read from its captures while it is sent. Its length is known beforehand and declared: many
 * servers refuse a chunked upload. `boundary` must be nothing a capture could contain on purpose.
 */
export function multipart(
  fields: Readonly<Record<string, string>>,
  parts: readonly Part[],
  boundary: string,
): { headers: Record<string, string>; body: ReadableStream<Uint8Array> } {
  const encoder = new TextEncoder();
  const named = Object.entries(fields).map(
    ([name, value]) => `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const opening = encoder.encode(named.join(''));
  const sections = parts.map((part) => ({ part, head: encoder.encode(headOf(part, boundary)) }));
  const lineEnd = encoder.encode('\r\n');
  const closing = encoder.encode(`--${boundary}--\r\n`);

  async function* write(): AsyncGenerator<Uint8Array> {
    yield opening;
    for (const { part, head } of sections) {
      yield head;
      yield* part.stream;
      yield lineEnd;
    }
    yield closing;
  }

  const length = sections.reduce(
    (sum, { part, head }) => sum + head.length + part.bytes + lineEnd.length,
    opening.length + closing.length,
  );
  return {
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}`, 'content-length': String(length) },
    body: ReadableStream.from(write()),
  };
}

function headOf({ field, contentType }: Part, boundary: string): string {
  const file = `${field}.${contentType.slice(contentType.indexOf('/') + 1).replace('jpeg', 'jpg')}`;
  const disposition = `form-data; name="${field}"; filename="${file}"`;
  return `--${boundary}\r\ncontent-disposition: ${disposition}\r\ncontent-type: ${contentType}\r\n\r\n`;
}
