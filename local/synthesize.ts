import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { root, runScript } from './run-script.ts';

/** All that a stack is made of. */
const sources = [
  ...['infra', 'functions', 'shared', 'engine', 'web', 'package-lock.json', 'cdk.json'],
  path.join('build/engine', process.arch, '.ready'),
];
/** CDK context, as `-c key=value` gives it. */
export type Context = Readonly<Record<string, unknown>>;

const settings = z.object({ context: z.object({ models: z.string().optional() }).optional() });

/**
 * Runs the CDK app for this machine's processor, and before it what the engine needs. In processes of their own:
 * neither CDK nor the bundler is needed once they have written. What was written from the same sources is left alone.
 */
export async function synthesize(outputDirectory: string, given: Context = {}): Promise<void> {
  const context = localContext(given);
  // Done already, this is a look at one file; after a fresh `npm ci` it copies what is in node_modules.
  await runScript('tools/release/engine-assets.ts', ['--arch', process.arch]);
  const keyFile = keyFileOf(outputDirectory);
  const key = sourcesKey(root, context);
  if (existsSync(keyFile) && readFileSync(keyFile, 'utf8') === key) return;
  rmSync(outputDirectory, { recursive: true, force: true });
  await runScript('infra/app.ts', [], {
    CDK_OUTDIR: outputDirectory,
    CDK_CONTEXT_JSON: JSON.stringify(context),
    CDK_VALIDATION: 'false', // by CloudFormation's rules, two thirds of the time: `npm run synth` and deployments do that
  });
  writeFileSync(keyFile, key); // last: half a synthesis has no key
}

const keyFileOf = (outputDirectory: string) => path.join(outputDirectory, '.made-from');

/** Something in it has been changed: the next start makes it anew. */
export function spoilSynthesis(outputDirectory: string): void {
  rmSync(keyFileOf(outputDirectory), { force: true });
}

/**
 * What is asked for, on this machine, with an origin: without any a template would have no CORS rules to go by.
 * `awsLimits` is no choice of a deployment: the local API reads it.
 */
export function localContext({ allowedOrigins = [], awsLimits: _, ...context }: Context): Context {
  const asked = Array.isArray(allowedOrigins) ? allowedOrigins : String(allowedOrigins).split(',');
  return {
    ...context,
    allowedOrigins: ['http://localhost', ...asked],
    architecture: process.arch,
    local: true,
  };
}

/** The origins of ALLOWED_ORIGINS, a comma-separated list. */
export function originsOf(list: string): string[] {
  const origins = list
    .split(',')
    .map((origin) => origin.trim())
    .filter(Boolean);
  const wrong = origins.find((origin) => origin !== '*' && URL.parse(origin)?.origin !== origin);
  if (wrong === undefined) return origins;
  throw new Error(`ALLOWED_ORIGINS must be origins like https://app.example.com, not ${wrong}`);
}

/** Differs when any of the files does, in place, name or content, or the context. */
export function sourcesKey(under = root, given: Context = {}): string {
  const hash = createHash('sha256').update(process.arch).update(JSON.stringify(given));
  const { context } = settings.parse(JSON.parse(readFileSync(path.join(under, 'cdk.json'), 'utf8')));
  const models = given.models ?? context?.models;
  const files = [...sources, ...(models ? [String(models)] : [])].flatMap((source) => {
    const place = path.resolve(under, source);
    if (!existsSync(place)) return []; // the part that needs it will say so
    if (!statSync(place).isDirectory()) return [place];
    const entries = readdirSync(place, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => path.join(parentPath, name));
  });
  for (const file of files.toSorted()) {
    const bytes = readFileSync(file);
    hash.update(`${file}\n${bytes.length}\n`).update(bytes);
  }
  return hash.digest('hex');
}
