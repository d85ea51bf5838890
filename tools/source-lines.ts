import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { text } from 'node:stream/consumers';
import { bundleFunction, projectRoot } from '../infra/bundle.ts';
import { commandLine, misused } from './command-line.ts';

const usage = `npm run source-lines -- FOLDER < log

Puts the lines of sources into the stack traces of a deployed function, which name places of its bundle. FOLDER is the
folder of functions/ it is made of, like read-verification. Check out the commit that was deployed, and run npm ci, first:
the bundle is made again, and is the same only then.`;

const { positionals } = commandLine(usage, { allowPositionals: true, options: {} });
const [folder, ...others] = positionals;
if (folder === undefined || others.length > 0) misused(usage, 'Name one folder of functions/.');

const directory = mkdtempSync(join(tmpdir(), 'bonafide-source-lines-'));
try {
  bundleFunction(folder, directory, { sourceMaps: true });
  const map = new SourceMap(JSON.parse(readFileSync(join(directory, 'index.mjs.map'), 'utf8')));
  const log = await text(process.stdin);
  console.log(
    log.trimEnd().replace(/[^\s("]*index\.mjs:(\d+):(\d+)/g, (place, line, column) => {
      const origin = map.findOrigin(Number(line), Number(column));
      if (!('fileName' in origin) || origin.fileName === undefined) return place;
      return `${relative(projectRoot, join(directory, origin.fileName))}:${origin.lineNumber}:${origin.columnNumber}`;
    }),
  );
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
