import type { FaultCode } from '../../shared/domain/fault.ts';
import type { Behaviour } from '../../tools/vendor-simulator/behaviour.ts';

/** How any vendor may go wrong, and the fault it must become. `docs/providers.md` has the same rows. */
export const transport: readonly [what: string, behaviour: Behaviour, code: FaultCode][] = [
  ['is slower than its timeout', { latencyMilliseconds: 5000 }, 'provider_timed_out'],
  ['never answers', { fault: 'hang' }, 'provider_timed_out'],
  ['sends its body too slowly', { fault: 'slow_body' }, 'provider_timed_out'],
  ['answers 500', { fault: 'failed' }, 'provider_failed'],
  ['answers 503', { fault: 'unavailable' }, 'provider_failed'],
  ['answers 401', { fault: 'unauthorized' }, 'provider_unauthorized'],
  ['answers 403', { fault: 'forbidden' }, 'provider_unauthorized'],
  ['answers 429', { fault: 'throttled' }, 'provider_throttled'],
  ['answers something that is not JSON', { fault: 'not_json' }, 'provider_unreadable'],
  ["answers a stranger's JSON", { fault: 'stranger' }, 'provider_unreadable'],
  ['answers half of its JSON', { fault: 'half_json' }, 'provider_unreadable'],
  ['answers a huge body', { fault: 'huge' }, 'provider_unreadable'],
  ['redirects', { fault: 'redirect' }, 'provider_unreadable'],
  ['hangs up in the middle of its body', { fault: 'half_sent' }, 'provider_unreachable'],
  ['resets the connection', { fault: 'reset' }, 'provider_unreachable'],
];
