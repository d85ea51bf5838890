import * as z from 'zod';
import { Fault } from '../../domain/fault.ts';
import type { Answer, Provider, Submission } from '../provider.ts';
import { exactly } from '../settings.ts';
import { sandbox as capabilities } from './capabilities.ts';
import { type Directive, readDirectives } from './directives.ts';

export const settings = exactly({
  /** How long `sandbox-slow` takes. */
  slowSeconds: z.number().positive().max(15).default(5),
});
export type Settings = z.infer<typeof settings>;

/** It has none; the tenant's policy naming it is all it takes. */
export const credentials = exactly({});

export interface Connection {
  readonly settings: Settings;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/** Forced outcomes by magic source_id (`docs/providers.md`); a source_id without magic passes. */
export function sandbox({ settings, sleep }: Connection): Provider {
  return {
    ...capabilities,
    submit: async ({ sourceId = '', round }: Submission): Promise<Answer> => {
      const directives = readDirectives(sourceId);
      if (!directives)
        throw new Fault('provider_refused', 'The sandbox does not know a sandbox- word of this source_id.');
      if (directives.slow) await sleep(settings.slowSeconds * 1000);
      return answerOf(directives.rounds[round - 1] ?? directives.rounds.at(-1) ?? { kind: 'passed' });
    },
  };
}

function answerOf(directive: Directive): Answer {
  switch (directive.kind) {
    case 'passed':
      return { kind: 'decided', finding: { outcome: 'passed', confidence: 1, reasons: [], scores: { live: 1 } } };
    case 'failed':
    case 'recapture': {
      const { kind: outcome, reason } = directive;
      const scores = reason === 'presentation_attack_suspected' ? { live: 0 } : {};
      return { kind: 'decided', finding: { outcome, confidence: 1, reasons: [reason], scores } };
    }
    case 'fault':
      throw new Fault(directive.code, 'The sandbox was asked for this fault.');
    case 'accepted':
      return { kind: 'accepted' };
  }
}
