import type { FaultCode } from '../domain/fault.ts';

/** Phrases by what they say is wrong with us, in small letters. The first that is found counts: most telling first. */
const phrases: readonly [code: FaultCode, phrases: readonly string[]][] = [
  [
    'provider_throttled',
    [
      'rate limit(s|ed|ing)?',
      'requests? limit',
      'too many (requests|calls)',
      'throttl\\w*',
      'slow down',
      '(requests|calls) per (second|minute)',
    ],
  ],
  [
    'provider_credits_spent',
    [
      'credits?(?! card)', // people photograph those too
      'quotas?',
      'billing',
      'payments?',
      'insufficient (funds|balance)',
      'account balance',
      '(usage|hourly|daily|weekly|monthly|yearly|account|api) limit',
      'subscription(?! key)',
      'trial',
      '(upgrade|renew) (your |the )?plan',
      'plan (has |is |was )?(expired|ended|exceeded|over)',
    ],
  ],
  [
    'provider_unauthorized',
    [
      '(api|access|secret|auth|subscription) ?keys?',
      '(invalid|wrong|incorrect|expired|revoked|disabled|inactive) (key|account)',
      '(invalid|wrong|incorrect|expired|revoked|missing) (\\w+ )?token',
      '(key|token|account) (is |was |has been )?(not valid|not active|invalid|incorrect|expired|revoked|disabled|inactive|suspended|blocked)',
      'credentials',
      '(un|not )authori[sz]ed',
      'authori[sz]ation',
      '(un|not )authenticated',
      'authentication',
      'forbidden',
      '(access|permission) (is |was )?denied',
    ],
  ],
];

const patterns = phrases.map(([code, words]) => [code, new RegExp(`\\b(${words.join('|')})\\b`)] as const);

/** More of a refusal is not read: it may be as long as an answer. */
const maximumLength = 2000;

/**
 * Which fault a vendor's refusal is, where it is about our key, our credits or our pace; undefined where it may be about
 * the capture. Vendors say so in free text or in codes of their own (`INVALID_API_KEY`, `rateLimitExceeded`), some of them
 * with status 200. Said of the key or the credits, it is true of the next call too, and opens the breaker.
 */
export function refusalIn(said: unknown): FaultCode | undefined {
  const text = (JSON.stringify(said) ?? '')
    .slice(0, maximumLength)
    .replaceAll(/([a-z0-9])(?=[A-Z])|([A-Z])(?=[A-Z][a-z])/g, '$& ') // codes in camel case are words
    .toLowerCase()
    .replaceAll(/[^a-z0-9']+/g, ' ');
  return patterns.find(([, pattern]) => pattern.test(text))?.[0];
}
