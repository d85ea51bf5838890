/** The cells of every row of the tables with exactly this header, trimmed; in the page's order. */
export function rowsUnder(page: string, header: string): string[][] {
  const tables = page.split(`${header}\n`).slice(1);
  if (tables.length === 0) throw new Error(`The page has no table with the header ${header}`);
  return tables.flatMap((table) => {
    const lines = table.split('\n');
    const end = lines.findIndex((line) => !line.startsWith('|'));
    return lines.slice(1, end).map(cellsOf); // the first line rules off the header
  });
}

function cellsOf(row: string): string[] {
  return row
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}

/** The text of a cell that is one word of code: `word`. */
export const codeIn = (cell = ''): string => cell.replace(/^`(.*)`$/, '$1');
