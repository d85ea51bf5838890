import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { problemView } from '../../shared/api/verifications.ts';
import { Fault } from '../../shared/domain/fault.ts';
import { http, type Request, valid } from '../../shared/lambda/http.ts';
import { jsonLog } from '../../shared/lambda/log.ts';
import { queue } from '../../shared/lambda/queue.ts';

const lines: string[] = [];
const log = jsonLog(
  (line) => lines.push(line),
  () => new Date(0),
);
const context = {} as Context;

function event(but: Partial<APIGatewayProxyEventV2> = {}): APIGatewayProxyEventV2 {
  return {
    version: '2.0',
    routeKey: 'POST /things',
    rawPath: '/things',
    rawQueryString: '',
    headers: { 'content-type': 'application/json' },
    isBase64Encoded: false,
    requestContext: {} as APIGatewayProxyEventV2['requestContext'],
    ...but,
  };
}

async function answer(does: (request: Request) => Promise<unknown>, but: Partial<APIGatewayProxyEventV2> = {}) {
  const handler = http(
    () => ({ 'POST /things': async (request) => ({ status: 201, body: await does(request) }) }),
    log,
  );
  const { statusCode, headers, body } = await handler(event(but), context);
  return { status: statusCode, type: headers?.['content-type'], body: JSON.parse(body ?? 'null') };
}

describe('an HTTP function', () => {
  it('answers what its route answers', async () => {
    expect(await answer(async ({ json }) => json(), { body: '{"a":1}' })).toEqual({
      status: 201,
      type: 'application/json',
      body: { a: 1 },
    });
  });

  it('reads a body that API Gateway handed over as base64', async () => {
    const body = Buffer.from('{"a":"ü"}').toString('base64');
    expect((await answer(async ({ json }) => json(), { body, isBase64Encoded: true })).body).toEqual({ a: 'ü' });
  });

  it('turns a fault into its problem, with the source_id it is about', async () => {
    const { status, type, body } = await answer(
      async () => {
        throw new Fault('source_id_conflict', 'Use another.');
      },
      { pathParameters: { source_id: 'u-42' } },
    );
    expect({ status, type }).toEqual({ status: 409, type: 'application/problem+json' });
    expect(problemView.parse(body)).toEqual({
      type: 'urn:bonafide:problem:source_id_conflict',
      title: 'This source_id is taken by another request',
      status: 409,
      detail: 'Use another.',
      code: 'source_id_conflict',
      source_id: 'u-42',
      retryable: false,
    });
  });

  it('names every field that is wrong', async () => {
    const schema = z.strictObject({ name: z.string(), size: z.int() });
    const { status, body } = await answer(async ({ json }) => valid(schema, json()), {
      body: '{"size":"large","colour":1}',
    });
    expect(status).toBe(422);
    expect(body.errors.map(({ field }: { field: string }) => field)).toEqual(['/name', '/size', '/']);
  });

  it('says of a bug nothing but that there was one, and writes down where', async () => {
    lines.length = 0;
    const { status, body } = await answer(async () => {
      throw new Error('secret-key-123 at https://bucket/x?X-Amz-Signature=abc');
    });
    expect(status).toBe(500);
    expect(JSON.stringify(body) + lines.join('')).not.toMatch(/secret-key|Signature/);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'ERROR', event: 'request.failed', error: 'Error' });
    expect(lines[0]).toContain('http.test.ts');
  });

  it.each([
    ['{"a":', 400, 'request_unreadable'],
    ['x'.repeat(20_000), 413, 'request_too_large'],
  ])('refuses a body it cannot take', async (body, status, code) => {
    expect(await answer(async ({ json }) => json(), { body })).toMatchObject({ status, body: { code } });
  });

  it('knows no route that it was not given', async () => {
    expect((await answer(async () => 1, { routeKey: 'GET /other' })).body.code).toBe('route_unknown');
  });
});

describe('a queue’s function', () => {
  const records = (...bodies: string[]) => ({
    Records: bodies.map((body, index) => ({ messageId: `m${index}`, body })) as never,
  });

  it('lets one bad message fail alone', async () => {
    const handler = queue(async (body) => {
      if (body === 'bad') throw new Error('no');
    }, log);
    expect(await handler(records('good', 'bad', 'good'), context)).toEqual({
      batchItemFailures: [{ itemIdentifier: 'm1' }],
    });
  });

  it('acknowledges a fault that another try would not change', async () => {
    const handler = queue(async (body) => {
      throw new Fault(body === 'later' ? 'provider_unreachable' : 'capture_missing', 'x');
    }, log);
    expect(await handler(records('later', 'never'), context)).toEqual({
      batchItemFailures: [{ itemIdentifier: 'm0' }],
    });
  });
});
