import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { rowsUnder } from './markdown.ts';

const directory = 'docs/decisions';
const read = (file: string) => readFileSync(`${directory}/${file}`, 'utf8');

const index = read('README.md');
const files = readdirSync(directory).filter((file) => file !== 'README.md');
const header = '| number | title | date | status |';
const rows = rowsUnder(index, header).map(([link = '', title, date, status]) => {
  const [, number, file = ''] = link.match(/^\[(\d{3})\]\((.+)\)$/) ?? [];
  return { number, file, title, date, status };
});
const [decisions = ''] = index.split('\n## Measurements');
const decided = rows.filter(({ file }) => decisions.includes(`(${file})`));

it('every file is in the index once, and every row of the index has its file', () => {
  expect(rows.map(({ file }) => file).toSorted()).toEqual(files.toSorted());
});

it.each(rows)('row $number of the index has the number and title of its file', ({ number, file, title }) => {
  expect(file.slice(0, 4)).toBe(`${number}-`);
  const [heading] = read(file).split('\n');
  expect([`# ${number} ${title}`, `# ${number}: ${title}`]).toContain(heading);
});

it.each(rows)('row $number of the index has a date and a status', ({ date, status }) => {
  expect(date).toMatch(/^\d{4}-\d{2}-\d{2}$/);
  expect(status).toMatch(/^(in force|withdrawn|replaced by \d{3})$/);
});

it.each(decided)('decision $number has the date and status of the index, and its alternatives', (row) => {
  const lines = read(row.file).split('\n');
  expect(lines.slice(1, 4)).toEqual(['', `- Date: ${row.date}`, `- Status: ${row.status}`]);
  const [, alternatives = ''] = read(row.file).split('\n## Alternatives\n');
  expect(alternatives).toMatch(/^\n- \*\*.+/);
});
