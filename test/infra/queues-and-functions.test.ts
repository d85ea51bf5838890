import { readdirSync } from 'node:fs';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import type * as z from 'zod';
import { ServiceFunction } from '../../infra/constructs/service-function.ts';
import { registry } from '../../shared/providers/registry.ts';
import { behindLive, chosen, makeStack, named, resourcesOf, synthesize } from './stack.ts';

const stack = makeStack();
const template = Template.fromStack(stack);
const functions = resourcesOf(template, 'AWS::Lambda::Function');
const queues = resourcesOf(template, 'AWS::SQS::Queue');
const mappings = Object.values(resourcesOf(template, 'AWS::Lambda::EventSourceMapping')).map((each) => each.Properties);

describe('queues', () => {
  it('let one bad message fail alone', () => {
    expect(mappings).toHaveLength(registry.size + 5); // captures that land, the two of orders, webhooks, and the table's stream
    for (const mapping of mappings) expect(mapping.FunctionResponseTypes).toEqual(['ReportBatchItemFailures']);
  });

  it('and the stream run at most so many executions each, the default of no mapping', () => {
    for (const { EventSourceArn, ScalingConfig, ParallelizationFactor } of mappings) {
      const isQueue = named(EventSourceArn) in queues;
      expect(isQueue ? ScalingConfig?.MaximumConcurrency : ParallelizationFactor, named(EventSourceArn)).toEqual(
        expect.any(Number),
      );
    }
  });

  it('all have a place for what they cannot deliver, after five attempts, or an hour of them where order is kept', () => {
    for (const [name, { Properties }] of Object.entries(queues)) {
      if (name.endsWith('undeliverable') || name === 'healthrolledback') continue; // a person reads them
      // Of captures never within hours: an account without a free execution would lose people's landings.
      const receives = name === 'captureintakecapturesqueue' ? 1000 : Properties.FifoQueue ? 20 : 5;
      expect(Properties.RedrivePolicy.maxReceiveCount).toBe(receives);
      expect(named(Properties.RedrivePolicy.deadLetterTargetArn)).toBe(name.replace(/queue$/, 'undeliverable'));
    }
  });

  it('hide a message six times as long as its function may take', () => {
    const fromQueues = mappings.filter(({ EventSourceArn }) => named(EventSourceArn) in queues);
    expect(fromQueues).toHaveLength(registry.size + 4); // captures that land, the two of orders, and webhooks
    for (const { EventSourceArn, FunctionName } of fromQueues) {
      const { Timeout } = functions[behindLive(FunctionName)]?.Properties ?? {};
      expect(queues[named(EventSourceArn)]?.Properties.VisibilityTimeout).toBe(6 * Timeout);
    }
  });

  it('are encrypted, and refuse to be spoken to in the clear', () => {
    template.allResourcesProperties('AWS::SQS::Queue', { SqsManagedSseEnabled: true });
    const guarded = Object.values(resourcesOf(template, 'AWS::SQS::QueuePolicy')).flatMap(({ Properties }) => {
      expect(JSON.stringify(Properties.PolicyDocument)).toContain('"aws:SecureTransport":"false"');
      return Properties.Queues.map(named);
    });
    expect(guarded.sort()).toEqual(Object.keys(queues).sort());
  });

  it('of webhooks keep the order of each lane, which counts for itself, and so do their dead letters', () => {
    const fifo = Object.entries(queues).filter(([, { Properties }]) => Properties.FifoQueue);
    expect(fifo.map(([name]) => name).sort()).toEqual(['orderswebhooksqueue', 'orderswebhooksundeliverable']);
    expect(queues.orderswebhooksqueue?.Properties).toMatchObject({
      DeduplicationScope: 'messageGroup',
      FifoThroughputLimit: 'perMessageGroupId',
      VisibilityTimeout: 180,
    });
    const limit = (context?: Record<string, unknown>) => {
      const all = Object.values(resourcesOf(synthesize(context), 'AWS::Lambda::EventSourceMapping'));
      const mapping = all.find((each) => named(each.Properties.EventSourceArn) === 'orderswebhooksqueue');
      return [mapping?.Properties.BatchSize, mapping?.Properties.ScalingConfig.MaximumConcurrency];
    };
    expect(limit()).toEqual([1, 20]);
    expect(limit(chosen)).toEqual([1, 200]);
  });

  it('exist for every provider there is, with time enough for its call and for recording the answer', () => {
    for (const { name, timeoutSeconds } of registry.values()) {
      const mapping = mappings.find(({ EventSourceArn }) => named(EventSourceArn) === `providers${name}queue`);
      expect(mapping?.BatchSize).toBe(1);
      const { Timeout } = functions[behindLive(mapping?.FunctionName)]?.Properties ?? {};
      expect(Timeout).toBeGreaterThan(Math.max(...Object.values(timeoutSeconds)) + 15);
    }
  });
});

