import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { lockData } from './data-lock.ts';
import { demoCapturePage, demoConsole } from './demo-pages.ts';
import { type DemoTenant, ensureDemoTenant } from './demo-tenant.ts';
import { root, runScript } from './run-script.ts';
import { type Stack, startStack } from './stack.ts';
import { type Context, originsOf, spoilSynthesis, synthesize } from './synthesize.ts';

const usage = `npm start [-- options]

Runs Bonafide on this machine: the functions that are deployed, on embedded S3, DynamoDB, SQS and EventBridge.

  -c KEY=VALUE   CDK context, as for npm run deploy (docs/deploying.md); may be repeated. awsLimits=true takes no larger
                 requests than AWS does
  --watch        take up changes of functions/, shared/, engine/ and web/ while it runs
  --verbose      print what functions log, too
  --json         print one line {"ready":true,"url","api_key","tenant"}

Read from the environment:

  PORT             of the API; 4000 by default
  S3_PORT          of uploads; by default that of the last start, at first the one after PORT
  S3_PUBLIC_HOST   stands for 127.0.0.1 in upload URLs, for phones and containers: a host, with its port, or an origin.
                   S3 listens beyond the loopback only where it is an address of this machine
  ALLOWED_ORIGINS  web origins that may call the API and upload, comma separated; this machine's own always may
  BONAFIDE_DATA    the data folder; .bonafide by default`;

const { json, verbose, watch, context } = readOptions();
const port = portFrom('PORT') ?? 4000;
const s3Port = portFrom('S3_PORT');
const s3PublicHost = process.env.S3_PUBLIC_HOST || undefined;
const dataDirectory = path.resolve(process.env.BONAFIDE_DATA || '.bonafide');
const sample = path.join(dataDirectory, 'portrait.jpg');

let stack: Stack | undefined;
let stopping = false;

const stop = async () => {
  // A second Ctrl-C means: now.
  if (stopping) process.exit(1);
  stopping = true;
  console.error('Stopping; what is running gets a few seconds.');
  await starting;
  await stack?.stop();
  process.exit(0);
};
process.on('SIGINT', stop);
process.on('SIGTERM', stop);

const starting = start().catch((error: unknown) => {
  console.error(explain(error));
  process.exit(1);
});

async function start(): Promise<void> {
  const lock = lockData(dataDirectory);
  process.on('exit', lock.release);
  const template = path.join(dataDirectory, 'cdk.out');
  if (!json) console.log('Putting the stack together …');
  await Promise.all([synthesize(template, context), ensureSample()]);
  stack = await startStack({
    template,
    dataDirectory,
    port,
    s3Port,
    s3PublicHost,
    verbose,
    awsLimits: String(context.awsLimits) === 'true',
    ...(watch && {
      watch: {
        root,
        modelPack: context.models === undefined ? undefined : String(context.models),
        say: (text: string) => console.error(text),
        onChange: () => spoilSynthesis(template),
      },
    }),
  });
  const demo = await ensureDemoTenant(stack, dataDirectory);
  if (stopping) return;
  if (json) console.log(JSON.stringify({ ready: true, url: stack.url, api_key: demo.apiKey, tenant: demo.tenant }));
  else await announce(stack, demo);
}

/** Writes a photo to try it with. */
async function ensureSample(): Promise<void> {
  if (!existsSync(sample)) await runScript('tools/verify.ts', ['--write-sample', sample]);
}

async function announce(stack: Stack, demo: DemoTenant): Promise<void> {
  const { url, uploads, eventJournal } = stack;
  const { apiKey, tenant } = demo;
  const [capturePage, consolePage] = await Promise.all([demoCapturePage(url, demo), demoConsole(stack, demo)]);
  const ownData = dataDirectory === path.resolve('.bonafide') ? '' : `BONAFIDE_DATA=${quoted(here(dataDirectory))} `;
  console.log(`
Bonafide runs at ${url}

  tenant    ${tenant}
  api key   ${apiKey}
  uploads   ${uploads}
  data      ${here(dataDirectory)}
  logs      ${here(path.join(dataDirectory, 'logs'))}
  events    ${here(eventJournal)}

  capture   ${capturePage}
            one person's page, for an hour: open it where there is a camera
  console   ${consolePage}
            signs a reviewer in, once, within 15 minutes

Try it:  ${ownData}npm run verify -- --selfie ${quoted(here(sample))}
Ctrl-C ends it; everything is still there at the next start.`);
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        context: { type: 'string', short: 'c', multiple: true, default: [] },
        watch: { type: 'boolean', default: false },
        verbose: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      console.log(usage);
      process.exit(0);
    }
    return { ...values, context: contextOf(values.context) };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`);
    process.exit(2);
  }
}

function contextOf(pairs: readonly string[]): Context {
  const given = Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new Error(`-c wants KEY=VALUE, not ${pair}`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
  const origins = process.env.ALLOWED_ORIGINS;
  return origins ? { ...given, allowedOrigins: originsOf(origins) } : given;
}

function here(file: string): string {
  const relative = path.relative('', file);
  return relative.startsWith('..') ? file : relative || '.';
}

/** As a shell takes it as one word. */
function quoted(word: string): string {
  return /^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A port from the environment, where it is set. */
function portFrom(name: string): number | undefined {
  const text = process.env[name];
  if (!text) return undefined;
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  console.error(`${name} must be a port, 1 to 65535, not ${text}.`);
  process.exit(2);
}

function explain(error: unknown): string {
  const { code, message, address, port: taken } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  if (code !== 'EADDRINUSE') return message || String(error);
  if (taken === port) return `Port ${port} is taken: set PORT to another one, or stop what uses it.`;
  return `Port ${taken} of ${address} is taken: stop what uses it, or set S3_PORT to another one.`;
}
