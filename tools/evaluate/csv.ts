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
