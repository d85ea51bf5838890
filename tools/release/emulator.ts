import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { commandLine } from '../command-line.ts';
import { pythonEnvironment } from '../python.ts';

const usage = `Runs an emulator of AWS on this machine, for deploying to.

  npm run emulator                       until Ctrl-C; says how another terminal gets to it
  npm run emulator -- -- COMMAND …       only as long as a command that runs in its environment; ends as that ends

  --port N    where it listens, on 127.0.0.1 only (default: a free port)
`;

// One for which version 1 of the AWS command line has no older address of SQS in mind, which it would prefer.
const region = 'eu-central-2';
const folder = join(import.meta.dirname, 'emulator');
const environmentFile = join(import.meta.dirname, '../..', 'build', 'emulator', 'environment');
const pythonDirectory = join(import.meta.dirname, '../..', 'build', 'emulator', 'python');

const { values, positionals: command } = commandLine(usage, {
  allowPositionals: true,
  options: { port: { type: 'string' } },
});

const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]).then(() => 0);
const directory = mkdtempSync(join(tmpdir(), 'bonafide-emulator-'));
let emulator: ChildProcess | undefined;
try {
  // `ministack`, `aws` and `cfn-lint` at their pinned versions.
  const binaries = await pythonEnvironment(pythonDirectory, join(folder, 'requirements.txt'));
  const port = values.port ?? String(await freePort());
  const certificate = await makeCertificate();
  const path = [dirname(process.execPath), binaries, process.env.PATH].join(delimiter);
  emulator = start(binaries, port, path);
  const ended = once(emulator, 'exit').then(async () => {
    throw new Error(`The emulator ended by itself:\n${(await readFile(logFile(), 'utf8')).slice(-2000)}`);
  });
  ended.catch(() => undefined); // it is to end some time
  await Promise.race([healthy(port, certificate), ended]);
  const environment = environmentOf(port, await trustAlso(certificate), path);
  const ours = command.length > 0 ? run(environment) : announce(environment);
  process.exitCode = await Promise.race([ended, ours]);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  if (emulator) await end(emulator);
  rmSync(directory, { recursive: true, force: true });
  if (command.length === 0) rmSync(environmentFile, { force: true });
}
process.exit();

function logFile(): string {
  return join(directory, 'log');
}

/** Grants, presigned signatures and TLS are checked, as on AWS. Nothing of our own environment gets to its functions. */
function start(binaries: string, port: string, path: string): ChildProcess {
  const tls = ['--certfile', join(directory, 'certificate.pem'), '--keyfile', join(directory, 'key.pem')];
  const listen = ['--bind', `127.0.0.1:${port}`, '--workers', '0', '--keep-alive', '75'];
  const serve = ['-m', 'hypercorn', 'gaps:app', ...listen, ...tls];
  return spawn('/bin/sh', ['-c', `exec "$@" >"${logFile()}" 2>&1`, 'sh', join(binaries, 'python'), ...serve], {
    detached: true, // a group of its own, with the functions it starts
    stdio: ['pipe', 'ignore', 'ignore'], // it ends itself when this pipe closes, however we end
    env: {
      PATH: path,
      HOME: directory,
      TMPDIR: directory,
      PYTHONPATH: folder,
      PYTHONDONTWRITEBYTECODE: '1',
      AUTH: 'true',
      USE_SSL: '1',
      MINISTACK_SSL_CERT: join(directory, 'certificate.pem'),
      MINISTACK_SSL_KEY: join(directory, 'key.pem'),
      GATEWAY_PORT: port,
      MINISTACK_REGION: region,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      SFTP_ENABLED: '0',
      IOT_MTLS_ENABLED: '0',
    },
  });
}

/** Our policies refuse what does not come over TLS, so the emulator speaks nothing else. */
async function makeCertificate(): Promise<string> {
  const certificate = join(directory, 'certificate.pem');
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...['-keyout', join(directory, 'key.pem'), '-out', certificate, '-subj', '/CN=emulator'],
    ...['-addext', 'basicConstraints=critical,CA:FALSE'],
    ...['-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:*.execute-api.localhost'],
  ]);
  return certificate;
}

/** Our certificate beside the authorities this machine was told of by itself, which npm may need for its registry. */
async function trustAlso(certificate: string): Promise<string> {
  const known = [process.env.NODE_EXTRA_CA_CERTS, process.env.AWS_CA_BUNDLE].filter((file) => file !== undefined);
  const texts = await Promise.all([certificate, ...new Set(known)].map((file) => readFile(file, 'utf8')));
  const trusted = join(directory, 'trusted.pem');
  await writeFile(trusted, texts.join('\n'));
  return trusted;
}

/** What a process needs to take the emulator for AWS: Node and its CDK, the AWS command line and curl. */
function environmentOf(port: string, trusted: string, path: string): Record<string, string> {
  return {
    PATH: path,
    AWS_ENDPOINT_URL: `https://127.0.0.1:${port}`,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_CA_BUNDLE: trusted,
    CURL_CA_BUNDLE: trusted,
    NODE_EXTRA_CA_CERTS: trusted,
    NODE_OPTIONS: `--import=${pathToFileURL(join(folder, 'localhost-names.mjs'))}`,
    BONAFIDE_EMULATOR_LOG: logFile(),
  };
}

async function run(environment: Record<string, string>): Promise<number> {
  const [name = '', ...parameters] = command;
  const { AWS_PROFILE: _, AWS_SESSION_TOKEN: __, ...inherited } = process.env;
  const child = spawn(name, parameters, { stdio: 'inherit', env: { ...inherited, ...environment } });
  void stopped.then(() => child.kill());
  const [code] = await once(child, 'exit');
  return Number(code ?? 1);
}

async function announce(environment: Record<string, string>): Promise<number> {
  const lines = Object.entries(environment).map(([name, value]) => `export ${name}='${value}'`);
  await writeFile(environmentFile, `unset AWS_PROFILE AWS_SESSION_TOKEN\n${lines.join('\n')}\n`);
  console.log(`The emulator is ready at ${environment.AWS_ENDPOINT_URL}. In another terminal of this directory:

  . build/emulator/environment

and then as docs/deploying.md says. Its log: ${logFile()}. Ctrl-C ends it, and forgets all that was deployed.`);
  return stopped;
}

async function healthy(port: string, certificate: string): Promise<void> {
  const ca = await readFile(certificate);
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const answered = await new Promise<boolean>((resolve) => {
      get(`https://127.0.0.1:${port}/_ministack/health`, { ca }, (answer) => {
        answer.resume();
        resolve(answer.statusCode === 200);
      }).on('error', () => resolve(false));
    });
    if (answered) return;
    await sleep(200);
  }
  throw new Error(`The emulator did not answer within a minute:\n${(await readFile(logFile(), 'utf8')).slice(-2000)}`);
}

/** Asks, waits five seconds, and does not ask again. Its functions' processes go with it. */
async function end({ pid, exitCode, signalCode }: ChildProcess): Promise<void> {
  if (pid === undefined) return;
  if (exitCode === null && signalCode === null) signal(pid, 'SIGTERM');
  for (let attempt = 0; attempt < 50 && signal(pid, 0); attempt += 1) await sleep(100);
  signal(pid, 'SIGKILL');
}

/** False where no process of the group is left. */
function signal(group: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, name);
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('A TCP server has a port.');
  return address.port;
}
