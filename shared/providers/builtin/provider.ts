import { Fault } from '../../domain/fault.ts';
import type { Finding } from '../../domain/verdict.ts';
import type { Analysis, Engine } from '../../engine/engine.ts';
import type { Answer, Provider, Submission } from '../provider.ts';
import { builtin } from './capabilities.ts';

const tooLarge: Finding = { outcome: 'recapture', confidence: null, reasons: ['capture_too_large'], scores: {} };

/** The models of this process as a provider: it decides at once, there is no webhook to wait for. */
export function builtinProvider(engine: () => Promise<Engine>): Provider {
  return {
    ...builtin,
    submit: async (submission: Submission): Promise<Answer> => {
      if (submission.check !== 'spoof_detect') {
        throw new Fault('provider_refused', `The built-in engine cannot do ${submission.check}`);
      }
      const selfie = await submission.openCapture('selfie');
      if (selfie.kind === 'too_large') {
        return { kind: 'decided', finding: tooLarge, measurements: { capture_bytes: selfie.bytes } };
      }
      const { finding, measurements } = await analyse(engine, selfie.bytes, submission.thresholds);
      return { kind: 'decided', finding, measurements };
    },
  };
}

/** What a capture holds is a finding; an exception is the engine's own fault, and its text may name files. */
async function analyse(
  engine: () => Promise<Engine>,
  bytes: Uint8Array,
  thresholds: Submission['thresholds'],
): Promise<Analysis> {
  try {
    const opened = await engine();
    return await opened.analyseSelfie(bytes, thresholds);
  } catch (cause) {
    throw new Fault('provider_failed', 'The built-in engine failed', { cause });
  }
}
