import { describe, expect, it } from 'vitest';
import type { Built } from '../../shared/pages/built.ts';
import { fileReply } from '../../shared/pages/file.ts';
import { capturePageHeaders, consoleHeaders } from '../../shared/pages/headers.ts';
import { capturePageReply } from '../../shared/pages/html.ts';

const entry = { script: 'capture-AAAAAAAA.js', imports: ['part-BBBBBBBB.js'] };
const built: Built = {
  capture: entry,
  console: entry,
  element: entry,
  icon: 'icon-CCCCCCCC.svg',
  licences: 'licences-DDDDDDDD.txt',
  guidance: [],
  files: {
    'small-AAAAAAAA.js': { type: 'text/javascript', hash: 'aa', bytes: { br: 1, gzip: 2, identity: 3 } },
    'large-AAAAAAAA.wasm': { type: 'application/wasm', hash: 'bb', bytes: { br: 1 } },
  },
};
const capturePage = (...[tenant, page]: [string, Parameters<typeof capturePageReply>[1]]) =>
  capturePageReply(tenant, page, { built, capturesOrigin: 'https://b.example' }).body;
const read = async (name: string) => Buffer.from(name);
const sent = async (name: string, accepted?: string) => {
  const { status, headers, body } = await fileReply(name, { 'accept-encoding': accepted }, built, read);
  return [status, headers['content-encoding'] ?? 'identity', body.toString()];
};

describe('a file', () => {
  it.each([
    ['gzip, deflate, br', 'br', '.br'],
    ['gzip, deflate', 'gzip', '.gz'],
    ['br;q=0, gzip;q=0.5', 'gzip', '.gz'],
    ['*', 'br', '.br'],
    ['*;q=0, gzip', 'gzip', '.gz'],
    ['BR', 'br', '.br'],
    ['', 'identity', ''],
    [undefined, 'identity', ''],
  ])('asked for with %s comes as %s', async (accepted, form, ending) => {
    expect(await sent('small-AAAAAAAA.js', accepted)).toEqual([200, form, `small-AAAAAAAA.js${ending}`]);
  });

  it.each(['gzip', '', 'br;q=0', undefined])(
    'of megabytes is 406 with %s: Lambda answers no more than 6 MB',
    async (accepted) => {
      const [status] = await sent('large-AAAAAAAA.wasm', accepted);
      expect(status).toBe(406);
    },
  );

  it('of megabytes comes by brotli', async () => {
    expect(await sent('large-AAAAAAAA.wasm', 'gzip, br')).toEqual([200, 'br', 'large-AAAAAAAA.wasm.br']);
  });

  it.each(['', 'constructor', '__proto__', '../index.mjs', 'built.json'])(
    'that was not built is 404: %s',
    async (name) => {
      expect((await sent(name, 'br'))[0]).toBe(404);
    },
  );
});

describe('a tenant’s name', () => {
  const hostile = `"><script>alert('x')</script><meta content="&amp;`;
  const page = {
    returnOrigins: [],
    frameOrigins: [],
    name: hostile,
    language: 'ar',
    colours: { accent: '#112233' },
  } as const;
  const html = capturePage('acme', { ...page, returnOrigins: [], frameOrigins: [], logo: 'ab'.repeat(32) });

  it('is text, whatever is in it', () => {
    expect(html.match(/<script/g)).toHaveLength(1);
    expect(html).not.toMatch(/<script>|<meta content/);
    const [, content = ''] = /name="bonafide-page" content="([^"]*)"/.exec(html) ?? [];
    const unescaped = content
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&quot;', '"')
      .replaceAll('&#39;', "'")
      .replaceAll('&amp;', '&');
    expect(JSON.parse(unescaped)).toEqual({
      name: hostile,
      logo_url: `/logos/acme/${'ab'.repeat(32)}`,
      colours: { accent: '#112233' },
      language: 'ar',
    });
  });

  it('stands beside the language that the policy says', () => {
    expect(html).toContain('<html lang="ar">');
    expect(capturePage('acme', undefined)).toContain('<html lang="en">');
  });

  it('is all that tells a tenant from none: without a page of its own it looks as an unknown one', () => {
    expect(capturePage('acme', undefined)).toBe(capturePage('nobody', undefined));
  });
});

describe('frames', () => {
  const ancestors = (origins?: readonly string[]) =>
    /frame-ancestors ([^;]*)/.exec(
      capturePageHeaders('https://b.example', origins)['content-security-policy'] ?? '',
    )?.[1];

  it('of the capture page are those that the policy lists, else none', () => {
    expect(ancestors()).toBe("'none'");
    expect(ancestors([])).toBe("'none'");
    expect(ancestors(['https://a.example', 'http://localhost:3000'])).toBe('https://a.example http://localhost:3000');
  });

  it('are no wildcard and no other directive, which an origin’s text could be', () => {
    expect(ancestors(['https://*', 'https://a;sandbox', "https://a'b"])).toBe("'none'");
  });
});

it('no page may run what is inline or evaluated, nor say so for one of its parts', () => {
  for (const headers of [capturePageHeaders('https://b.example'), consoleHeaders('https://b.example')]) {
    expect(headers['content-security-policy']).not.toMatch(
      /unsafe-inline|'unsafe-eval'|\*|data:|https:(?!\/\/b\.example)/,
    );
  }
});
