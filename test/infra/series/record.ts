import { mkdirSync, writeFileSync } from 'node:fs';
import type { APIGatewayProxyEventV2, Context, SQSEvent, SQSRecord } from 'aws-lambda';
import { Fault } from '../../../shared/domain/fault.ts';
import type { Measurement } from '../../../shared/domain/metric.ts';
import { defaultPolicy, planFor } from '../../../shared/domain/policy.ts';
import type { Fetcher, SignWebhook, Work } from '../../../shared/domain/ports.ts';
import type { Verification } from '../../../shared/domain/verification.ts';
import { http } from '../../../shared/lambda/http.ts';
import { queue } from '../../../shared/lambda/queue.ts';
import { schedule } from '../../../shared/lambda/schedule.ts';
import { announceChanges, type Change } from '../../../shared/lifecycle/announce.ts';
import { askProvider } from '../../../shared/lifecycle/ask.ts';
import { breakerGate } from '../../../shared/lifecycle/gate.ts';
import { handOver } from '../../../shared/lifecycle/hand-over.ts';
import { sweepVerifications } from '../../../shared/lifecycle/overdue.ts';
import { sendWebhook } from '../../../shared/lifecycle/send-webhook.ts';
import type { Provider } from '../../../shared/providers/provider.ts';
import { providerNamed } from '../../../shared/providers/registry.ts';
import { readWork } from '../../../shared/stores/queues.ts';
import { bodyOf } from '../../../shared/webhooks/body.ts';
import { nextTryAfter } from '../../../shared/webhooks/schedule.ts';
import { signedSender } from '../../../shared/webhooks/sign.ts';
import { anEndpoint } from '../../builders/endpoint.ts';
import { setup } from '../../builders/setup.ts';
import { anAwaitingVerification, landedFor, start } from '../../builders/verification.ts';
import { memoryBreakers } from '../../simulation/breakers.ts';
import type { Point } from '../alarm-reader.ts';

/*
 * Records what metrics say of a deployment that is broken on purpose, for test/infra/alarms.test.ts:
 *
 *   node test/infra/series/record.ts
 *
 * The service's own wrappers and acts run in one process, on a clock that is moved by the second, for 25 minutes of which
 * the first two are whole: one verification a second through queue, provider, table's stream and webhooks. Metrics of our
 * own are those that the acts write. Metrics of AWS are counted as AWS counts them, from what the run did: an invocation
 * that throws is an error, a message that is received five times is undeliverable.
 */

const minutes = 25;
const brokenFrom = 2;
const context = {} as Context;
console.log = () => undefined;
process.stdout.write = () => true; // the wrappers' log lines

type Recorded = Map<string, Point[]>;
const files: string[] = [];

/** A run of 25 minutes: `everySecond` does what happens in one, and knows whether it is broken by now. */
async function record(
  made: string,
  names: Readonly<Record<string, readonly string[]>>,
  begin: (run: Run) => (broken: boolean, second: number) => Promise<void>,
  quota?: number,
): Promise<void> {
  const run = new Run();
  const everySecond = begin(run);
  for (let second = 0; second < minutes * 60; second += 1) {
    await everySecond(second >= brokenFrom * 60, second);
    run.at.advance(1);
  }
  for (const [name, metrics] of Object.entries(names)) {
    const found = metrics.map((metric) => {
      const points = run.recorded.get(metric);
      if (!points) throw new Error(`${name}: ${metric} was not recorded`);
      const tuples = Array.from({ length: minutes }, (_, minute) => points[minute]);
      return [metric, tuples.map((point) => (point ? [point.sum, point.samples, point.maximum] : null))];
    });
    const file = {
      made: `record.ts, broken from minute 2 on: ${made}.`,
      ...(quota && { quota }),
      metrics: Object.fromEntries(found),
    };
    mkdirSync('test/infra/series/recorded', { recursive: true });
    writeFileSync(`test/infra/series/recorded/${name}.json`, `${JSON.stringify(file)}\n`);
    files.push(name);
  }
}

