import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

type Programs = ReadonlyMap<string, string>;

/** Every whole file that a page shows, by its name: `express/server.mjs`. */
export function programsOf(page: string): Programs {
  const shown = readFileSync(page, 'utf8').matchAll(/^\*\*(\S+)\*\*\n\n```\w+\n([\s\S]*?)^```$/gm);
  return new Map([...shown].map(([, file = '', text = '']) => [file, text]));
}

/** Those of docs/integrate.md. */
export const programs = programsOf('docs/integrate.md');
/** Those of docs/receive-webhooks.md. */
export const receiverPrograms = programsOf('docs/receive-webhooks.md');

export function program(file: string, from: Programs = programs): string {
  const text = from.get(file);
  if (text === undefined) throw new Error(`The page shows no file ${file}`);
  return text;
}

/** Writes these files of a page, each to its place in a directory. */
export function layOut(directory: string, files: Readonly<Record<string, string>>, from: Programs = programs): void {
  for (const [place, file] of Object.entries(files)) {
    const target = join(directory, place);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, program(file, from));
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
