import { type CaptureName, type ContentType, magicBytes, sniffContentType } from '../domain/captures.ts';
import { Fault } from '../domain/fault.ts';
import { type Reason, recaptureFor } from '../domain/verdict.ts';
import type { Answer, Capabilities, Submission } from './provider.ts';

/** A capture this provider can be sent; or the answer that the person should make another one. */
export type Ready<Opened> = { kind: 'ready'; contentType: ContentType } & Opened;
type Unusable = { kind: 'unusable'; answer: Answer };

/** The bytes of a capture, if the provider takes that many of that type. */
export async function openFor(
  { name: provider, accepts, maximumBytes }: Capabilities,
  submission: Submission,
  name: CaptureName,
): Promise<Ready<{ bytes: Uint8Array }> | Unusable> {
  const limitBytes = maximumBytes[name] ?? Number.POSITIVE_INFINITY;
  const landedBytes = submission.captures[name]?.bytes ?? 0;
  if (landedBytes > limitBytes) return tooLarge(landedBytes);
  const opened = await submission.openCapture(name);
  if (opened.kind === 'too_large') return tooLarge(opened.bytes);
  const { bytes } = opened;
  if (bytes.length > limitBytes) return tooLarge(bytes.length);
  const contentType = sniffContentType(bytes);
  if (!contentType) return unusable('capture_unreadable');
  refuseUnaccepted(provider, accepts[name], contentType);
  return { kind: 'ready', bytes, contentType };
}

/** The same as a stream of which no more than the beginning has been read. Who gets it reads or cancels it. */
export async function streamFor(
  { name: provider, accepts, maximumBytes }: Capabilities,
  submission: Submission,
  name: CaptureName,
): Promise<Ready<{ bytes: number; stream: ReadableStream<Uint8Array> }> | Unusable> {
  const streamed = await submission.streamCapture(name);
  if (streamed.kind === 'too_large') return tooLarge(streamed.bytes);
  if (streamed.bytes > (maximumBytes[name] ?? Number.POSITIVE_INFINITY)) {
    await streamed.stream.cancel().catch(() => undefined);
    return tooLarge(streamed.bytes);
  }
  const { head, stream } = await peek(streamed.stream);
  try {
    const contentType = sniffContentType(head);
    if (contentType) {
      refuseUnaccepted(provider, accepts[name], contentType);
      return { kind: 'ready', bytes: streamed.bytes, stream, contentType };
    }
  } catch (error) {
    await stream.cancel().catch(() => undefined);
    throw error;
  }
  await stream.cancel().catch(() => undefined);
  return unusable('capture_unreadable');
}

function refuseUnaccepted(provider: string, accepted: readonly ContentType[] = [], contentType: ContentType): void {
  if (accepted.includes(contentType)) return;
  throw new Fault('capture_type_unsupported', `${provider} takes no ${contentType}.`);
}

function unusable(reason: Reason): Unusable {
  return { kind: 'unusable', answer: { kind: 'decided', finding: recaptureFor(reason) } };
}

function tooLarge(bytes: number): Unusable {
  const { answer } = unusable('capture_too_large');
  if (answer.kind !== 'decided' || !Number.isFinite(bytes)) return { kind: 'unusable', answer };
  return { kind: 'unusable', answer: { ...answer, measurements: { capture_bytes: bytes } } };
}

/** The first bytes, and a stream that still begins with them. */
async function peek(
  source: ReadableStream<Uint8Array>,
): Promise<{ head: Uint8Array; stream: ReadableStream<Uint8Array> }> {
  const reader = source.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  while (length < magicBytes) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    length += value.length;
  }
  const head = Buffer.concat(chunks);
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => {
      if (head.length > 0) controller.enqueue(head);
    },
    pull: async (controller) => {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return { head, stream };
}
