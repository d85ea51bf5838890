import { Architecture } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { routes, stageThrottle, type Throttle } from '../shared/api/operations.ts';

/** Everything a deployment may choose, read from CDK context in this one place. */
export interface Settings {
  /** `architecture`: arm64 (default) or x64. The engine's native parts must have been prepared for it. */
  readonly architecture: Architecture;
  /** `retainData`: true keeps tables and bucket when the stack goes (default); false destroys them with it. */
  readonly retainData: boolean;
  /** `encryption`: s3 (default: keys that AWS owns) or kms (one key of this account, for everything at rest). */
  readonly encryption: 's3' | 'kms';
  /** `allowedOrigins`: web origins that may call the API and upload captures. None by default. */
  readonly allowedOrigins: readonly string[];
  /** `publicUrl`: the origin at which callers reach the API, where that is not its own: behind a proxy. */
  readonly publicUrl: string | undefined;
  /** `engineConcurrency`: how many captures are analysed at once. SQS takes no less than 2. */
  readonly engineConcurrency: number;
  /** `vendorConcurrency`: how many calls each vendor gets at once. */
  readonly vendorConcurrency: number;
  /** `webhookConcurrency`: how many endpoints of all tenants are sent events at once. SQS takes no less than 2. */
  readonly webhookConcurrency: number;
  /**
   * `servedConcurrency`: how many calls of each vendor's API may wait for their verdict at once. Absent by default: it is
   * reserved from the account's executions, of which a new account has none to spare.
   */
  readonly servedConcurrency: number | undefined;
  /** `engineMemoryMegabytes`: and with it the engine's share of processors. */
  readonly engineMemoryMegabytes: number;
  /** `models`: the directory of another model pack, from the project's own. The shipped one by default. */
  readonly modelPack: string | undefined;
  /**
   * `oidcIssuer`, `oidcClientId` and `oidcClientSecret` (the ARN of a secret): where operators may sign in besides by
   * invitation. All three or none.
   */
  readonly oidc: { readonly issuer: string; readonly clientId: string; readonly clientSecret: string } | undefined;
  /** `throttle`: `rate/burst` of the whole API. */
  readonly throttle: Throttle;
  /** `throttles`: `rate/burst` by route key, over what `operations.ts` says. */
  readonly routeThrottles: ReadonlyMap<string, Throttle>;
  /** `legacyIds`: false ends the second look for records from before ids had a key. */
  readonly legacyIds: boolean;
  /** `alarmTopicArn`: an SNS topic that is told of every alarm. */
  readonly alarmTopicArn: string | undefined;
  /** `tracing`: true records X-Ray traces. */
  readonly tracing: boolean;
  /** Whether bundles carry source maps. `local`: true brings them, where errors are read by who wrote them. */
  readonly sourceMaps: boolean;
  /** `local`: true compresses pages in a tenth of the time, where they cross no network. */
  readonly quickPages: boolean;
  /** `local`: true runs no picture through the engine as it starts, which `npm start` would wait for. */
  readonly coldEngine: boolean;
  /** Whether links and webhooks of callers may lead to this machine. `local`: true lets them, and nothing that is deployed does. */
  readonly loopback: boolean;
  /** How long a GET may wait for a verdict. `local`: true lets it be longer, where waiting costs nothing. */
  readonly maximumWaitSeconds: number;
}

