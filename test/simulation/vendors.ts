import * as z from 'zod';
import { type CaptureName, capturesOf } from '../../shared/domain/captures.ts';
import { Fault, type FaultCode, faultCodes } from '../../shared/domain/fault.ts';
import type { Fingerprints } from '../../shared/domain/fingerprint.ts';
import { webhookSeconds } from '../../shared/domain/times.ts';
import { type Finding, type Outcome, outcome } from '../../shared/domain/verdict.ts';
import type { Answer, Delivery, Submission } from '../../shared/providers/provider.ts';
import { genuineToken } from './acts.ts';
import type { Circumstances } from './circumstances.ts';
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

const webhook = z.object({
  reference: z.string(),
  outcome: outcome.optional(),
  code: z.enum(faultCodes).optional(),
});

export function webhookBody(reference: string, says: Outcome | FaultCode): string {
  const said = outcome.safeParse(says);
  return JSON.stringify(said.success ? { reference, outcome: said.data } : { reference, code: says });
}

/** What the vendors' webhooks say, read as an adapter reads a vendor's. */
export function readWebhook(body: string): Delivery | undefined {
  const { reference, outcome: said, code } = webhook.parse(JSON.parse(body));
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

/** What a vendor sees of the world, and who watches it. */
interface Around {
  readonly referee: Referee;
  /** Milliseconds. */
  readonly clock: () => number;
  readonly say: ((line: string) => void) | undefined;
}

/** The other side of every call. */
export interface Vendors {
  readonly submit: (provider: string, submission: Submission, around: Around) => Promise<Answer>;
}

/** Vendors that say what chance has them say, and send their webhooks early, late, twice or never. */
export function simulatedVendors(circumstances: Circumstances, { chance, pick, below }: Random) {
  const webhooking = new Set(
    circumstances.route.flatMap(({ name, answersBy }) => (answersBy === 'webhook' ? [name] : [])),
  );
  const flying: Webhook[] = [];

  const opinion = (): Outcome => (chance(circumstances.recapturing) ? 'recapture' : pick(['passed', 'failed']));

  const submit: Vendors['submit'] = async (provider, submission, around) => {
    const { referee, say } = around;
    const { verificationId, attempt, round } = submission;
    await readCaptures(submission, webhooking.has(provider));
    const reference = webhooking.has(provider) ? await submission.reference() : undefined;
    await standHere();
    referee.called(verificationId, attempt, provider, submission.challenge);
    const ends = chance(circumstances.faulting) ? pick([...faultsOfVendors, 'bug'] as const) : 'answer';
    // What was refused is not worked on; what timed out or broke off may be.
    if (reference && (ends === 'answer' || chance(0.3))) plan(provider, submission, reference, around);
    await standHere();
    if (ends === 'bug') {
      referee.faulted(verificationId, attempt, 'provider_failed');
      throw new TypeError('An adapter met something it was not made for');
    }
    if (ends !== 'answer') {
      say?.(`${provider} ends attempt ${attempt} with ${ends}`);
      referee.faulted(verificationId, attempt, ends);
      throw new Fault(ends, 'as chance would have it');
    }
    if (reference) {
      say?.(`${provider} accepts attempt ${attempt}`);
      return { kind: 'accepted' };
    }
    const said = opinion();
    referee.answered(verificationId, round, provider, said);
    say?.(`${provider} answers attempt ${attempt}: ${said}`);
    return { kind: 'decided', finding: findingOf(said), fingerprints: fingerprintsOf(submission) };
  };

  async function readCaptures(submission: Submission, byLink: boolean): Promise<void> {
    for (const name of capturesOf[submission.check] as readonly CaptureName[]) {
      if (byLink) await submission.linkCapture(name, webhookSeconds);
      else if (name === 'video') await submission.streamCapture(name);
      else await submission.openCapture(name);
    }
  }

  /** Nothing, one webhook or several; in time, before the response, or long after the last deadline. */
  function plan(provider: string, submission: Submission, reference: string, { referee, clock }: Around): void {
    const truth = opinion();
    const times = pick([0, 1, 1, 1, 2, 3]);
    for (let time = 0; time < times; time += 1) {
      const seconds = pick([0, 0, 5, 60, webhookSeconds - 5, webhookSeconds + 5, 4 * webhookSeconds]);
      const code = chance(0.15) ? pick(faultsOfVendors) : undefined;
      const said = chance(0.2) ? opinion() : truth;
      const token = chance(0.98) ? genuineToken : 'forged';
      if (!code && token === genuineToken)
        referee.answered(submission.verificationId, submission.round, provider, said);
      flying.push({
        provider,
        token,
        body: webhookBody(reference, code ?? said),
        readyAt: clock() + seconds * 1000 + below(1000),
      });
    }
  }

  return { submit, flying };
}

/** Which of two pictures a stored version shows: every other pair of uploads is one picture, sent twice. */
export function pictureOf(versionId: string): string {
  const number = Number(versionId.replace('version-', ''));
  return `picture ${Math.floor((number - 1) / 2) % 2}`;
}

/** No upload has the bytes of another; of one picture, a band is the same and another one is not. */
export function fingerprintsOf({ captures, fingerprinted }: Submission): Fingerprints {
  return Object.fromEntries(
    fingerprinted.map((name) => {
      const versionId = captures[name]?.versionId ?? '';
      return [name, { sha256: versionId, picture: [pictureOf(versionId), versionId], face: [] }];
    }),
  );
}

export function findingOf(said: Outcome): Finding {
  return { outcome: said, confidence: null, reasons: [], scores: {} };
}