describe('a capture that lands', () => {
  it('is noticed if it is a capture, in this bucket', () => {
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: {
        source: ['aws.s3'],
        'detail-type': ['Object Created'],
        detail: {
          bucket: { name: [{ Ref: Match.stringLikeRegexp('^captures') }] },
          object: { key: [{ prefix: 'captures/' }] },
        },
      },
      Targets: [
        Match.objectLike({ Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^captureintakecapturesqueue'), 'Arn'] } }),
      ],
    });
  });

  it('is analysed a few at a time: by the queue’s limit, never by reserving what a new account has not got', () => {
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', { ScalingConfig: { MaximumConcurrency: 5 } });
    template.allResourcesProperties('AWS::Lambda::Function', { ReservedConcurrentExecutions: Match.absent() });
    synthesize(chosen).hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      ScalingConfig: { MaximumConcurrency: 12 },
    });
  });
});

describe('a move', () => {
  it('is told from the stream, given up only after an hour of trying, and then kept', () => {
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      StartingPosition: 'TRIM_HORIZON',
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: 60,
      MaximumRecordAgeInSeconds: Match.anyValue(),
      FilterCriteria: { Filters: [{ Pattern: '{"eventName":["MODIFY"]}' }] },
      DestinationConfig: { OnFailure: { Destination: Match.anyValue() } },
    });
  });

  it('goes to a bus named after the stack, so that two deployments can live in one account', () => {
    template.hasResourceProperties('AWS::Events::EventBus', { Name: 'bonafide-verifications' });
  });
});

describe('sweeping', () => {
  it('happens every minute, never twice for the same minute, and its failures are kept', () => {
    template.hasResourceProperties('AWS::Events::Rule', { ScheduleExpression: 'rate(1 minute)', State: 'ENABLED' });
    template.hasResourceProperties('AWS::Lambda::EventInvokeConfig', { MaximumRetryAttempts: 0 });
    expect(functions.sweepsweepverifications?.Properties.DeadLetterConfig).toBeDefined();
  });
});

