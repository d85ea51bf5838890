import { beforeAll, describe, expect, it } from 'vitest';
import { clientOf, newSourceId, type Target } from './client.ts';

/** The directives of a content security policy, by name. */
const directives = (headers: Headers) =>
  new Map(
    (headers.get('content-security-policy') ?? '').split('; ').map((directive): [string, string] => {
      const [name = '', ...values] = directive.split(' ');
      return [name, values.join(' ')];
    }),
  );

/** What any deployment serves to browsers: the local stack and a real one differ only in the target. */
export function pageJourneys(target: () => Target): void {
  let url: string;
  let capturesOrigin: string;
  let uploadUrl: string;
  beforeAll(async () => {
    url = target().url;
    const sourceId = newSourceId();
    const requested = await clientOf(target()).request(sourceId);
    uploadUrl = requested.uploads.selfie?.put.url ?? '';
    capturesOrigin = new URL(uploadUrl).origin;
  });

  const get = (path: string, headers: Record<string, string> = {}) => fetch(`${url}${path}`, { headers });

  describe('the capture page', () => {
    it('may load its own scripts, run models, and send captures to the bucket; nothing else', async () => {
      const { status, headers } = await get('/capture/demo/visit-1');
      expect(status).toBe(200);
      expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(Object.fromEntries(directives(headers))).toEqual({
        'default-src': "'none'",
        'script-src': "'self' 'wasm-unsafe-eval'",
        'style-src': "'self'",
        'img-src': "'self' blob:",
        'media-src': 'blob:',
        'worker-src': "'self'",
        'connect-src': `'self' ${capturesOrigin}`,
        'base-uri': "'none'",
        'form-action': "'none'",
        'frame-ancestors': "'none'",
        'require-trusted-types-for': "'script'",
        'trusted-types': 'lit-html bonafide',
      });
    });

    it('has camera and microphone, and asks for no other feature', async () => {
      const given = (await get('/capture/demo/visit-1')).headers.get('permissions-policy')?.split(', ') ?? [];
      expect(given.filter((feature) => !feature.endsWith('=()')).sort()).toEqual([
        'camera=(self)',
        'fullscreen=(self)',
        'microphone=(self)',
        'screen-wake-lock=(self)',
      ]);
      expect(given).toEqual(expect.arrayContaining(['geolocation=()', 'display-capture=()', 'payment=()']));
    });

    it('is in no cache, sends no referrer, and shares no process with who opened it', async () => {
      const { headers } = await get('/capture/demo/visit-1');
      expect(Object.fromEntries(headers)).toMatchObject({
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
      });
    });

    it('is the same for a tenant that there is not, whatever its name', async () => {
      const [known, ...unknown] = await Promise.all(
        ['demo', 'nobody', '%3Cb%3E', '%2A', 'constructor', 'x'.repeat(3000)].map(async (tenant) => {
          const answer = await get(`/capture/${tenant}/visit-1`);
          return { status: answer.status, body: await answer.text(), policy: [...directives(answer.headers)] };
        }),
      );
      for (const one of unknown) expect(one).toEqual(known);
    });

    it('says nothing of the verification, whose name may be a person’s or a script', async () => {
      const body = await (await get('/capture/demo/%3Cscript%3Ealert(1)%3C%2Fscript%3E')).text();
      expect(body).not.toContain('alert');
      expect(await (await get('/capture/demo/ada.lovelace')).text()).not.toContain('ada.lovelace');
    });

    it('may upload from its own origin, and pages of others may not', async () => {
      const preflight = (origin: string) =>
        fetch(uploadUrl, {
          method: 'OPTIONS',
          headers: {
            origin,
            'access-control-request-method': 'PUT',
            'access-control-request-headers': 'content-type,if-none-match',
          },
        });
      const own = await preflight(url);
      expect(own.status).toBeLessThan(300);
      expect(own.headers.get('access-control-allow-origin')).toBe(url);
      const other = await preflight('https://elsewhere.example');
      expect(other.headers.get('access-control-allow-origin')).not.toBe('https://elsewhere.example');
    });
  });

  describe('the console', () => {
    it('may be framed by no page, has no camera, and shows captures of the bucket', async () => {
      const { status, headers } = await get('/console');
      expect(status).toBe(200);
      expect(Object.fromEntries(directives(headers))).toMatchObject({
        'default-src': "'none'",
        'script-src': "'self' 'wasm-unsafe-eval'",
        'img-src': `'self' blob: ${capturesOrigin}`,
        'media-src': `blob: ${capturesOrigin}`,
        'connect-src': `'self' ${capturesOrigin}`,
        'frame-ancestors': "'none'",
        'require-trusted-types-for': "'script'",
      });
      expect(headers.get('permissions-policy')).toContain('camera=(), microphone=()');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
    });
  });

  describe('files', () => {
    const filesOf = async (path: string) =>
      [...(await (await get(path)).text()).matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, file = '']) => file);

    it('that pages name are there, for ever, under names that hold their hash, and compressed', async () => {
      const files = new Set([...(await filesOf('/capture/demo/visit-1')), ...(await filesOf('/console'))]);
      expect(files.size).toBeGreaterThanOrEqual(4);
      for (const file of files) {
        expect(file).toMatch(/-[0-9A-Z]{8}\.(js|css|svg|txt)$/);
        const { status, headers } = await get(file, { 'accept-encoding': 'gzip, br' });
        expect(Object.fromEntries(headers)).toMatchObject({
          'cache-control': 'public, max-age=31536000, immutable',
          'content-encoding': 'br',
          'content-type': expect.stringMatching(/^(text\/(javascript|css|plain)|image\/svg\+xml)/),
          'cross-origin-resource-policy': 'cross-origin',
          'referrer-policy': 'no-referrer',
          'x-content-type-options': 'nosniff',
          vary: expect.stringContaining('accept-encoding'),
        });
        expect(status).toBe(200);
      }
    });

    it('are sent as a browser takes them, or not again', async () => {
      const [file = ''] = (await filesOf('/console')).filter((one) => one.endsWith('.js'));
      const forms = await Promise.all(
        ['br', 'gzip', 'identity'].map(async (form) => {
          const answer = await get(file, { 'accept-encoding': form });
          return { form: answer.headers.get('content-encoding') ?? 'identity', text: await answer.text() };
        }),
      );
      expect(forms.map(({ form }) => form)).toEqual(['br', 'gzip', 'identity']);
      expect(new Set(forms.map(({ text }) => text)).size).toBe(1);
      const etag = (await get(file, { 'accept-encoding': 'br' })).headers.get('etag') ?? '';
      expect((await get(file, { 'accept-encoding': 'br', 'if-none-match': etag })).status).toBe(304);
    });

    it('are no others than those that were built', async () => {
      for (const file of ['nothing.js', 'built.json', 'index.mjs', 'constructor']) {
        const { status, headers } = await get(`/assets/${file}`);
        expect([file, status]).toEqual([file, 404]);
        expect(headers.get('cache-control')).toBe('no-store');
      }
    });

    it('of the element come under a name that stays, for pages of integrators', async () => {
      const answer = await get('/capture.js');
      const { headers } = answer;
      const body = await answer.text();
      expect(answer.status).toBe(200);
      expect(headers.get('content-type')).toBe('text/javascript; charset=utf-8');
      expect(headers.get('cache-control')).toBe('public, max-age=300');
      expect(headers.get('cross-origin-resource-policy')).toBe('cross-origin');
      const [, element] = /^export \* from "\.(\/assets\/element-[0-9A-Z]{8}\.js)";\n$/.exec(body) ?? [];
      expect((await get(element ?? '')).status).toBe(200);
    });
  });
}
