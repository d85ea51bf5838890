import { readFile } from 'node:fs/promises';
import * as z from 'zod';

/** Rows of a CSV as records; no quoting, as the data sets need none. CRLF and a byte order mark are taken in stride. */
export function parseCsv(text: string): Record<string, string>[] {
  const [header, ...lines] = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const columns = (header ?? '').split(',').map((column) => column.trim());
  return lines
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const cells = line.split(',');
      return Object.fromEntries(columns.map((column, index) => [column, cells[index]?.trim() ?? '']));
    });
}

/** The rows of a file, or why there are none to be had. */
export async function readRows<Row>(file: string, row: z.ZodType<Row>): Promise<{ rows: Row[] } | { why: string }> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return { why: `there is no ${file}` };
  const rows = z.array(row).safeParse(parseCsv(text));
  if (!rows.success) return { why: `${file}: ${z.prettifyError(rows.error).split('\n').slice(0, 2).join(' ')}` };
  return { rows: rows.data };
}
