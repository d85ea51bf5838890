/**
 * Everything that can go wrong and that a caller, an operator or a queue has to know of, in one table.
 *
 * `status` is what an HTTP caller sees. `retry` is whether the same call may work later: queues hand the message over
 * again, callers read it as `retryable`. `attempt` is what a provider's fault means for its verification: try the same
 * provider once more, go on to the next one of the route, or give up on the route at once.
 * A spoof or a missing face is not here: those are findings, and findings are values.
 */
const table = {
  request_unreadable: { status: 400, retry: false, title: 'The request cannot be read' },
  request_invalid: { status: 422, retry: false, title: 'The request is not valid' },
  request_too_large: { status: 413, retry: false, title: 'The request is too large' },
  route_unknown: { status: 404, retry: false, title: 'There is nothing at this address' },
  api_key_invalid: { status: 401, retry: false, title: 'The API key is not valid' },
  client_token_invalid: { status: 401, retry: false, title: 'The client token is not valid' },
  session_invalid: { status: 401, retry: false, title: 'The console’s session is not valid' },
  invitation_invalid: { status: 410, retry: false, title: 'The invitation is not valid' },
  operator_forbidden: { status: 403, retry: false, title: 'The operator’s role does not allow this' },
  origin_forbidden: { status: 403, retry: false, title: 'The request comes from another site' },
  hand_off_invalid: { status: 410, retry: false, title: 'The hand-off code is not valid' },
  verification_unknown: { status: 404, retry: false, title: 'No verification has this source_id' },
  source_id_conflict: { status: 409, retry: false, title: 'This source_id is taken by another request' },
  source_id_erased: { status: 409, retry: false, title: 'The verification with this source_id was erased' },
  subject_locked: { status: 429, retry: false, title: 'The subject has failed too often' },
  state_conflict: { status: 409, retry: false, title: 'The verification is not in a state that allows this' },
  rounds_spent: { status: 409, retry: false, title: 'All rounds of captures are used' },
  retries_spent: { status: 409, retry: false, title: 'This verification was retried too often' },
  erasure_unfinished: { status: 409, retry: true, title: 'The erasure is not finished yet' },
  captures_gone: { status: 409, retry: false, title: 'The captures are no longer stored' },
  check_unavailable: { status: 422, retry: false, title: 'No provider of the route can do this check' },
  provider_unavailable: { status: 422, retry: false, title: 'This provider cannot be used' },
  capture_type_unsupported: {
    status: 422,
    retry: false,
    attempt: 'fail_over',
    title: 'The provider does not take captures of this type',
  },
  capture_length_invalid: { status: 422, retry: false, title: 'The capture is larger than allowed' },
  language_unsupported: { status: 422, retry: false, title: 'There is no model for this language' },
  challenge_unsupported: { status: 422, retry: false, title: 'No provider of the route takes such a challenge' },
  capture_missing: { status: 409, retry: false, attempt: 'give_up', title: 'A pinned capture is no longer stored' },
  provider_unreachable: { status: 503, retry: true, attempt: 'retry', title: 'The provider did not answer' },
  provider_timed_out: { status: 503, retry: true, attempt: 'retry', title: 'The provider took too long' },
  provider_throttled: { status: 503, retry: true, attempt: 'retry', title: 'The provider asked for fewer calls' },
  provider_failed: { status: 502, retry: true, attempt: 'retry', title: 'The provider failed' },
  provider_refused: { status: 502, retry: false, attempt: 'fail_over', title: 'The provider refused the request' },
  provider_unauthorized: {
    status: 502,
    retry: false,
    attempt: 'fail_over',
    title: 'The provider does not take the credentials',
  },
  provider_credits_spent: {
    status: 502,
    retry: false,
    attempt: 'fail_over',
    title: 'The credits with the provider are spent',
  },
  provider_unreadable: {
    status: 502,
    retry: false,
    attempt: 'fail_over',
    title: 'The provider sent an unknown answer',
  },
  breaker_open: { status: 503, retry: true, attempt: 'fail_over', title: 'The provider is not being called for now' },
  endpoint_unknown: { status: 404, retry: false, title: 'No endpoint has this id' },
  endpoint_disabled: { status: 409, retry: false, title: 'The endpoint is disabled or deleted' },
  delivery_unknown: { status: 404, retry: false, title: 'No delivery has this id' },
  event_erased: { status: 409, retry: false, title: 'The event is no longer kept' },
  result_closed: { status: 409, retry: false, title: 'The order of this result is closed' },
  replay_running: { status: 409, retry: false, title: 'A replay to this endpoint is running' },
  replay_unknown: { status: 404, retry: false, title: 'This endpoint has no replay' },
  webhook_unknown: { status: 404, retry: false, title: 'There is nothing at this address' },
  webhook_overdue: { status: 502, retry: false, attempt: 'fail_over', title: "The provider's webhook never came" },
  version_outdated: { status: 503, retry: true, title: 'A later version wrote what this one would act on' },
  lease_expired: { status: 503, retry: true, attempt: 'retry', title: 'The attempt ended without an answer' },
} as const satisfies Record<string, FaultRow>;

interface FaultRow {
  readonly status: number;
  readonly retry: boolean;
  readonly attempt?: 'retry' | 'fail_over' | 'give_up';
  readonly title: string;
}

export type FaultCode = keyof typeof table;

export const faults: Readonly<Record<FaultCode, FaultRow>> = table;

export const faultCodes = Object.keys(faults) as [FaultCode, ...FaultCode[]];

/** One thing wrong with a request: where, and what to do about it. */
export interface FieldError {
  /** JSON pointer into the body, or the name of a header or parameter. */
  readonly field: string;
  readonly message: string;
}

export class Fault extends Error {
  override readonly name = 'Fault';
  readonly code: FaultCode;
  readonly errors: readonly FieldError[] | undefined;
  /** When the same request may work again, where that is known. */
  readonly retryAfterSeconds: number | undefined;

  /** `detail` reaches callers and logs: never put a face, a name, a key, a signed URL or a vendor's body in it. */
  constructor(
    code: FaultCode,
    detail: string,
    options?: { cause?: unknown; errors?: readonly FieldError[]; retryAfterSeconds?: number },
  ) {
    super(detail, options);
    this.code = code;
    this.errors = options?.errors;
    this.retryAfterSeconds = options?.retryAfterSeconds;
  }

  get status(): number {
    return faults[this.code].status;
  }

  get retry(): boolean {
    return faults[this.code].retry;
  }

  get title(): string {
    return faults[this.code].title;
  }
}
