import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Fault } from '../../shared/domain/fault.ts';
import { submissionOf } from '../contracts/submission.ts';
import { toldOf } from './answering.ts';
import { credentials, settings, template } from './template/provider.ts';

const page = readFileSync(new URL('../../docs/how-to-add-a-provider.md', import.meta.url), 'utf8');

/** As the file would read in `shared/providers/template`. */
const inPlace = (source: string): string =>
  source.replaceAll("'../../../shared/providers/", "'../").replaceAll("'../../../shared/domain/", "'../../domain/");

const blocks = [...page.matchAll(/```ts\n\/\/ shared\/providers\/template\/(\S+)\n([\s\S]*?)```/g)];

describe('How to add a provider', () => {
  it('shows the template that is compiled here, word for word', () => {
    expect(blocks.map(([, file]) => file)).toEqual(['capabilities.ts', 'wire.ts', 'provider.ts']);
    for (const [, file, code] of blocks) {
      expect(code).toBe(inPlace(readFileSync(new URL(`template/${file}`, import.meta.url), 'utf8')));
    }
  });

  it('names files that exist', () => {
    for (const [, path = ''] of page.matchAll(/`((?:shared|test|tools|docs)\/[a-z0-9/.-]+\.(?:ts|md))`/g)) {
      expect(() => readFileSync(new URL(`../../${path}`, import.meta.url)), path).not.toThrow();
    }
  });

  it.each([
    ['{"result":"ok","live_score":"0.9"}', 'passed'],
    ['{"result":"ok","live_score":0.1}', 'failed presentation_attack_suspected'],
    ['{"result":"no_face"}', 'recapture face_not_detected'],
    ['{"result":"another"}', 'provider_unreadable'],
  ])('shows a template that works: %s', async (body, told) => {
    const provider = template({
      settings: settings.parse({ baseUrl: 'https://vendor.example' }),
      credentials: credentials.parse({ apiKey: 'a-key' }),
      fetch: async () => new Response(body),
    });
    const answer = await provider.submit(submissionOf('spoof_detect')).catch((error: unknown) => error);
    if (answer instanceof Fault) expect(answer.code).toBe(told);
    else expect(answer).toSatisfy((made: { finding: Parameters<typeof toldOf>[0] }) => toldOf(made.finding) === told);
  });
});
