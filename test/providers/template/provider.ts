import * as z from 'zod';
import { Fault } from '../../../shared/domain/fault.ts';
import type { Finding } from '../../../shared/domain/verdict.ts';
import { openFor } from '../../../shared/providers/capture.ts';
import { baseUrl, callVendor, readAnswer, secret } from '../../../shared/providers/http.ts';
import type { Answer, Fetch, Provider, Submission } from '../../../shared/providers/provider.ts';
import { exactly } from '../../../shared/providers/settings.ts';
import { template as capabilities } from './capabilities.ts';
import { type Request, response } from './wire.ts';

export const settings = exactly({ baseUrl, timeoutSeconds: z.number().positive().max(15).optional() });
export const credentials = exactly({ apiKey: secret });

export interface Connection {
  readonly settings: z.infer<typeof settings>;
  readonly credentials: z.infer<typeof credentials>;
  readonly fetch: Fetch;
}

/** Where captures are sent: `credentials set` says it. */
export function address({ baseUrl: base }: Connection['settings']): string {
  return `${base}/liveness`;
}

export function template(connection: Connection): Provider {
  return {
    ...capabilities,
    submit: (submission) => submit(submission, connection),
    probe: { costs: 'It is sent no image, which is one call.', run: async () => void (await ask('', connection)) },
  };
}

async function submit(submission: Submission, connection: Connection): Promise<Answer> {
  if (submission.check !== 'spoof_detect')
    throw new Fault('provider_refused', `${capabilities.name} cannot do ${submission.check}.`);
  const selfie = await openFor(capabilities, submission, 'selfie');
  if (selfie.kind === 'unusable') return selfie.answer;
  const answer = await ask(Buffer.from(selfie.bytes).toString('base64'), connection);
  switch (answer.result) {
    case 'ok':
      return { kind: 'decided', finding: judge(answer.live_score, submission.thresholds.live ?? 0.5) };
    case 'no_face':
      return { kind: 'decided', finding: recapture };
  }
}

async function ask(image: string, { settings, credentials, fetch }: Connection): Promise<z.output<typeof response>> {
  const { name, timeoutSeconds } = capabilities;
  const request: Request = { image };
  const { text } = await callVendor({
    provider: name,
    url: address(settings),
    headers: { 'content-type': 'application/json', 'x-api-key': credentials.apiKey },
    body: JSON.stringify(request),
    timeoutSeconds: settings.timeoutSeconds ?? timeoutSeconds.spoof_detect,
    fetch,
  });
  return readAnswer(response, text, name);
}

const recapture: Finding = { outcome: 'recapture', confidence: null, reasons: ['face_not_detected'], scores: {} };

function judge(live: number, threshold: number): Finding {
  return live > threshold
    ? { outcome: 'passed', confidence: live, reasons: [], scores: { live } }
    : { outcome: 'failed', confidence: 1 - live, reasons: ['presentation_attack_suspected'], scores: { live } };
}