/** Reads the deployment's choices, and refuses those that mean nothing. */
export function readSettings(scope: Construct): Settings {
  const read = (key: string): unknown => scope.node.tryGetContext(key);
  const architecture = oneOf('architecture', read('architecture'), ['arm64', 'x64']);
  return {
    architecture: architecture === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
    retainData: flag('retainData', read('retainData'), true),
    encryption: oneOf('encryption', read('encryption'), ['s3', 'kms']),
    allowedOrigins: list(read('allowedOrigins')),
    publicUrl: origin('publicUrl', read('publicUrl')),
    engineConcurrency: wholeNumber('engineConcurrency', read('engineConcurrency'), { default: 5, from: 2, to: 1000 }),
    vendorConcurrency: wholeNumber('vendorConcurrency', read('vendorConcurrency'), { default: 5, from: 2, to: 1000 }),
    webhookConcurrency: wholeNumber('webhookConcurrency', read('webhookConcurrency'), {
      default: 20,
      from: 2,
      to: 1000,
    }),
    servedConcurrency:
      read('servedConcurrency') === undefined
        ? undefined
        : wholeNumber('servedConcurrency', read('servedConcurrency'), { default: 10, from: 1, to: 1000 }),
    // 3008 MB is all a new account may ask for, and 1.7 processors; sizes are measured in docs/decisions/010.
    engineMemoryMegabytes: wholeNumber('engineMemoryMegabytes', read('engineMemoryMegabytes'), {
      default: 3008,
      from: 1024,
      to: 10_240,
    }),
    modelPack: read('models') === undefined ? undefined : String(read('models')),
    oidc: provider(read('oidcIssuer'), read('oidcClientId'), read('oidcClientSecret')),
    throttle: throttle('throttle', read('throttle')) ?? stageThrottle,
    routeThrottles: throttlesByRoute(read('throttles')),
    legacyIds: flag('legacyIds', read('legacyIds'), true),
    alarmTopicArn: read('alarmTopicArn') === undefined ? undefined : String(read('alarmTopicArn')),
    tracing: flag('tracing', read('tracing'), false),
    sourceMaps: flag('local', read('local'), false),
    quickPages: flag('local', read('local'), false),
    coldEngine: flag('local', read('local'), false),
    loopback: flag('local', read('local'), false),
    maximumWaitSeconds: flag('local', read('local'), false) ? 20 : 10,
  };
}

/** Context given as `-c key=value` is always text, context in a file is not: both are meant. */
function flag(key: string, value: unknown, whenAbsent: boolean): boolean {
  if (value === undefined) return whenAbsent;
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw new Error(`Context ${key} must be true or false, not ${JSON.stringify(value)}.`);
}

function oneOf<const Choice extends string>(
  key: string,
  value: unknown,
  choices: readonly [Choice, ...Choice[]],
): Choice {
  const choice = value === undefined ? choices[0] : choices.find((candidate) => candidate === value);
  if (choice === undefined)
    throw new Error(`Context ${key} must be ${choices.join(' or ')}, not ${JSON.stringify(value)}.`);
  return choice;
}

function wholeNumber(key: string, value: unknown, range: { default: number; from: number; to: number }): number {
  const number = value === undefined ? range.default : Number(value);
  if (Number.isInteger(number) && number >= range.from && number <= range.to) return number;
  throw new Error(
    `Context ${key} must be a whole number from ${range.from} to ${range.to}, not ${JSON.stringify(value)}.`,
  );
}

function origin(key: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const text = String(value);
  if (URL.canParse(text) && new URL(text).origin === text) return text;
  throw new Error(
    `Context ${key} must be an origin like https://verify.example, without a path, not ${JSON.stringify(value)}.`,
  );
}

function provider(...given: readonly [issuer: unknown, clientId: unknown, clientSecret: unknown]): Settings['oidc'] {
  if (given.every((value) => value === undefined)) return undefined;
  const [issuer = '', clientId = '', clientSecret = ''] = given.map((value) => String(value ?? ''));
  if (URL.canParse(issuer) && clientId !== '' && /^arn:[^:]+:secretsmanager:/.test(clientSecret)) {
    return { issuer, clientId, clientSecret };
  }
  throw new Error(
    'Context oidcIssuer, oidcClientId and oidcClientSecret go together: a URL, a text, and the ARN of a secret in Secrets Manager.',
  );
}

function list(value: unknown): readonly string[] {
  const parts = Array.isArray(value) ? value.map(String) : String(value ?? '').split(',');
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

function throttle(key: string, value: unknown): Throttle | undefined {
  if (value === undefined) return undefined;
  const [, rate, burst] = /^(\d+)\/(\d+)$/.exec(String(value)) ?? [];
  if (rate === undefined || burst === undefined) {
    throw new Error(
      `Context ${key} must be requests per second and burst, like 100/200, not ${JSON.stringify(value)}.`,
    );
  }
  return { rate: Number(rate), burst: Number(burst) };
}

function throttlesByRoute(value: unknown): ReadonlyMap<string, Throttle> {
  const given: unknown = typeof value === 'string' ? JSON.parse(value) : (value ?? {});
  const throttles = new Map(
    routes.flatMap((route) => (route.throttle ? [[route.key as string, route.throttle] as const] : [])),
  );
  for (const [key, text] of Object.entries(given ?? {})) {
    if (!routes.some((route) => route.key === key)) throw new Error(`Context throttles names no route: ${key}.`);
    const parsed = throttle(`throttles[${key}]`, text);
    if (parsed) throttles.set(key, parsed);
  }
  return throttles;
}
