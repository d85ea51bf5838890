import { readFileSync } from 'node:fs';
import type { Check } from '../../shared/domain/captures.ts';
import { Fault } from '../../shared/domain/fault.ts';
import type { Finding, Measurements, Scores } from '../../shared/domain/verdict.ts';
import { connectors } from '../../shared/providers/connect.ts';
import type { Fetch, Submission } from '../../shared/providers/provider.ts';
import { registry } from '../../shared/providers/registry.ts';
import { credentialsOf } from '../contracts/credentials.ts';
import { submissionOf } from '../contracts/submission.ts';

export const fixtureFolder = new URL('../fixtures/vendors/', import.meta.url);
export const fixtureBytes = (file: string): Buffer => readFileSync(new URL(file, fixtureFolder));
export const fixtureText = (file: string): string => fixtureBytes(file).toString();

export interface Vendors {
  readonly status?: number;
  readonly body: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly submission?: Partial<Submission>;
}

export interface Answered {
  /** `passed`, `failed reason …`, `recapture reason …`, `accepted`, or the code of the fault. */
  readonly outcome: string;
  readonly scores: Scores;
  readonly confidence: number | null | undefined;
  readonly measurements: Measurements;
  /** The request's body, as text. */
  readonly sent: string;
  readonly url: string;
  readonly headers: Headers;
}

/** What an adapter makes of one answer of its vendor's. */
export async function answering(provider: string, check: Check, vendor: Vendors): Promise<Answered> {
  let sent = '';
  let url = '';
  let headers = new Headers();
  const fetch: Fetch = async (address, init) => {
    url = address;
    headers = new Headers(init.headers);
    sent = await new Response(init.body).text();
    return new Response(vendor.body, { status: vendor.status ?? 200 });
  };
  const { remote } = registry.get(provider) ?? {};
  const settings = { ...(remote ? { baseUrl: 'https://vendor.example/v1' } : {}), ...vendor.settings };
  const connected = connectors
    .get(provider)
    ?.connect({ settings, credentials: credentialsOf(provider, 'a-key') }, { fetch, sleep: async () => undefined });
  if (!connected) throw new Error(`no provider ${provider}`);
  const nothing = { scores: {}, confidence: undefined, measurements: {} };
  const submission = submissionOf(
    check,
    {},
    {
      linkCapture: async (name, seconds) => `https://captures.example/${name}?seconds=${seconds}`,
      ...vendor.submission,
    },
  );
  try {
    const answer = await connected.submit(submission);
    const { measurements = {} } = answer;
    if (answer.kind === 'accepted') return { outcome: 'accepted', ...nothing, measurements, sent, url, headers };
    const { scores, confidence } = answer.finding;
    return {
      outcome: outcomeText(answer.finding),
      scores,
      confidence,
      measurements: answer.measurements ?? {},
      sent,
      url,
      headers,
    };
  } catch (error) {
    if (error instanceof Fault) return { outcome: error.code, ...nothing, sent, url, headers };
    throw error;
  }
}

export const outcomeText = ({ outcome, reasons }: Finding): string => [outcome, ...reasons].join(' ');
