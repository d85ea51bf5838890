import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faceOnScreen, landscape, portrait } from '../../tools/samples.ts';

/** `npm run verify`, from a data folder of `npm start`. */
export function verifyCommand(dataDirectory: () => string): void {
  let directory: string;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'bonafide-photos-'));
    writeFileSync(join(directory, 'portrait.jpg'), await portrait());
    writeFileSync(join(directory, 'screen.jpg'), await faceOnScreen());
    writeFileSync(join(directory, 'landscape.jpg'), await landscape());
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  async function verify(...words: string[]) {
    const child = spawn(process.execPath, ['tools/verify.ts', ...words], {
      env: { ...process.env, BONAFIDE_DATA: dataDirectory() },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const code = new Promise<number | null>((resolve) => child.once('close', resolve));
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return {
      code: await code,
      lines: stdout
        .trim()
        .split('\n')
        .map((line) => line.trim()),
      stderr,
    };
  }
  const photo = (name: string) => join(directory, `${name}.jpg`);

  describe('npm run verify', () => {
    it.each([
      ['portrait', 'PASSED', 0],
      ['screen', 'FAILED', 3],
      ['landscape', 'RECAPTURE', 4],
    ])('shows the states of the %s as they pass, and ends by its outcome', async (name, outcome, expected) => {
      const { code, lines, stderr } = await verify('--selfie', photo(name));
      expect(stderr).toBe('');
      expect(lines.slice(1, 5)).toEqual(['uploaded', 'queued', 'dispatched', 'decided']);
      expect(lines[5]).toMatch(new RegExp(`^${outcome}.* \\(\\d+ ms after the upload`));
      expect(code).toBe(expected);
    });

    it.each(['errored', 'expired', 'erased'])(
      'ends with 5 where the verification is %s: there is no verdict',
      async (state) => {
        const bonafide = await openDouble(state);
        const { code, lines, stderr } = await verify(
          '--selfie',
          photo('portrait'),
          '--url',
          bonafide.url,
          '--key',
          'bf',
        );
        bonafide.close();
        expect([code, stderr]).toEqual([5, '']);
        expect(lines.slice(1)).toEqual(['uploaded', state, 'provider_refused']);
      },
    );

    it('gives JSON with --json', async () => {
      const { code, lines } = await verify('--selfie', photo('portrait'), '--json');
      expect(lines.map((line) => JSON.parse(line))).toMatchObject([
        { state: 'decided', verdict: { outcome: 'passed' } },
      ]);
      expect(code).toBe(0);
    });

    it('ends with 1 where nothing answers, and where the key is not taken', async () => {
      const unheard = await verify('--selfie', photo('portrait'), '--url', 'http://127.0.0.1:9');
      expect(unheard).toMatchObject({ code: 1, stderr: expect.stringContaining('is Bonafide running? (npm start)') });
      const refused = await verify('--selfie', photo('portrait'), '--key', 'bf_demo_wrong');
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/^api_key_invalid: /) });
      const bad = await verify('--selfie', photo('portrait'), '--source-id', 'not a source id');
      expect(bad).toMatchObject({ code: 1, stderr: expect.stringMatching(/^request_invalid: .*\n {2}\/source_id /) });
    });
  });
}

/** A Bonafide whose every verification ends without a verdict. */
async function openDouble(state: string) {
  const server = createServer(async (request, response) => {
    await text(request);
    response.end(JSON.stringify(answer(request.url ?? '')));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const answer = (path: string) => {
    if (path.endsWith('/captures')) return { round: 1, uploads: { selfie: { put: { url, headers: {} } } } };
    if (path.endsWith('/history')) return { history: [{ kind: 'moved', sequence: 2, state }] };
    return { state, round: 1, sequence: 2, verdict: null, fault: 'provider_refused' };
  };
  return { url, close: () => server.close().closeAllConnections() };
}
