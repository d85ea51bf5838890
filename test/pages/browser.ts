/** Chromium with a camera that shows what a test wants, and nothing of the web's security turned off. */
import { spawnSync } from 'node:child_process';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import { type Browser, chromium } from 'playwright-core';
import { extract } from 'tar';

export interface BrowserOptions {
  /** What the cameras show: an .mjpeg file (`feeds.ts`), read anew whenever a camera is opened; else a test picture. */
  readonly video?: string;
  /** What the microphone hears, looped from its opening: never a challenge, whose place in it is chance (`speech.ts`). */
  readonly audio?: string;
  /** What becomes of a page's question for the camera. */
  readonly permission?: 'granted' | 'denied';
  readonly cameras?: number;
  /** Further ones, as `--name` or `--name=value`. */
  readonly flags?: readonly string[];
}

/** With these a page that breaks its CSP or CORS works, or processes are not kept apart: no test means anything then. */
export const forbiddenFlags = [
  '--disable-web-security',
  '--allow-running-insecure-content',
  '--single-process',
  '--disable-site-isolation-trials',
  '--ignore-certificate-errors',
  '--unsafely-treat-insecure-origin-as-secure',
] as const;

/**
 * The browser of npm (x64 Linux), or the one at `CHROMIUM_PATH`. Where there is none, this fails: a test that is skipped
 * where the browser is missing shows nothing.
 */
export async function openBrowser(options: BrowserOptions = {}): Promise<Browser> {
  const { video, audio, permission = 'granted', cameras = 1, flags = [] } = options;
  const { executablePath, env } = await found();
  const args = [
    '--no-sandbox',
    '--enable-automation', // lets the browser tell its command line
    '--autoplay-policy=no-user-gesture-required', // speech begins when digits are shown, not at a press
    '--host-resolver-rules=MAP *.example 127.0.0.1', // origins that are another site's
    `--use-fake-device-for-media-stream=device-count=${cameras}`,
    `--use-fake-ui-for-media-stream${permission === 'denied' ? '=deny' : ''}`,
    ...(video ? [`--use-file-for-fake-video-capture=${video}`] : []),
    ...(audio ? [`--use-file-for-fake-audio-capture=${audio}`] : []),
    ...flags,
  ];
  refuse(args);
  return chromium.launch({ executablePath, args, env });
}

function refuse(args: readonly string[]): void {
  const forbidden = args.find((flag) => forbiddenFlags.some((name) => flag.split('=')[0] === name));
  if (forbidden) throw new Error(`${forbidden} turns off what is tested here`);
}

/** The command line that the browser itself says it was started with, its maker's and Playwright's flags included. */
export async function commandLineOf(browser: Browser): Promise<readonly string[]> {
  const session = await browser.newBrowserCDPSession();
  const { arguments: commandLine } = await session.send('Browser.getBrowserCommandLine');
  await session.detach();
  return commandLine;
}

interface Found {
  readonly executablePath: string;
  readonly env: Record<string, string>;
}
let finding: Promise<Found> | undefined;
const found = (): Promise<Found> => {
  finding ??= find();
  return finding;
};

async function find(): Promise<Found> {
  const given = process.env.CHROMIUM_PATH;
  if (given && !existsSync(given)) throw new Error(`CHROMIUM_PATH: there is no ${given}`);
  if (!given && (process.platform !== 'linux' || process.arch !== 'x64')) {
    throw new Error(`npm has no Chromium for ${process.platform} on ${process.arch}: name one in CHROMIUM_PATH`);
  }
  const executablePath = given || join(await unpacked('chromium', brotliOf('chromium.br')), 'chromium');
  const env = {
    ...Object.fromEntries(Object.entries(process.env).flatMap(([name, value]) => (value ? [[name, value]] : []))),
    HOME: tmpdir(),
    ...(existsSync('/etc/fonts') ? {} : { FONTCONFIG_PATH: await unpacked('fonts', tarOf('fonts.tar.br')) }),
  };
  if (starts(executablePath, env)) return { executablePath, env };
  // The machine has no libnss3: the package brings the one of Amazon Linux.
  const libraries = join(await unpacked('libraries', tarOf('al2023.tar.br')), 'lib');
  const withLibraries = { ...env, LD_LIBRARY_PATH: libraries };
  const { status, stderr } = version(executablePath, withLibraries);
  if (status !== 0) throw new Error(`${executablePath} does not start: ${stderr}`);
  return { executablePath, env: withLibraries };
}

const version = (executablePath: string, env: Record<string, string>) =>
  spawnSync(executablePath, ['--version', '--no-sandbox'], { env, encoding: 'utf8' });
const starts = (executablePath: string, env: Record<string, string>) => version(executablePath, env).status === 0;

const bundled = () => join(dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')), '..', 'bin');

const brotliOf = (file: string) => (directory: string) =>
  pipeline(
    createReadStream(join(bundled(), file)),
    createBrotliDecompress({ chunkSize: 2 ** 21 }),
    createWriteStream(join(directory, 'chromium'), { mode: 0o700 }),
  );
const tarOf = (file: string) => (directory: string) =>
  pipeline(createReadStream(join(bundled(), file)), createBrotliDecompress(), extract({ cwd: directory }));

/**
 * Once for a run, whose TMPDIR is its own. The package's `executablePath()` returns what lies in TMPDIR already, though it be
 * half-written or of another version; a folder that was renamed when it was complete is neither.
 */
async function unpacked(name: string, unpack: (directory: string) => Promise<void>): Promise<string> {
  const { version: packageVersion } = JSON.parse(await readFile(join(bundled(), '..', 'package.json'), 'utf8'));
  const folder = join(tmpdir(), `${name}-${packageVersion}`);
  if (existsSync(folder)) return folder;
  const making = await mkdtemp(join(tmpdir(), `${name}-`));
  await unpack(making);
  await rename(making, folder).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    await rm(making, { recursive: true }); // another process was quicker
  });
  return folder;
}
