import * as z from 'zod';
import { type CaptureName, capturesOf } from '../../shared/domain/captures.ts';
import { Fault, type FaultCode, faultCodes } from '../../shared/domain/fault.ts';
import { type Finding, type Outcome, outcome } from '../../shared/domain/verdict.ts';
import type { Answer, Delivery, Submission } from '../../shared/providers/provider.ts';
import { webhookSeconds } from '../../shared/providers/registry.ts';
import type { Circumstances, SimulatedProvider } from './circumstances.ts';
import { standHere } from './processes.ts';
import type { Random } from './random.ts';
import type { Referee } from './referee.ts';

/** A webhook on its way: it may be delivered once the clock has come to `readyAt` (milliseconds). */
export interface Webhook {
  readonly provider: string;
  readonly token: string;
  readonly body: string;
  readonly readyAt: number;
}

const webhookBody = z.object({
  reference: z.string(),
  outcome: outcome.optional(),
  code: z.enum(faultCodes).optional(),
});

/** What the simulated vendors' webhooks say, read as an adapter reads a vendor's. */
export function readWebhook(body: string): Delivery | undefined {
  const { reference, outcome: said, code } = webhookBody.parse(JSON.parse(body));
  if (code) return { reference, answer: { kind: 'fault', code } };
  return said && { reference, answer: { kind: 'decided', finding: findingOf(said) } };
}

const faultsOfVendors: readonly [FaultCode, ...FaultCode[]] = [
  'provider_unreachable',
  'provider_timed_out',
  'provider_throttled',
  'provider_failed',
  'provider_refused',
  'provider_unauthorized',
  'provider_credits_spent',
  'provider_unreadable',
  'capture_missing',
];

interface Surroundings {
  readonly circumstances: Circumstances;
  readonly random: Random;
  readonly referee: Referee;
  /** Milliseconds. */
  readonly clock: () => number;
  readonly say: ((line: string) => void) | undefined;
}

/** The other side of every call: says what chance has it say, and sends its webhooks early, late, twice or never. */
export function simulatedVendors({ circumstances, random, referee, clock, say }: Surroundings) {
  const { chance, pick, below } = random;
  const flying: Webhook[] = [];

  const opinion = (): Outcome => (chance(circumstances.recapturing) ? 'recapture' : pick(['passed', 'failed']));

  async function submit(provider: SimulatedProvider, submission: Submission): Promise<Answer> {
    const { verificationId, attempt, round } = submission;
    await readCaptures(provider, submission);
    const reference = provider.answersBy === 'webhook' ? await submission.reference() : undefined;
    await standHere();
    referee.called(verificationId, attempt, provider.name);
    const ends = chance(circumstances.faulting) ? pick([...faultsOfVendors, 'bug'] as const) : 'answer';
    // What was refused is not worked on; what timed out or broke off may be.
    if (reference && (ends === 'answer' || chance(0.3))) plan(provider, submission, reference, opinion());
    await standHere();
    if (ends === 'bug') {
      referee.faulted(verificationId, attempt, 'provider_failed');
      throw new TypeError('An adapter met something it was not made for');
    }
    if (ends !== 'answer') {
      say?.(`${provider.name} ends attempt ${attempt} with ${ends}`);
      referee.faulted(verificationId, attempt, ends);
      throw new Fault(ends, 'as chance would have it');
    }
    if (reference) {
      say?.(`${provider.name} accepts attempt ${attempt}`);
      return { kind: 'accepted' };
    }
    const said = opinion();
    referee.answered(verificationId, round, provider.name, said);
    say?.(`${provider.name} answers attempt ${attempt}: ${said}`);
    return { kind: 'decided', finding: findingOf(said) };
  }

  async function readCaptures(provider: SimulatedProvider, submission: Submission): Promise<void> {
    for (const name of capturesOf[submission.check] as readonly CaptureName[]) {
      if (provider.answersBy === 'webhook') await submission.linkCapture(name, webhookSeconds);
      else if (name === 'video') await submission.streamCapture(name);
      else await submission.openCapture(name);
    }
  }

  /** Nothing, one webhook or several; in time, before the response, or long after anybody waits. */
  function plan(provider: SimulatedProvider, submission: Submission, reference: string, truth: Outcome): void {
    const times = pick([0, 1, 1, 1, 2, 3]);
    for (let time = 0; time < times; time += 1) {
      const seconds = pick([0, 0, 5, 60, webhookSeconds - 5, webhookSeconds + 5, 4 * webhookSeconds]);
      const code = chance(0.15) ? pick(faultsOfVendors) : undefined;
      const said = chance(0.2) ? opinion() : truth;
      const token = chance(0.98) ? 'genuine' : 'forged';
      if (!code && token === 'genuine')
        referee.answered(submission.verificationId, submission.round, provider.name, said);
      flying.push({
        provider: provider.name,
        token,
        body: JSON.stringify(code ? { reference, code } : { reference, outcome: said }),
        readyAt: clock() + seconds * 1000 + below(1000),
      });
    }
  }

  return { submit, flying };
}

function findingOf(said: Outcome): Finding {
  return { outcome: said, confidence: null, reasons: [], scores: {} };
}
