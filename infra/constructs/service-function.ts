import { join } from 'node:path';
import { AssetHashType, DockerImage, Duration, Stack } from 'aws-cdk-lib';
import { type Conditions, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Alias,
  Architecture,
  CfnEventSourceMapping,
  Code,
  EventSourceMapping,
  type IEventSource,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { engineFunction, layBundle, layEngine, layPages, pagesFunction, projectRoot } from '../bundle.ts';
import { readSettings, type Settings } from '../settings.ts';
import { acknowledge } from './acknowledge.ts';
import { shipGradually } from './rollout.ts';
import { ServiceAlarm } from './service-alarm.ts';
import { ServiceLogs } from './service-logs.ts';
import { percentage } from './service-metric.ts';

/** What is particular to one function. */
export interface ServiceFunctionProps<Environment extends Record<string, string>> {
  /** Exactly what the function's own `environment.ts` says it reads. */
  readonly environment: Environment;
  /** Folder of `functions/` it is made of, where one folder serves several functions. @default its name */
  readonly folder?: string;
  /** Who waits in vain, and for what, while this function fails: the first line of its alarm. */
  readonly hurtWhenFailing: string;
  /** @default 10 */
  readonly timeoutSeconds?: number;
  /** @default 512 */
  readonly memoryMegabytes?: number;
  /** Executions at once, taken out of the account's own. A new account has too few to give any away. */
  readonly reservedConcurrency?: number;
  /** Where an asynchronous invocation goes that failed for good. */
  readonly undeliverable?: IQueue;
}

/**
 * A Lambda from `functions/<name or folder>/handler.ts`, with this service's defaults and no permission but to log. It is
 * called by its alias alone: what wakes it names `live`, and a new version of the code is one that `live` is moved to.
 */
export class ServiceFunction<Environment extends Record<string, string>> extends LambdaFunction {
  /** The folder of `functions/` that it is made of. */
  readonly folder: string;
  /** The version that is called. */
  readonly live: Alias;

  constructor(scope: Construct, name: string, props: ServiceFunctionProps<Environment>) {
    const settings = readSettings(scope);
    const logGroup = new ServiceLogs(scope, `${name}-logs`);
    // A role of its own, because CDK's default one may write to every log group of the account.
    const role = new Role(scope, `${name}-role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    const { folder = name } = props;
    super(scope, name, {
      code: bundled(folder, settings),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: settings.architecture,
      memorySize: props.memoryMegabytes ?? 512,
      timeout: Duration.seconds(props.timeoutSeconds ?? 10),
      environment: { ...props.environment, ...ofEveryFunction(scope) },
      loggingFormat: LoggingFormat.JSON,
      logGroup,
      role,
      tracing: settings.tracing ? Tracing.ACTIVE : Tracing.DISABLED,
      ...(props.reservedConcurrency !== undefined && { reservedConcurrentExecutions: props.reservedConcurrency }),
      ...(props.undeliverable && { deadLetterQueue: props.undeliverable }),
    });
    this.folder = folder;
    this.live = new Alias(this, 'live', { aliasName: 'live', version: this.currentVersion });
    shipGradually(this.live);
    if (settings.tracing) acknowledge(role, 'AwsSolutions-IAM5[Resource::*]', 'X-Ray has no resources to name.');
    else {
      acknowledge(
        this,
        'Serverless-LambdaTracing',
        'Traces are a choice of the deployment (-c tracing=true): they cost per request, and the ids in the logs answer most questions.',
      );
    }
    if (!props.undeliverable) {
      acknowledge(
        this,
        'Serverless-LambdaDLQ',
        'A function’s own dead-letter queue is for asynchronous invocations. The API waits for this one’s answer, or a queue or stream calls it and keeps what it could not take.',
      );
    }

    new ServiceAlarm(this, 'errors', {
      hurt: props.hurtWhenFailing,
      runbook: 'function-errors',
      metric: percentage({
        part: this.metricErrors({ period: Duration.minutes(5) }),
        whole: this.metricInvocations({ period: Duration.minutes(5) }),
        least: 5,
      }),
      threshold: 10,
      evaluationPeriods: 3,
      datapointsToAlarm: 2,
    });
  }

  /** Brings what a queue holds to the version that is live. */
  override addEventSource(source: IEventSource): void {
    source.bind(this.live);
    for (const mapping of this.live.node.findAll()) if (mapping instanceof EventSourceMapping) this.leadHere(mapping);
  }

  /** Names the alias in a mapping by its ARN. CDK cuts its name out of that, which not every reader of templates can. */
  leadHere(mapping: EventSourceMapping): void {
    const { defaultChild } = mapping.node;
    if (!(defaultChild instanceof CfnEventSourceMapping)) throw new Error('A mapping is made of a mapping.');
    defaultChild.functionName = this.live.functionArn;
  }

  /** Grants these actions on this one resource, under these conditions. */
  allow(actions: readonly string[], resource: string, conditions?: Conditions): void {
    this.addToRolePolicy(
      new PolicyStatement({ actions: [...actions], resources: [resource], ...(conditions && { conditions }) }),
    );
  }
}

/** What the libraries in every bundle read: the name that its metrics carry. */
function ofEveryFunction(scope: Construct): Record<string, string> {
  return { POWERTOOLS_SERVICE_NAME: Stack.of(scope).stackName };
}

/** Any function of this service, whatever it reads from its environment. */
export type AnyServiceFunction = ServiceFunction<Record<string, string>>;

/** Bundles in this process: no Docker, no child process, the same bytes every time. */
function bundled(name: string, { architecture, modelPack, sourceMaps, quickPages, coldEngine }: Settings): Code {
  const processor = architecture === Architecture.ARM_64 ? 'arm64' : 'x64';
  // The function's own folder, not the project: CDK tells assets apart by their source.
  return Code.fromAsset(join(projectRoot, 'functions', name), {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      image: DockerImage.fromRegistry('unused'),
      local: {
        tryBundle(outputDirectory) {
          if (name === engineFunction) layEngine(outputDirectory, { processor, modelPack, coldEngine });
          if (name === pagesFunction) layPages(outputDirectory, { processor, modelPack, quickPages });
          layBundle(name, outputDirectory, { sourceMaps });
          return true;
        },
      },
    },
  });
}