/** The service with a table in memory, its stream, one provider's queue, and what was measured. */
class Run {
  readonly at = setup();
  readonly recorded: Recorded = new Map();
  readonly changes: Change[] = [];
  readonly work: Message<Work>[] = [];
  readonly #stream: Change[] = [];
  readonly #sequence = { next: 1 };

  readonly add = (metric: string, value: number): void => {
    const minute = Math.floor((this.at.now().getTime() - start.getTime()) / 60_000);
    const points = this.recorded.get(metric) ?? [];
    const { sum = 0, samples = 0, maximum = Number.NEGATIVE_INFINITY } = points[minute] ?? {};
    points[minute] = { sum: sum + value, samples: samples + 1, maximum: Math.max(maximum, value) };
    this.recorded.set(metric, points);
  };
  readonly measure = ({ metric, value }: Measurement): void => this.add(`Bonafide ${metric}`, value);
  readonly send = async (_: string, work: Work, delaySeconds = 0): Promise<void> =>
    void this.work.push({ body: work, visibleAt: this.seconds + delaySeconds, sentAt: this.seconds, receives: 0 });

  get seconds(): number {
    return this.at.now().getTime() / 1000;
  }

  /** The table; each move goes into its stream. */
  readonly verifications: ReturnType<typeof setup>['verifications'] = new Proxy(this.at.verifications, {
    get: (table, name, receiver) => {
      const verb: unknown = Reflect.get(table, name, receiver);
      if (name !== 'move' || typeof verb !== 'function') return verb;
      return async (from: Verification, ...others: unknown[]) => {
        const before = await table.find(from.verificationId);
        const result = await Reflect.apply(verb, table, [from, ...others]);
        const after = await table.find(from.verificationId);
        this.#stream.push({ sequenceNumber: String(this.#sequence.next++), before, after });
        return result;
      };
    },
  });

  /** A verification whose captures are in, handed to the first provider of its route. */
  async land(name: string, route: readonly string[], tenant = 'acme'): Promise<void> {
    const plan = planFor(
      { ...defaultPolicy, routes: { ...defaultPolicy.routes, spoof_detect: [...route] } },
      'spoof_detect',
    );
    const record = anAwaitingVerification({ sourceId: name, tenant, plan });
    await this.at.verifications.create(record);
    const fields = { landed: landedFor('spoof_detect'), provider: route[0] ?? '' };
    await handOver(record, fields, { ...this.at, verifications: this.verifications, send: this.send });
  }

  /** Hands the stream to announcing. False where it was refused: it comes again. */
  async announce(put: () => Promise<number[]> = async () => []): Promise<boolean> {
    const batch = this.#stream.splice(0);
    if (batch.length === 0) return true;
    const { failed } = await announceChanges(batch, { ...this.at, measure: this.measure, put });
    if (failed === undefined) return true;
    this.#stream.unshift(...batch);
    return false;
  }

  /** Receives what is visible: each message is an invocation. After five receives it is undeliverable. */
  async receive(invoke: (event: SQSEvent) => Promise<{ batchItemFailures: unknown[] }>): Promise<void> {
    const due = this.work.filter(({ visibleAt }) => visibleAt <= this.seconds);
    for (const message of due) {
      if (message.receives === 5) {
        this.work.splice(this.work.indexOf(message), 1);
        this.undeliverable += 1;
        continue;
      }
      message.receives += 1;
      message.visibleAt = this.seconds + visibilitySeconds;
      const record = { messageId: '1', body: JSON.stringify(wireOf(message.body)) } as SQSRecord;
      const failed = await invoke({ Records: [record] }).then(
        ({ batchItemFailures }) => ({ error: false, left: batchItemFailures.length > 0 }),
        () => ({ error: true, left: true }),
      );
      this.add('AWS/Lambda Invocations', 1);
      this.add('AWS/Lambda Errors', failed.error ? 1 : 0);
      if (!failed.left) this.work.splice(this.work.indexOf(message), 1);
    }
    this.measureQueue();
  }

  measureQueue(): void {
    const ages = this.work.map(({ sentAt }) => this.seconds - sentAt);
    this.add('AWS/SQS ApproximateNumberOfMessagesVisible', this.undeliverable);
    this.add('AWS/SQS ApproximateAgeOfOldestMessage', Math.max(0, ...ages));
  }

