import type { Finding } from '../../domain/verdict.ts';
import type { Delivery } from '../provider.ts';
import { readJson } from '../wire-values.ts';
import { failure, result } from './wire.ts';

/**
 * What Identify's webhook says: parsed JSON, or the text of it. Undefined for anything that is not its documented shape.
 * An error with `payload: null` names no request at all: its reference is empty, which is as unknown as a forged one.
 */
export function readDelivery(body: unknown): Delivery | undefined {
  const json = typeof body === 'string' ? parseLenient(body) : body;
  const delivered = result.safeParse(json);
  if (delivered.success) {
    const { passed, probability, source_id } = delivered.data.payload;
    return { reference: source_id, answer: { kind: 'decided', finding: findingOf(passed, probability ?? null) } };
  }
  const failed = failure.safeParse(json);
  if (!failed.success) return undefined;
  return { reference: failed.data.payload?.source_id ?? '', answer: { kind: 'fault', code: 'provider_refused' } };
}

/** `probability` is that the result is correct: 0.9 of "not passed" is a live score of 0.1. */
function findingOf(passed: boolean, probability: number | null): Finding {
  return {
    outcome: passed ? 'passed' : 'failed',
    confidence: probability,
    reasons: passed ? [] : ['presentation_attack_suspected'],
    scores: probability === null ? {} : { live: passed ? probability : 1 - probability },
  };
}

/** The document's own sample says `"probability": .91`, which is not JSON: a missing 0 is put back, nothing else is. */
function parseLenient(text: string): unknown {
  return readJson(text) ?? readJson(text.replace(/("probability"\s*:\s*)\./, '$10.'));
}