describe('functions', () => {
  it.each(readdirSync('functions'))('of functions/%s are deployed', (folder) => {
    const folders = stack.node.findAll().flatMap((each) => (each instanceof ServiceFunction ? [each.folder] : []));
    expect(folders).toContain(folder);
  });

  it('are woken by their alias alone: what calls them names `live`, and a new version is one that `live` is moved to', () => {
    const aliases = Object.values(resourcesOf(template, 'AWS::Lambda::Alias')).map(({ Properties }) => Properties);
    expect(aliases.map(({ FunctionName }) => named(FunctionName)).sort()).toEqual(Object.keys(functions).sort());
    expect(new Set(aliases.map(({ Name }) => Name))).toEqual(new Set(['live']));
    const called = (type: string, of: (properties: Record<string, unknown>) => unknown[]) =>
      Object.values(resourcesOf(template, type)).flatMap(({ Properties }) => of(Properties).map(behindLive));
    const targets = ({ ScheduleExpression, Targets }: Record<string, unknown>) =>
      ScheduleExpression ? (Targets as { Arn: unknown }[]).map(({ Arn }) => Arn) : [];
    const byWhat = [
      called('AWS::Lambda::EventSourceMapping', ({ FunctionName }) => [FunctionName]),
      called('AWS::ApiGatewayV2::Integration', ({ IntegrationUri }) => [IntegrationUri]),
      called('AWS::Events::Rule', targets),
    ];
    expect([...new Set(byWhat.flat())].sort()).toEqual(Object.keys(functions).sort());
    const permitted = called('AWS::Lambda::Permission', ({ FunctionName }) => [FunctionName]);
    expect([...new Set(permitted)].sort()).toEqual([...byWhat.slice(1).flat()].sort());
  });

  it('take a new version at once, or, with rollout=canary, a tenth of what comes for five minutes', () => {
    template.resourceCountIs('AWS::CodeDeploy::DeploymentGroup', 0);
    const canary = synthesize({ rollout: 'canary' });
    const groups = Object.values(resourcesOf(canary, 'AWS::CodeDeploy::DeploymentGroup'));
    expect(groups).toHaveLength(Object.keys(functions).length);
    const alarms = Object.keys(canary.findResources('AWS::CloudWatch::Alarm')).filter((id) => id.startsWith('rollout'));
    expect(alarms).toHaveLength(2);
    for (const { Properties } of groups) {
      expect(Properties.DeploymentConfigName).toBe('CodeDeployDefault.LambdaCanary10Percent5Minutes');
      expect(Properties.AutoRollbackConfiguration.Events).toContain('DEPLOYMENT_STOP_ON_ALARM');
      expect(Properties.AlarmConfiguration.Alarms.map(({ Name }: { Name: { Ref: string } }) => Name.Ref)).toEqual(
        alarms,
      );
    }
    for (const alias of Object.values(canary.findResources('AWS::Lambda::Alias'))) {
      expect(alias.UpdatePolicy.CodeDeployLambdaAliasUpdate.DeploymentGroupName).toBeDefined();
    }
    expect(Object.keys(canary.toJSON().Resources).length).toBeLessThan(500); // CloudFormation takes no more
  });

  it('are all on the dashboard', () => {
    const [dashboard] = Object.values(resourcesOf(template, 'AWS::CloudWatch::Dashboard'));
    const shown = named(dashboard?.Properties.DashboardBody);
    for (const name of Object.keys(functions)) expect(shown).toContain(name);
  });

  it('run on Node 24 on the processor asked for, and log JSON for a month', () => {
    template.allResourcesProperties('AWS::Lambda::Function', {
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      LoggingConfig: { LogFormat: 'JSON', LogGroup: Match.anyValue() },
    });
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 });
    synthesize({ architecture: 'x64' }).allResourcesProperties('AWS::Lambda::Function', { Architectures: ['x86_64'] });
  });

  it('are given exactly the variables they read', async () => {
    for (const [name, { Properties }] of Object.entries(functions)) {
      const folder =
        readdirSync('functions').find((each) => name.includes(each.replaceAll('-', ''))) ?? 'dispatch-verification';
      const { environment } = (await import(`../../functions/${folder}/environment.ts`)) as {
        environment: z.ZodObject;
      };
      const read = [...Object.keys(environment.shape), 'POWERTOOLS_SERVICE_NAME'].sort(); // the last by its metrics
      expect(Object.keys(Properties.Environment.Variables).sort(), name).toEqual(read);
    }
  });

  it('know the queue of every provider', () => {
    const { Variables } = functions.captureintakenoticecapture?.Properties.Environment ?? {};
    expect(Object.keys(JSON.parse(named(Variables.PROVIDER_QUEUES)))).toEqual([...registry.keys()]);
  });

  it('are told things a simple reader of templates can resolve', () => {
    for (const { Properties } of Object.values(functions)) {
      const intrinsics = JSON.stringify(Properties.Environment).match(/"(Fn::\w+)"/g) ?? [];
      for (const intrinsic of intrinsics) expect(['"Fn::GetAtt"', '"Fn::Join"', '"Fn::Sub"']).toContain(intrinsic);
    }
  });

  it('wait for a verdict at most 10 s where waiting is paid for, 20 s where it is not, and outlive the wait', () => {
    const read = (context?: Record<string, unknown>): unknown[] => {
      const { Timeout, Environment } =
        resourcesOf(synthesize(context), 'AWS::Lambda::Function').publicapireadverification?.Properties ?? {};
      return [Environment.Variables.MAXIMUM_WAIT_SECONDS, Timeout];
    };
    expect(read()).toEqual(['10', 15]);
    expect(read({ local: true })).toEqual(['20', 25]);
  });
});
