import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const page = readFileSync('docs/integrate.md', 'utf8');

/** Every whole file that docs/integrate.md shows, by its name: `express/server.mjs`. */
export const programs: ReadonlyMap<string, string> = new Map(
  [...page.matchAll(/^\*\*(\S+)\*\*\n\n```\w+\n([\s\S]*?)^```$/gm)].map(([, file = '', text = '']) => [file, text]),
);

export function program(file: string): string {
  const text = programs.get(file);
  if (text === undefined) throw new Error(`docs/integrate.md shows no file ${file}`);
  return text;
}

/** Writes these files of the page, each to its place in a directory. */
export function layOut(directory: string, files: Readonly<Record<string, string>>): void {
  for (const [place, file] of Object.entries(files)) {
    const target = join(directory, place);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, program(file));
  }
}

/** The browser page's three files, as every backend serves them. */
export const webFiles = (place: string) => ({
  [`${place}/verify.html`]: 'web/verify.html',
  [`${place}/verify.js`]: 'web/verify.js',
  [`${place}/captures.js`]: 'web/captures.js',
});

/** Lets programs in a directory elsewhere import what this project has installed. */
export const borrowPackages = (directory: string) =>
  symlinkSync(resolve('node_modules'), join(directory, 'node_modules'));