  undeliverable = 0;
}

interface Message<Body> {
  readonly body: Body;
  readonly sentAt: number;
  visibleAt: number;
  receives: number;
}

/** Shorter than the stack's, so that five receives fit into the run. */
const visibilitySeconds = 30;
const wireOf = ({ verificationId, sequence }: Work) => ({ verification_id: verificationId, sequence });

const breakers = memoryBreakers();
/** What no run comes to. */
const unused = async (): Promise<never> => {
  throw new Error('not asked for here');
};

const signedIn = { operators: { authenticate: unused } };

/** The function of a provider's queue, its provider answering as `submit` does. */
function asking(run: Run, provider: string, submit: Provider['submit']) {
  const gate = breakerGate(`${provider}#key`, 60, { breakers, counts: new Map(), now: run.at.now });
  return queue(
    () => ({
      ...run.at,
      verifications: run.verifications,
      send: run.send,
      captures: { ...run.at.captures, open: unused, stream: unused, link: unused },
      provider: providerNamed(provider),
      open: async () => ({ submit }),
      gate: () => gate,
      reference: unused,
    }),
    (body, dependencies) => askProvider(readWork(body), dependencies),
  );
}
const answered: Provider['submit'] = async () => ({
  kind: 'decided',
  finding: { outcome: 'passed', confidence: 0.9, reasons: [], scores: {} },
});

await record(
  'the engine’s function does not load, as with a handler that is not in its bundle',
  {
    'function-crashing': ['AWS/Lambda Errors', 'AWS/Lambda Invocations'],
    'nothing-decided': ['Bonafide Decided'],
    undeliverable: ['AWS/SQS ApproximateNumberOfMessagesVisible'],
  },
  (run) => {
    const engine = asking(run, 'builtin', answered);
    const crash = () => Promise.reject(new Error('index.nothing is undefined'));
    return async (broken, second) => {
      await run.land(`v-${second}`, ['builtin']);
      await run.receive(broken ? crash : (event) => engine(event, context));
      await run.announce();
    };
  },
);

await record('a vendor that cannot be reached', { 'vendor-down': ['Bonafide ProviderFaults'] }, (run) => {
  let broken = false;
  const vendor = asking(run, 'onesmartlab', async (submission) => {
    if (broken) throw new Fault('provider_unreachable', 'No answer.');
    return answered(submission);
  });
  return async (brokenNow, second) => {
    broken = brokenNow;
    await run.land(`v-${second}`, ['onesmartlab']);
    await run.receive((event) => vendor(event, context));
    await run.announce();
  };
});

await record(
  'the mapping of a queue is switched off: none of its messages is received',
  { 'queue-without-reader': ['AWS/SQS ApproximateAgeOfOldestMessage'] },
  (run) => {
    const engine = asking(run, 'builtin', answered);
    return async (broken, second) => {
      await run.land(`v-${second}`, ['builtin']);
      if (broken) run.measureQueue();
      else await run.receive((event) => engine(event, context));
    };
  },
);

await record(
  'the bus refuses every event; the age of the first one that waits',
  { 'events-late': ['AWS/Lambda IteratorAge'] },
  (run) => {
    let since: number | undefined;
    return async (broken, second) => {
      await run.land(`v-${second}`, ['builtin']);
      since ??= run.seconds;
      if (await run.announce(broken ? () => Promise.reject(new Error('AccessDenied')) : undefined)) since = undefined;
      run.add('AWS/Lambda IteratorAge', since === undefined ? 0 : 1000 * (run.seconds - since));
    };
  },
);

