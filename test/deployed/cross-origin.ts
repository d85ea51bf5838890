import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import { clientOf, newSourceId, type Target } from '../journeys/client.ts';

/** An integrator's site, on this machine: an empty page, under any name that a browser takes for this machine. */
const site = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end('<!doctype html>'));
await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
const address = site.address();
const port = typeof address === 'object' && address ? address.port : 0;

/** What the deployment is told: CDK context. */
export const allowedOrigin = `http://app.example:${port}`;
const strangeOrigin = `http://other.example:${port}`;

/** A browser on the integrator's site, and on one that was not allowed. */
export function crossOriginJourneys(target: () => Target): void {
  afterAll(() => void site.close());

  /** What becomes of an upload, and of a question for the verdict, by scripts of a page of that origin. */
  const from = async (origin: string) => {
    const { source_id, client_token, uploads } = await clientOf(target()).request(newSourceId());
    const asked = { url: target().url, sourceId: source_id, token: client_token, form: uploads.selfie?.post };
    const program = ['test/pages/call-from-another-origin.ts', origin, JSON.stringify(asked)];
    const { stdout } = await promisify(execFile)(process.execPath, program);
    return { became: JSON.parse(stdout), sourceId: source_id };
  };

  it('a page of an allowed origin uploads a capture and reads the verdict', async () => {
    const { became, sourceId } = await from(allowedOrigin);
    expect(became).toEqual({ upload: 204, read: 200, state: 'decided', withKey: 'refused' });
    expect((await clientOf(target()).read(sourceId)).verdict?.outcome).toBe('passed');
  });

  it('a page of another origin is kept by the browser from reading either answer', async () => {
    const { became } = await from(strangeOrigin);
    expect(became).toEqual({ upload: 'refused', read: 'refused', withKey: 'refused' });
  });
}
