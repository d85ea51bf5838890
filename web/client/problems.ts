import type { components } from './schema.ts';

/** Every code that an answer of the API may carry. */
/** Of values that later versions of a deployment may add to, those that these types name: `Known<Verdict['outcome']>`. */
export type Known<Text extends string> = Text extends unknown ? (string extends Text ? never : Text) : never;

export type ProblemCode = Known<components['schemas']['Problem']['code']>;

/** One thing wrong with a request: a JSON pointer into the body or the name of a parameter, and what to do about it. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

interface Refusal<Code extends string> {
  readonly code: Code;
  readonly status: number;
  readonly detail: string;
  readonly retryable: boolean;
  readonly errors?: readonly FieldError[] | undefined;
  /** When the same request may work again, where the answer says so. */
  readonly retryAfterSeconds?: number | undefined;
}

/** The API refused a request: RFC 9457, by `code`. docs/integrate.md says what to do about each. */
export class BonafideProblem<Code extends ProblemCode = ProblemCode> extends Error {
  override readonly name = 'BonafideProblem';
  readonly code: Code;
  readonly status: number;
  readonly retryable: boolean;
  readonly errors: readonly FieldError[];
  readonly retryAfterSeconds: number | undefined;

  constructor({ code, status, detail, retryable, errors = [], retryAfterSeconds }: Refusal<Code>) {
    super(`${code}: ${detail}`);
    this.code = code;
    this.status = status;
    this.retryable = retryable;
    this.errors = errors;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** API Gateway, or a proxy before it, answered in the place of the API: without a code, and before any function was asked. */
export class GatewayProblem extends Error {
  override readonly name = 'GatewayProblem';
  readonly code = 'gateway';
  readonly status: number;
  readonly retryable: boolean;
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, detail: string, retryAfterSeconds?: number) {
    super(`gateway: ${status} ${detail}`);
    this.status = status;
    this.retryable = status === 429 || status >= 500;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** There was no whole answer: no network, a dropped connection, or none in time. */
export class NetworkFailure extends Error {
  override readonly name = 'NetworkFailure';
  readonly code = 'network_failure';
  readonly retryable = true;
  readonly retryAfterSeconds = undefined;
}

/**
 * S3 did not take a file, or the file is of no use any more.
 *
 * - `upload_expired`: the URL is no longer good. Ask for captures again.
 * - `upload_refused`: the file is not what was declared, or S3 refuses it for another reason.
 * - `upload_busy`: S3 is storing the same capture, or failing. Later it may work.
 * - `challenge_replaced`: the video says digits that were replaced meanwhile. Record it again, with those of a new answer.
 */
export class UploadProblem<
  Code extends 'upload_expired' | 'upload_refused' | 'upload_busy' | 'challenge_replaced' =
    | 'upload_expired'
    | 'upload_refused'
    | 'upload_busy'
    | 'challenge_replaced',
> extends Error {
  override readonly name = 'UploadProblem';
  readonly code: Code;
  readonly retryable: boolean;
  readonly retryAfterSeconds = undefined;

  constructor(code: Code, detail: string) {
    super(`${code}: ${detail}`);
    this.code = code;
    this.retryable = code === 'upload_busy';
  }
}

type EachCode<Code extends ProblemCode> = Code extends ProblemCode ? BonafideProblem<Code> : never;
type EachUploadCode<Code> = Code extends UploadProblem['code'] ? UploadProblem<Code> : never;

/** Everything that a call of this client may fail with, told apart by `code`. */
export type Problem = EachCode<ProblemCode> | GatewayProblem | NetworkFailure | EachUploadCode<UploadProblem['code']>;

/** Narrows what was caught; an abort by your own signal, and a defect, are no problems. */
export function isProblem(error: unknown): error is Problem {
  return (
    error instanceof BonafideProblem ||
    error instanceof GatewayProblem ||
    error instanceof NetworkFailure ||
    error instanceof UploadProblem
  );
}

/** The problem that an answer with an error status tells of. */
export function problemOf(response: Response, body: unknown): BonafideProblem | GatewayProblem {
  const { status } = response;
  const after = retryAfterOf(response);
  const { code, detail, message, retryable, errors } = fieldsOf(body);
  if (typeof code !== 'string') return new GatewayProblem(status, textOf(detail ?? message), after);
  return new BonafideProblem({
    code: code as ProblemCode, // a later version of the API may have codes that these types do not
    status,
    detail: textOf(detail),
    retryable: retryable === true,
    errors: Array.isArray(errors) ? errors.map(fieldErrorOf) : [],
    retryAfterSeconds: after,
  });
}

/** Seconds of a `Retry-After`, which is a number or a date. */
export function retryAfterOf({ headers }: Response): number | undefined {
  const text = headers.get('retry-after');
  if (text === null) return undefined;
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined;
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? { ...value } : {};
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function fieldErrorOf(value: unknown): FieldError {
  const { field, message } = fieldsOf(value);
  return { field: textOf(field), message: textOf(message) };
}
