import { magicBytes, maximumBytesOf, sniffContentType, typesOf } from '../../shared/domain/capture-files.ts';
import type { CaptureName } from '../../shared/domain/captures.ts';
import { isBlack, sampleOf } from './picture.ts';
import type { Shot, Trouble } from './states.ts';

/** A chosen file as a capture, or what is wrong with it: told before anything is sent. */
export async function shotOfFile(name: CaptureName, file: Blob, digits?: string): Promise<Shot | Trouble> {
  const bytes = new Uint8Array(
    await file
      .slice(0, magicBytes)
      .arrayBuffer()
      .catch(() => new ArrayBuffer(0)),
  );
  const contentType = sniffContentType(bytes);
  const wrong = troubleOfFile(name, bytes, file.size);
  if (wrong || !contentType) return wrong ?? 'file_type';
  if (name !== 'video') {
    const sample = await sampleOf(file);
    // No browser but Safari opens HEIC, and the backend does: what cannot be opened here is said of other types alone.
    if (!sample && contentType !== 'image/heic') return 'file_unreadable';
    if (sample && isBlack(sample)) return 'black';
  }
  return { name, blob: file.slice(0, file.size, contentType), contentType, digits };
}

/** What first bytes and size tell. */
export function troubleOfFile(name: CaptureName, bytes: Uint8Array, size: number): Trouble | undefined {
  if (bytes.length === 0) return 'file_unreadable';
  if (String.fromCharCode(...bytes.subarray(0, 5)) === '%PDF-') return 'file_is_pdf';
  const contentType = sniffContentType(bytes);
  if (!contentType || !typesOf[name].includes(contentType)) return 'file_type';
  return size > maximumBytesOf[name] ? 'file_too_large' : undefined;
}
