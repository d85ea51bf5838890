/** Whether a WebM is whole: mediabunny reads one that was cut off as a shorter one. */

/** Elements of EBML and Matroska by their ids, length marker included (RFC 9559). */
const ids = { segment: 0x18538067, cluster: 0x1f43b675 } as const;
/** What a cluster of unknown length contains; anything else ends it. */
const inCluster: ReadonlySet<number> = new Set([0xe7, 0xa3, 0xa0, 0xa7, 0xab, 0x5854, 0xaf, 0xec, 0xbf]);

interface Element {
  readonly id: number;
  readonly content: number;
  /** Undefined: unknown, as live recorders write it. */
  readonly length: number | undefined;
}

/** Whether the file ends within an element that says how long it is. */
export function endsInTheMiddle(file: Uint8Array): boolean {
  let within: 'file' | 'segment' | 'cluster' = 'file';
  for (let at = 0; at < file.length; ) {
    const element = elementAt(file, at);
    if (!element) return isCutHeader(file, at);
    const { id, content, length } = element;
    if (length !== undefined && content + length > file.length) return true;
    if (id === ids.segment) within = 'segment';
    else if (id === ids.cluster && length === undefined) within = 'cluster';
    else if (within === 'cluster' && !inCluster.has(id)) within = 'segment';
    const entered = id === ids.segment || length === undefined;
    at = entered ? content : content + length;
  }
  return false;
}

/** The last bytes of a file may be the beginning of an element, or nothing at all. */
const isCutHeader = (file: Uint8Array, at: number): boolean => file.length - at < 12 && file[at] !== 0;

function elementAt(file: Uint8Array, at: number): Element | undefined {
  const idBytes = bytesOfNumber(file[at]);
  const lengthBytes = bytesOfNumber(file[at + idBytes]);
  const content = at + idBytes + lengthBytes;
  if (idBytes > 4 || lengthBytes > 8 || content > file.length) return undefined;
  const id = numberAt(file, at, idBytes, 0xff);
  const length = numberAt(file, at + idBytes, lengthBytes, 0xff >> lengthBytes);
  return { id, content, length: length >= 2 ** (7 * lengthBytes) - 1 ? undefined : length };
}

/** By the leading zeros of its first byte; 9 for none. */
const bytesOfNumber = (first = 0): number => Math.clz32(first) - 23;

function numberAt(file: Uint8Array, at: number, bytes: number, ofFirst: number): number {
  let value = (file[at] ?? 0) & ofFirst;
  for (let index = 1; index < bytes; index += 1) value = value * 256 + (file[at + index] ?? 0);
  return value;
}
