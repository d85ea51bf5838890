import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Fault } from '../../shared/domain/fault.ts';
import { submissionOf } from '../contracts/submission.ts';
import { providerRecipe } from '../recipes/recipes.ts';
import { outcomeText } from './answering.ts';
import { credentials, settings, template } from './template/provider.ts';

const folder = 'shared/providers/template/';

/** As the file would read in `shared/providers/template`. */
const inPlace = (source: string): string =>
  source.replaceAll("'../../../shared/providers/", "'../").replaceAll("'../../../shared/domain/", "'../../domain/");

describe('How to add a provider', () => {
  it.each(['capabilities.ts', 'wire.ts', 'provider.ts'])(
    'shows the %s that is compiled here, word for word',
    (file) => {
      const shown = providerRecipe.steps.find((step) => step.kind === 'new' && step.file === `${folder}${file}`);
      expect(shown?.text).toBe(inPlace(readFileSync(`test/providers/template/${file}`, 'utf8')));
    },
  );

  it.each([
    ['{"result":"ok","live_score":"0.9"}', 'passed'],
    ['{"result":"ok","live_score":0.1}', 'failed presentation_attack_suspected'],
    ['{"result":"no_face"}', 'recapture face_not_detected'],
    ['{"result":"another"}', 'provider_unreadable'],
  ])('shows a template that works: %s', async (body, outcome) => {
    const provider = template({
      settings: settings.parse({ baseUrl: 'https://vendor.example' }),
      credentials: credentials.parse({ apiKey: 'a-key' }),
      fetch: async () => new Response(body),
    });
    const answer = await provider.submit(submissionOf('spoof_detect')).catch((error: unknown) => error);
    if (answer instanceof Fault) expect(answer.code).toBe(outcome);
    else
      expect(answer).toSatisfy(
        (decided: { finding: Parameters<typeof outcomeText>[0] }) => outcomeText(decided.finding) === outcome,
      );
  });
});
