import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { buildSync } from 'esbuild';
import * as z from 'zod';
import { commandLine } from '../command-line.ts';

/*
 * npm run client: writes web/client/schema.ts, the types of docs/openapi.json, by openapi-typescript. That does not run on
 * TypeScript 7, so it is a package folder of its own, installed into build/client-types. With --pack it also builds
 * @bonafide/client, as npm would publish it.
 */

const root = path.join(import.meta.dirname, '../..');
const generatorSource = path.join(import.meta.dirname, 'client-types');
const generator = path.join(root, 'build/client-types');
const client = path.join(root, 'web/client');
const schemaFile = path.join(client, 'schema.ts');
const run = promisify(execFile);

const documented = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), z.looseObject({ tags: z.array(z.string()) }))),
  components: z.looseObject({ schemas: z.record(z.string(), z.unknown()) }),
});
type Documented = z.infer<typeof documented>;

/** What vendors call, and what answers in a vendor's words: no integrator calls these. */
const foreignTags = ['vendors', 'webhooks'];

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The two lines that tell whether the types are those of the document, and whether they were changed since. */
const header = (document: string, types: string) =>
  `// Written by npm run client: do not change it by hand.\n// docs/openapi.json ${sha256(document)}\n// below ${sha256(types)}\n`;

/** What is wrong with the generated types of this document, or undefined. */
export function staleness(document: string, schema: string): string | undefined {
  const [, ofDocument, ofTypes, types = ''] =
    /^\/\/ .*\n\/\/ docs\/openapi\.json (\w+)\n\/\/ below (\w+)\n([\s\S]*)$/.exec(schema) ?? [];
  if (ofDocument !== sha256(document)) return 'web/client/schema.ts is of another docs/openapi.json: npm run client';
  if (ofTypes !== sha256(types)) return 'web/client/schema.ts was changed by hand: npm run client';
  return undefined;
}

/** The document without the vendors' routes, and without the schemas that only they need. */
export function ofIntegrators(document: Documented): Documented {
  const paths = Object.fromEntries(
    Object.entries(document.paths)
      .map(([route, methods]): [string, Documented['paths'][string]] => [
        route,
        Object.fromEntries(
          Object.entries(methods).filter(([, { tags }]) => !tags.some((tag) => foreignTags.includes(tag))),
        ),
      ])
      .filter(([, methods]) => Object.keys(methods).length > 0),
  );
  const needed = new Set<string>();
  const follow = (part: unknown): void => {
    for (const [, name = ''] of JSON.stringify(part ?? {}).matchAll(/#\/components\/schemas\/(\w+)/g)) {
      if (needed.has(name)) continue;
      needed.add(name);
      follow(document.components.schemas[name]);
    }
  };
  follow([paths, document.webhooks]);
  const schemas = Object.entries(document.components.schemas).filter(([name]) => needed.has(name));
  return { ...document, paths, components: { ...document.components, schemas: Object.fromEntries(schemas) } };
}

/** Installs openapi-typescript by its lockfile, unless it is there. */
async function ensureGenerator(): Promise<void> {
  const lockfile = await readFile(path.join(generatorSource, 'package-lock.json'), 'utf8');
  const installed = await readFile(path.join(generator, 'installed'), 'utf8').catch(() => undefined);
  if (installed === sha256(lockfile)) return;
  await mkdir(generator, { recursive: true });
  for (const file of ['package.json', 'package-lock.json']) {
    await cp(path.join(generatorSource, file), path.join(generator, file));
  }
  await run('npm', ['ci', '--ignore-scripts'], { cwd: generator });
  await writeFile(path.join(generator, 'installed'), sha256(lockfile));
}

async function writeSchema(): Promise<void> {
  await ensureGenerator();
  const document = await readFile(path.join(root, 'docs/openapi.json'), 'utf8');
  const directory = await mkdtemp(path.join(tmpdir(), 'bonafide-client-'));
  try {
    const [from, to] = [path.join(directory, 'openapi.json'), path.join(directory, 'schema.ts')];
    await writeFile(from, JSON.stringify(ofIntegrators(documented.parse(JSON.parse(document)))));
    const program = path.join(generator, 'node_modules/openapi-typescript/bin/cli.js');
    await run(process.execPath, [program, from, '--default-non-nullable=false', '-o', to]);
    const types = openUnions(await readFile(to, 'utf8'));
    await writeFile(schemaFile, header(document, types) + types);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** TypeScript keeps the known values of `'passed' | string` only where the string is another type than `string`. */
function openUnions(types: string): string {
  const opened = types.replace(/^( +LaterText: string);$/m, '$1 & {};');
  if (opened === types) throw new Error('The types have no LaterText: see shared/domain/later.ts');
  return opened;
}

/** Builds the package into a folder of build/ and packs it; the path of the tarball. */
export async function packClient(): Promise<string> {
  const built = path.join(root, 'build/client');
  await rm(built, { recursive: true, force: true });
  await mkdir(built, { recursive: true });
  buildSync({
    entryPoints: [path.join(client, 'index.ts')],
    outfile: path.join(built, 'index.js'),
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    target: 'es2022',
    legalComments: 'inline',
    logLevel: 'warning',
  });
  const compiler = path.join(root, 'node_modules/typescript/bin/tsc');
  await run(process.execPath, [compiler, '-p', path.join(client, 'tsconfig.json'), '--outDir', built]);
  for (const file of ['index.d.ts', 'upload.d.ts', 'problems.d.ts', 'calls.d.ts']) {
    const declared = path.join(built, file);
    const text = await readFile(declared, 'utf8');
    await writeFile(declared, text.replaceAll(/(from '\.\/\w+|import\("\.\/\w+)\.ts/g, '$1.js'));
  }
  await cp(path.join(client, 'package.json'), path.join(built, 'package.json'));
  await cp(path.join(client, 'README.md'), path.join(built, 'README.md'));
  await cp(path.join(root, 'LICENSE'), path.join(built, 'LICENSE'));
  await cp(path.join(root, 'node_modules/openapi-fetch/LICENSE'), path.join(built, 'LICENSE-openapi-fetch'));
  const { stdout } = await run('npm', ['pack', '--json'], { cwd: built });
  const [packed] = z.array(z.looseObject({ filename: z.string() })).parse(JSON.parse(stdout));
  if (!packed) throw new Error('npm pack made nothing');
  return path.join(built, packed.filename);
}

if (import.meta.main) {
  const { values } = commandLine(
    `npm run client

Writes web/client/schema.ts, the types of docs/openapi.json.

  --pack    builds @bonafide/client besides and packs it into build/client`,
    { options: { pack: { type: 'boolean', default: false } } },
  );
  await writeSchema();
  console.log('Wrote web/client/schema.ts');
  if (values.pack) console.log(`Packed ${path.relative(process.cwd(), await packClient())}`);
}
