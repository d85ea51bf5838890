import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { registry } from '../../shared/providers/registry.ts';
import { administered } from './administered.ts';

const page = readFileSync('docs/providers.md', 'utf8');
const files = new Map(
  [...page.matchAll(/`([a-z-]+\.json)`[^\n]*:\n\n```json\n([\s\S]*?)```/g)].map(([, name = '', text = '']) => [
    name,
    text,
  ]),
);
const commands = [...page.matchAll(/^npm run admin -- ([^#\n]*)/gm)].map(([, words = '']) => words.trim().split(/\s+/));

const { admin, secret, tenants, write } = administered();
const remote = [...registry.values()].flatMap(({ name, remote }) => (remote ? [name] : []));

describe.each(remote)('What docs/providers.md has to copy for %s', (provider) => {
  it('is taken by the commands beside it, in their order', async () => {
    await tenants()
      .create('acme')
      .catch(() => undefined);
    const its = commands.filter((words) => words.join(' ').includes(provider));
    expect(its.map(([noun, verb]) => `${noun} ${verb}`)).toEqual(
      expect.arrayContaining(['credentials set', 'credentials check', 'policy set']),
    );
    for (const words of its) {
      if (words[1] === 'check') continue; // it would ask the vendor itself
      const file = words.at(-1) ?? '';
      const text = files.get(file);
      const given = text === undefined ? words : [...words.slice(0, -1), write(file, text)];
      expect(await admin(...given), words.join(' ')).toMatchObject({ code: 0, stderr: '' });
    }
    const tenant = await tenants().find('acme');
    expect(Object.keys(tenant?.credentials ?? {})).toContain(provider);
    expect(tenant?.policy.routes.spoof_detect).toEqual([provider, 'builtin']);
    expect(secret(`bonafide/providers/${provider}/acme`)).toEqual(JSON.parse(files.get(`${provider}.json`) ?? ''));
  });
});

it('has every file that its commands read, and no other', () => {
  const read = commands.map((words) => words.at(-1) ?? '').filter((word) => word.endsWith('.json'));
  expect(new Set(read.map((file) => basename(file)))).toEqual(new Set(files.keys()));
  expect(files.size).toBe(2 * remote.length);
});
