// `npm start`: the whole product on this machine. `--json` prints one line for programs, `--verbose` what functions log.
import path from 'node:path';
import { lockData } from './data-lock.ts';
import { type DemoTenant, ensureDemoTenant } from './demo-tenant.ts';
import { type Stack, startStack } from './stack.ts';
import { synthesize } from './synthesize.ts';

const json = process.argv.includes('--json');
const verbose = process.argv.includes('--verbose');
const port = portFrom('PORT') ?? 4000;
const s3Port = portFrom('S3_PORT');
const s3PublicHost = process.env.S3_PUBLIC_HOST || undefined;
const dataDirectory = path.resolve(process.env.BONAFIDE_DATA || '.bonafide');

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
  await synthesize(template);
  stack = await startStack({ template, dataDirectory, port, s3Port, s3PublicHost, verbose });
  const demo = await ensureDemoTenant(stack, dataDirectory);
  if (!stopping) announce(stack, demo);
}

function announce({ url, uploads, eventJournal }: Stack, { apiKey, tenant }: DemoTenant): void {
  if (json) {
    console.log(JSON.stringify({ ready: true, url, api_key: apiKey, tenant }));
    return;
  }
  const here = (file: string) => path.relative('', file) || '.';
  console.log(`
Bonafide runs at ${url}

  tenant    ${tenant}
  api key   ${apiKey}
  uploads   ${uploads}
  data      ${here(dataDirectory)}
  logs      ${here(path.join(dataDirectory, 'logs'))}
  events    ${here(eventJournal)}

Try it:  npm run verify -- --selfie photo.jpg
Ctrl-C ends it; everything is still there at the next start.`);
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