await record(
  'endpoints of three tenants, one each, cannot be reached; an event every twenty seconds',
  { 'endpoints-dead': ['Bonafide TenantsFailing', 'Bonafide WebhooksFailed'] },
  (run) => {
    let broken = false;
    const receiver: Pick<Fetcher, 'post'> = {
      post: async () => (broken ? { kind: 'failed', reason: 'unreachable' } : { kind: 'answered', status: 200 }),
    };
    const postSigned = signedSender(receiver, async () => ({}) as Awaited<ReturnType<SignWebhook>>, run.at.now);
    const tenants = ['acme', 'globex', 'initech'];
    const making = Promise.all(tenants.map((tenant) => run.at.endpoints.create(anEndpoint({ tenant }))));
    return async (brokenNow, second) => {
      await making;
      broken = brokenNow;
      if (second % 20 === 0) await run.land(`v-${second}`, ['builtin'], tenants[(second / 20) % 3]);
      await run.announce();
      const { webhooksSent, webhooksDelayed } = run.at;
      for (const message of webhooksSent.splice(0)) {
        await sendWebhook(message, {
          ...run.at,
          ...{ measure: run.measure, bodyOf, nextTryAfter, postSigned, put: async () => [] },
        });
      }
      webhooksDelayed.splice(0); // later tries fail alike
    };
  },
);

await record(
  'a function of one route lost its grants; two requests of three go to another',
  { 'api-without-grants': ['AWS/ApiGateway Count', 'AWS/ApiGateway 5xx'] },
  (run) => {
    let broken = false;
    const tenants = {
      authenticate: async () => ({ id: 'acme', policy: defaultPolicy, credentials: {} }),
      hasKey: async () => true,
    };
    const refuse = async (): Promise<never> => {
      if (broken) throw new Error('AccessDenied');
      throw new Fault('verification_unknown', 'No such verification.');
    };
    const key = 'DELETE /verifications/{source_id}';
    const handler = http('erase-verification', () => ({ ...run.at, tenants, ...signedIn }), {
      [key]: refuse,
      'DELETE /console/verifications/{source_id}': refuse,
    });
    const event = {
      ...{ version: '2.0', routeKey: key, rawPath: '/verifications/u', rawQueryString: '', isBase64Encoded: false },
      ...{ pathParameters: { source_id: 'u' }, headers: { 'x-api-key': 'k' }, requestContext: {} },
    } as unknown as APIGatewayProxyEventV2;
    return async (brokenNow, second) => {
      broken = brokenNow && second % 3 === 0;
      const { statusCode = 0 } = await handler(event, context);
      run.add('AWS/ApiGateway Count', 1);
      run.add('AWS/ApiGateway 5xx', statusCode >= 500 ? 1 : 0);
    };
  },
);

await record('the rule of the sweep is disabled', { 'sweep-off': ['AWS/Lambda Invocations'] }, (run) => {
  const sweep = schedule(
    () => ({ ...run.at, verifications: run.verifications, send: run.send }),
    (dependencies) => sweepVerifications(dependencies),
  );
  return async (broken, second) => {
    if (broken || second % 60 > 0) return;
    await sweep({}, context);
    run.add('AWS/Lambda Invocations', 1);
  };
});

await record(
  'an account of ten executions is given two requests a second that wait ten seconds each; those beyond are throttled',
  { concurrency: ['AWS/Usage ResourceCount'], throttled: ['AWS/Lambda Throttles', 'AWS/Lambda Invocations'] },
  (run) => {
    let ends: number[] = [];
    return async (broken) => {
      ends = ends.filter((end) => end > run.seconds);
      for (let request = 0; request < 2; request += 1) {
        const throttled = ends.length >= 10;
        if (!throttled) ends.push(run.seconds + (broken ? 10 : 1));
        run.add('AWS/Lambda Throttles', throttled ? 1 : 0);
        if (!throttled) run.add('AWS/Lambda Invocations', 1);
      }
      run.add('AWS/Usage ResourceCount', ends.length);
    };
  },
  10,
);

await record(
  'the target of a rule is gone; EventBridge gives up each of its events, and CloudFormation’s waits in its queue',
  {
    'rule-without-target': ['AWS/Events FailedInvocations'],
    'rolled-back': ['AWS/SQS ApproximateNumberOfMessagesVisible'],
  },
  (run) => async (broken, second) => {
    if (broken && second % 60 === 0) run.add('AWS/Events FailedInvocations', 1);
    run.add('AWS/SQS ApproximateNumberOfMessagesVisible', broken ? 1 : 0);
  },
);
process.stderr.write(`${files.join(', ')}\n`);
