/** A Huffman table of a JPEG, both ways: `length:code` to symbol, symbol to its code. */
interface Table {
  readonly symbols: Map<string, number>;
  readonly codes: Map<number, { code: number; length: number }>;
}

/**
 * A baseline JPEG with a restart marker after every `interval` blocks of each component, as some cameras write them and
 * sharp does not. The picture is the same: only the first DC value of each part is written anew, from zero.
 */
export function withRestarts(jpeg: Uint8Array, interval: number): Buffer {
  const bytes = Buffer.from(jpeg);
  const tables = new Map<number, Table>();
  let blocks = 0;
  let components = 0;
  let at = 2;
  for (; bytes[at + 1] !== 0xda; at += 2 + bytes.readUInt16BE(at + 2)) {
    const segment = bytes.subarray(at + 4, at + 2 + bytes.readUInt16BE(at + 2));
    if (bytes[at + 1] === 0xc4) readTables(segment, tables);
    if (bytes[at + 1] !== 0xc0) continue;
    components = segment[5] ?? 0;
    if ([7, 10, 13].some((sampling) => segment[sampling] !== 0x11)) throw new Error('4:4:4 only');
    blocks = Math.ceil(segment.readUInt16BE(1) / 8) * Math.ceil(segment.readUInt16BE(3) / 8);
  }
  const scan = at + 2 + bytes.readUInt16BE(at + 2);
  const selectors = Array.from({ length: components }, (_, index) => bytes[at + 6 + 2 * index] ?? 0);
  const source = bitsFrom(bytes, scan);
  const target = bitsTo();
  const read = new Array<number>(components).fill(0);
  const written = new Array<number>(components).fill(0);

  for (let block = 0; block < blocks; block += 1) {
    if (block > 0 && block % interval === 0) {
      target.mark(0xd0 + ((block / interval - 1) % 8));
      written.fill(0);
    }
    for (const [component, selector] of selectors.entries()) {
      const [dc, ac] = [tables.get(selector >> 4), tables.get(0x10 | (selector & 15))];
      if (!dc || !ac) throw new Error('a table is missing');
      const size = source.symbol(dc);
      const value = (read[component] ?? 0) + signed(source.read(size), size);
      writeDifference(value - (written[component] ?? 0), dc, target);
      read[component] = value;
      written[component] = value;
      copyCoefficients(ac, source, target);
    }
  }
  target.mark(0xd9);
  const restartInterval = Buffer.from([0xff, 0xdd, 0, 4, interval >> 8, interval & 255]);
  return Buffer.concat([bytes.subarray(0, at), restartInterval, bytes.subarray(at, scan), target.bytes()]);
}

function copyCoefficients(table: Table, source: ReturnType<typeof bitsFrom>, target: ReturnType<typeof bitsTo>): void {
  for (let index = 1; index < 64; ) {
    const symbol = source.symbol(table);
    const size = symbol & 15;
    target.symbol(symbol, table);
    target.write(source.read(size), size);
    if (symbol === 0) return;
    index += (symbol >> 4) + 1;
  }
}

function writeDifference(difference: number, table: Table, target: ReturnType<typeof bitsTo>): void {
  const size = 32 - Math.clz32(Math.abs(difference));
  target.symbol(size, table);
  target.write(difference < 0 ? difference + 2 ** size - 1 : difference, size);
}

const signed = (bits: number, size: number): number =>
  size > 0 && bits < 2 ** (size - 1) ? bits - 2 ** size + 1 : bits;

function readTables(segment: Buffer, tables: Map<number, Table>): void {
  for (let at = 0; at < segment.length; ) {
    const table: Table = { symbols: new Map(), codes: new Map() };
    tables.set(segment[at] ?? 0, table);
    let symbolAt = at + 17;
    let code = 0;
    for (let length = 1; length <= 16; length += 1) {
      for (let left = segment[at + length] ?? 0; left > 0; left -= 1) {
        const symbol = segment[symbolAt] ?? 0;
        table.symbols.set(`${length}:${code}`, symbol);
        table.codes.set(symbol, { code, length });
        code += 1;
        symbolAt += 1;
      }
      code *= 2;
    }
    at = symbolAt;
  }
}

/** Entropy-coded data, read bit by bit, without the zeros stuffed behind 0xff. */
function bitsFrom(bytes: Uint8Array, start: number) {
  let at = start;
  let bit = 0;
  const one = () => {
    const byte = bytes[at] ?? 0;
    const value = (byte >> (7 - bit)) & 1;
    bit = (bit + 1) % 8;
    if (bit === 0) at += byte === 0xff ? 2 : 1;
    return value;
  };
  const read = (count: number) => Array.from({ length: count }, one).reduce((value, next) => value * 2 + next, 0);
  const symbol = ({ symbols }: Table): number => {
    let code = 0;
    for (let length = 1; length <= 16; length += 1) {
      code = code * 2 + one();
      const found = symbols.get(`${length}:${code}`);
      if (found !== undefined) return found;
    }
    throw new Error('no such code');
  };
  return { read, symbol };
}

function bitsTo() {
  const bytes: number[] = [];
  let held = 0;
  let count = 0;
  const write = (value: number, length: number) => {
    for (let bit = length - 1; bit >= 0; bit -= 1) {
      held = held * 2 + ((value >> bit) & 1);
      count += 1;
      if (count < 8) continue;
      bytes.push(held);
      if (held === 0xff) bytes.push(0);
      held = 0;
      count = 0;
    }
  };
  return {
    write,
    symbol: (symbol: number, { codes }: Table) => {
      const found = codes.get(symbol);
      if (!found) throw new Error(`no code for ${symbol}`);
      write(found.code, found.length);
    },
    mark: (marker: number) => {
      if (count > 0) write(0xff, 8 - count);
      bytes.push(0xff, marker);
    },
    bytes: () => Buffer.from(bytes),
  };
}
