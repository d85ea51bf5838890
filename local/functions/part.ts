import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { defaultConcurrency, mappingsTo } from '../event-sources/mappings.ts';
import type { HttpApi } from '../http-api/http-api.ts';
import { routesOf } from '../http-api/part.ts';
import type { Part } from '../part.ts';
import { notKnown, type Resource, region, type Template } from '../template.ts';
import { type FunctionDefinition, type LocalFunction, startFunction } from './functions.ts';

/** The functions of the stack. */
export interface Functions {
  of: (arn: string) => LocalFunction;
  all: () => LocalFunction[];
}

/** Functions with more memory than this carry models: few at a time, and started ahead. */
const heavyFunctionMb = 1536;
const apiConcurrency = 10;
const graceMs = 5000;

/** The functions, with their logs in `logs/` of the data directory. */
export const functions: Part<{ environment: Record<string, string>; api: HttpApi }, { functions: Functions }> = async (
  { template, dataDirectory, targets, verbose },
  { environment, api },
) => {
  const started = new Map<string, LocalFunction>();
  for (const { arn, definition, warm } of functionsOf(template, environment, api.url)) {
    const one = startFunction(definition, { logDirectory: path.join(dataDirectory, 'logs'), verbose });
    started.set(arn, one);
    // Asynchronous, as on Lambda: the sender does not learn what becomes of it.
    targets.set(arn, async (payload) => void one.invoke(payload).catch((error: unknown) => console.error(error)));
    if (warm) one.warm();
  }
  const of = (arn: string) => {
    const found = started.get(arn);
    if (!found) throw new Error(`${arn} is not a function of this stack`);
    return found;
  };
  return {
    gives: { functions: { of, all: () => [...started.values()] } },
    async drain() {
      await Promise.all([...started.values()].map((one) => one.stop(graceMs)));
    },
  };
};

function functionsOf(template: Template, awsEnvironment: Record<string, string>, apiUrl: string) {
  const behindApi = new Set(routesOf(template).map(({ functionArn }) => functionArn));
  const apiOnAws = `https://local.execute-api.${region}.amazonaws.com`;
  return template.ofType('AWS::Lambda::Function').map((resource) => {
    const properties = template.properties(resource) as {
      Code: { S3Key?: string };
      Handler: string;
      Timeout?: number;
      MemorySize?: number;
      Environment?: { Variables: Record<string, string> };
      Layers?: unknown;
      PackageType?: string;
    };
    if (!properties.Code.S3Key || properties.Layers || properties.PackageType === 'Image') {
      throw notKnown(resource, 'inline code, layers or images');
    }
    const memoryMb = properties.MemorySize ?? 128;
    const heavy = memoryMb >= heavyFunctionMb;
    const variables = Object.entries(properties.Environment?.Variables ?? {});
    const definition: FunctionDefinition = {
      name: resource.name,
      shortName: resource.shortName,
      ...bundleOf(resource, template.assetPath(properties.Code.S3Key), properties.Handler),
      timeoutSeconds: properties.Timeout ?? 3,
      memoryMb,
      environment: {
        ...Object.fromEntries(variables.map(([name, value]) => [name, String(value).replaceAll(apiOnAws, apiUrl)])),
        ...awsEnvironment,
      },
      concurrency: concurrencyOf(resource, heavy, behindApi, template),
    };
    return { arn: resource.arn, definition, warm: heavy };
  });
}

function concurrencyOf(resource: Resource, heavy: boolean, behindApi: Set<string>, template: Template): number {
  const limits = mappingsTo(template, resource).map(({ ScalingConfig }) => ScalingConfig?.MaximumConcurrency);
  const limit = Math.max(0, ...limits.filter((one) => one !== undefined)) || defaultConcurrency;
  // One inference already uses several processors.
  if (heavy) return Math.min(limit, availableParallelism() >= 8 ? 2 : 1);
  // More where people wait for an answer: a request may hold its process for as long as it waits for a verdict.
  return behindApi.has(resource.arn) ? apiConcurrency : limit;
}

function bundleOf(resource: Resource, asset: string, handler: string) {
  const dot = handler.lastIndexOf('.');
  const [base, exportName] = [handler.slice(0, dot), handler.slice(dot + 1)];
  const file = ['.mjs', '.js', '.cjs'].map((ending) => path.join(asset, `${base}${ending}`)).find(existsSync);
  if (!file) throw new Error(`The function ${resource.name} has no ${base}.mjs in ${asset}`);
  return { file, exportName };
}
