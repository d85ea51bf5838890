import { Architecture } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { routes, stageThrottle, type Throttle } from '../shared/api/operations.ts';
import {
  flag,
  nearest,
  oneOf,
  optional,
  origin,
  origins,
  partsOfArn,
  type Read,
  text,
  wholeNumber,
} from './context.ts';

/**
 * Everything a deployment may choose: every key of CDK context, and how it is read. A key that is not here stops
 * synthesis; docs/deploying.md says of each what it chooses, and a test holds the page to this table.
 */
export const contextKeys = {
  /** arm64 (default) or x64. The engine's native parts must have been prepared for it. */
  architecture: oneOf('arm64', 'x64'),
  /** True keeps tables and bucket when the stack goes (default); false destroys them with it. */
  retainData: flag(true),
  /** `s3` (default: keys that AWS owns) or `kms` (one key of this account, for everything at rest). */
  encryption: oneOf('s3', 'kms'),
  /** Web origins that may call the API and upload captures. None by default. */
  allowedOrigins: origins,
  /** The origin at which callers reach the API, where that is not its own: behind a proxy. */
  publicUrl: origin,
  /** The API's own host name, which `certificateArn` is for. With it the address of API Gateway is closed. */
  domain: text('a host name in small letters like verify.example', /^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/),
  /** A certificate in ACM, of this account and region. */
  certificateArn: text('the ARN of a certificate in ACM', /^arn:[^:]+:acm:[^:]+:\d{12}:certificate\//),
  /** How many captures are analysed at once. SQS takes no less than 2. */
  engineConcurrency: wholeNumber({ default: 5, from: 2, to: 1000 }),
  /** How many calls each vendor gets at once. */
  vendorConcurrency: wholeNumber({ default: 5, from: 2, to: 1000 }),
  /** How many endpoints of all tenants are sent events at once. SQS takes no less than 2. */
  webhookConcurrency: wholeNumber({ default: 20, from: 2, to: 1000 }),
  /**
   * How many calls of each vendor's API may wait for their verdict at once. Absent by default: it is reserved from the
   * account's executions, of which a new account has none to spare.
   */
  servedConcurrency: optional(wholeNumber({ default: 10, from: 1, to: 1000 })),
  /** And with it the engine's share of processors: 3008 is all a new account may ask for (docs/decisions/010). */
  engineMemoryMegabytes: wholeNumber({ default: 3008, from: 1024, to: 10_240 }),
  /** The directory of another model pack, from the project's own. The shipped one by default. */
  models: text('a directory', /./),
  /** Where operators may sign in besides by invitation: this, `oidcClientId` and `oidcClientSecret`, or none of them. */
  oidcIssuer: text('a URL like https://id.example', /^https?:\/\/[^/]/),
  oidcClientId: text('a text', /./),
  oidcClientSecret: text('the ARN of a secret in Secrets Manager', /^arn:[^:]+:secretsmanager:/),
  /** `rate/burst` of the whole API. */
  throttle: optional(throttle),
  /** `rate/burst` by route key, over what `operations.ts` says. */
  throttles: throttlesByRoute,
  /** False ends the second look for records from before ids had a key. */
  legacyIds: flag(true),
  /** An SNS topic that is told of every alarm. */
  alarmTopicArn: text('the ARN of an SNS topic', /^arn:[^:]+:sns:[^:]+:\d{12}:/),
  /** `prod`: the stack cannot be deleted by one command, keeps its logs, bounds its roles and names itself in tags. */
  stage: oneOf('dev', 'prod'),
  /** A policy that bounds every role of the stack. With `stage=prod` the stack makes one where none is given. */
  permissionsBoundary: text('the ARN of a policy in IAM', /^arn:[^:]+:iam::(\d{12}|aws):policy\//),
  /** `at-once` (default): a new version takes all traffic; `canary`: a tenth of it for five minutes, and none if alarms ring. */
  rollout: oneOf('at-once', 'canary'),
  /** True records X-Ray traces. */
  tracing: flag(false),
  /** True is for `npm start`: nothing that is deployed has it. */
  local: flag(false),
  /** The name of the stack. Two names are two deployments in one account. */
  stackName: text('letters, digits and hyphens', /^[A-Za-z][A-Za-z0-9-]*$/),
  /** True runs cdk-nag at every synthesis. */
  nag: flag(false),
} satisfies Record<string, Read<unknown>>;

type ContextKey = keyof typeof contextKeys;

/** What was chosen, by key. */
type Chosen = { readonly [Key in ContextKey]: ReturnType<(typeof contextKeys)[Key]> };

/** What the stack is made by: the choices, and what follows from them. */
export interface Settings
  extends Omit<
    Chosen,
    'architecture' | 'domain' | 'certificateArn' | 'models' | 'throttle' | 'throttles' | 'stackName'
  > {
  readonly architecture: Architecture;
  readonly stackName: string;
  /** The API's own host name, with its certificate. */
  readonly domain: { readonly name: string; readonly certificateArn: string } | undefined;
  /** `models`. */
  readonly modelPack: string | undefined;
  readonly oidc: { readonly issuer: string; readonly clientId: string; readonly clientSecret: string } | undefined;
  readonly throttle: Throttle;
  /** `throttles`. */
  readonly routeThrottles: ReadonlyMap<string, Throttle>;
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

/** Reads the deployment's choices. Refuses unknown keys, values that mean nothing, and what cannot go together. */
export function readSettings(scope: Construct): Settings {
  refuseUnknownKeys(Object.keys(scope.node.getAllContext()));
  const chosen = choices(scope);
  for (const { impossible, because } of pairs) {
    if (impossible(chosen)) throw new Error(`Context ${because}`);
  }
  const {
    architecture,
    domain: name,
    certificateArn,
    models,
    throttle: ofStage,
    throttles,
    stackName,
    ...others
  } = chosen;
  const { local, oidcIssuer: issuer, oidcClientId: clientId, oidcClientSecret: clientSecret } = chosen;
  return {
    ...others,
    architecture: architecture === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
    stackName: stackName ?? 'bonafide',
    domain: name && certificateArn ? { name, certificateArn } : undefined,
    publicUrl: name ? `https://${name}` : chosen.publicUrl,
    modelPack: models,
    oidc: issuer && clientId && clientSecret ? { issuer, clientId, clientSecret } : undefined,
    throttle: ofStage ?? stageThrottle,
    routeThrottles: throttles,
    sourceMaps: local,
    quickPages: local,
    coldEngine: local,
    loopback: local,
    maximumWaitSeconds: local ? 20 : 10,
  };
}

/** Refuses resources that the deployment names and could not use, because they are in another region than it. */
export function refuseOtherRegions(scope: Construct, region: string | undefined): void {
  const chosen = choices(scope);
  for (const key of ['certificateArn', 'alarmTopicArn', 'oidcClientSecret'] as const) {
    const arn = chosen[key];
    if (region === undefined || arn === undefined || partsOfArn(arn).region === region) continue;
    throw new Error(`Context ${key} must be in ${region}, where this is deployed, not in ${partsOfArn(arn).region}.`);
  }
}

const choices = (scope: Construct): Chosen =>
  Object.fromEntries(
    Object.entries(contextKeys).map(([key, read]) => [key, read(scope.node.tryGetContext(key), key)]),
  ) as Chosen;

/** Choices that cannot go together. `because` names the keys, and what to choose instead. */
const pairs: readonly { readonly impossible: (chosen: Chosen) => boolean; readonly because: string }[] = [
  {
    impossible: ({ oidcIssuer, oidcClientId, oidcClientSecret }) =>
      new Set([oidcIssuer, oidcClientId, oidcClientSecret].map((part) => part === undefined)).size > 1,
    because: 'oidcIssuer, oidcClientId and oidcClientSecret go together: give all three or none.',
  },
  {
    impossible: ({ domain, certificateArn }) => (domain === undefined) !== (certificateArn === undefined),
    because: 'domain and certificateArn go together: the certificate is for the domain.',
  },
  {
    impossible: ({ domain, publicUrl }) => domain !== undefined && publicUrl !== undefined,
    because: 'publicUrl cannot be given with domain, which says where callers reach the API: leave out publicUrl.',
  },
  {
    impossible: ({ stage, retainData }) => stage === 'prod' && !retainData,
    because: 'retainData=false cannot go with stage=prod, which keeps what people entrusted to it.',
  },
  {
    impossible: ({ stage, local }) => stage === 'prod' && local,
    because: 'local cannot go with stage=prod: links of strangers would reach what stands beside it.',
  },
  {
    impossible: ({ permissionsBoundary, local }) => permissionsBoundary !== undefined && local,
    because: 'permissionsBoundary cannot go with local, where no role is made.',
  },
  {
    impossible: ({ rollout, local }) => rollout === 'canary' && local,
    because: 'rollout=canary cannot go with local, where a new version replaces the old at once.',
  },
];

/** Keys of the CDK and its command line: flags, what it passes to the app, and what it writes into context itself. */
const ofCdk = /^(@aws-cdk(-containers)?\/|aws:|cli-telemetry$|acknowledged-issue-numbers$)/;

function refuseUnknownKeys(given: readonly string[]): void {
  const unknown = given.find((key) => !Object.hasOwn(contextKeys, key) && !ofCdk.test(key));
  if (unknown === undefined) return;
  const meant = nearest(unknown, Object.keys(contextKeys));
  throw new Error(
    `Context ${unknown} is no key that this service reads; the nearest is ${meant}. All are in docs/deploying.md.`,
  );
}

function throttle(value: unknown, key: string): Throttle {
  const [, rate, burst] = /^(\d+)\/(\d+)$/.exec(String(value)) ?? [];
  if (rate === undefined || burst === undefined) {
    throw new Error(
      `Context ${key} must be requests per second and burst, like 100/200, not ${JSON.stringify(value)}.`,
    );
  }
  return { rate: Number(rate), burst: Number(burst) };
}

function throttlesByRoute(value: unknown, key: string): ReadonlyMap<string, Throttle> {
  const throttles = new Map(
    routes.flatMap((route) => (route.throttle ? [[route.key as string, route.throttle] as const] : [])),
  );
  for (const [name, text] of Object.entries(byRoute(value, key))) {
    if (!routes.some((route) => route.key === name)) throw new Error(`Context ${key} names no route: ${name}.`);
    throttles.set(name, throttle(text, `${key}[${name}]`));
  }
  return throttles;
}

function byRoute(value: unknown, key: string): object {
  try {
    const given: unknown = typeof value === 'string' ? JSON.parse(value) : (value ?? {});
    if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given;
  } catch {
    // Said below.
  }
  throw new Error(`Context ${key} must be JSON like {"POST /verifications":"50/100"}, not ${JSON.stringify(value)}.`);
}
