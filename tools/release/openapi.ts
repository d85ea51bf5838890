import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { routes } from '../../infra/routes.ts';
import {
  capturesBody,
  clientView,
  historyView,
  listView,
  problemView,
  stateView,
  uploadsView,
  verificationRequest,
  verificationView,
} from '../../shared/api/verifications.ts';
import { type FaultCode, faults } from '../../shared/domain/fault.ts';
import { state } from '../../shared/domain/verification.ts';

/*
 * npm run openapi: writes docs/openapi.json, OpenAPI 3.1 made from the routes and the schemas that the API itself uses.
 * A test holds the file to what this makes.
 */

interface Operation {
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  readonly request?: z.ZodType;
  readonly answers: Readonly<Record<number, readonly [description: string, ...schemas: z.ZodType[]]>>;
  readonly faults: readonly FaultCode[];
  readonly query?: readonly object[];
  /** A client_token will do instead of the key. */
  readonly byClient?: boolean;
}

const parameter = (name: string, description: string, schema: object, required = false) => ({
  name,
  in: 'query',
  description,
  required,
  schema,
});

/** What each route of the table does, by its key. A route without an entry here fails the build of the document. */
const operations: Readonly<Record<string, Operation>> = {
  'POST /verifications': {
    id: 'requestVerification',
    summary: 'Ask for a verification and get upload URLs for its captures',
    description:
      'Idempotent by source_id: the same body again is 200, with fresh URLs while captures are awaited and the state alone after.',
    request: verificationRequest,
    answers: { 201: ['Made', uploadsView], 200: ['Made before by the same request', uploadsView, stateView] },
    faults: [
      'request_unreadable',
      'api_key_invalid',
      'source_id_conflict',
      'source_id_erased',
      'request_too_large',
      'request_invalid',
      'provider_unavailable',
      'check_unavailable',
      'capture_type_unsupported',
      'capture_length_invalid',
    ],
  },
  'POST /verifications/{source_id}/captures': {
    id: 'requestCaptures',
    summary: 'Fresh upload URLs for this round; after a recapture, the next round',
    request: capturesBody,
    answers: { 200: ['What is still missing', uploadsView] },
    faults: [
      'client_token_invalid',
      'verification_unknown',
      'state_conflict',
      'rounds_spent',
      'source_id_erased',
      'request_invalid',
    ],
    byClient: true,
  },
  'GET /verifications': {
    id: 'listVerifications',
    summary: 'Verifications of one state, newest first',
    query: [
      parameter('state', 'Which state', z.toJSONSchema(state), true),
      parameter('limit', 'How many at the most', { type: 'integer', minimum: 1, maximum: 100, default: 20 }),
      parameter('cursor', 'next_cursor of the page before', { type: 'string' }),
    ],
    answers: { 200: ['A page', listView] },
    faults: ['api_key_invalid', 'request_invalid'],
  },
  'GET /verifications/{source_id}': {
    id: 'readVerification',
    summary: 'State and verdict',
    description: 'With a client_token: neither scores nor attempts nor provider.',
    query: [
      parameter(
        'wait',
        'Answer once decided, errored, expired or erased, or after this many seconds (at most 10 on AWS by default)',
        {
          type: 'integer',
          minimum: 0,
          maximum: 20,
          default: 0,
        },
      ),
    ],
    answers: { 200: ['As it is', verificationView, clientView] },
    faults: ['api_key_invalid', 'client_token_invalid', 'verification_unknown', 'request_invalid'],
    byClient: true,
  },
  'GET /verifications/{source_id}/history': {
    id: 'readHistory',
    summary: 'Every move, and the first twenty notes',
    answers: { 200: ['The history', historyView] },
    faults: ['api_key_invalid', 'verification_unknown'],
  },
  'DELETE /verifications/{source_id}': {
    id: 'eraseVerification',
    summary: 'Erase it: captures, scores, metadata, history. A tombstone keeps the source_id taken',
    answers: { 200: ['Erased, now or before', stateView] },
    faults: ['api_key_invalid', 'verification_unknown'],
  },
  'POST /verifications/{source_id}/retry': {
    id: 'retryVerification',
    summary: 'Try an errored verification again while its captures are stored',
    answers: { 202: ['Queued again', stateView] },
    faults: ['api_key_invalid', 'verification_unknown', 'state_conflict', 'captures_gone', 'retries_spent'],
  },
  'POST /webhooks/{provider}/{token}': {
    id: 'receiveResult',
    summary: 'Where a vendor posts its result; the address is made by npm run admin',
    request: z.looseObject({}).describe('As the vendor documents it'),
    answers: { 200: ['Applied, repeated, late or contradictory', z.object({ received: z.literal(true) })] },
    faults: ['request_unreadable', 'webhook_unknown', 'request_too_large'],
  },
};

/** The OpenAPI 3.1 document of our own API. */
export function openApi(): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const { method, path } of routes) {
    const operation = operations[`${method} ${path}`];
    if (!operation) throw new Error(`${method} ${path} is not described in tools/release/openapi.ts`);
    paths[path] = { ...paths[path], [method.toLowerCase()]: described(path, operation) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Bonafide',
      version: '0.1.0',
      description: 'Is this a bona fide person in front of the camera, and is it the one on the ID?',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: 'http://127.0.0.1:4000', description: 'npm start' }],
    security: [{ key: [] }],
    paths,
    components: {
      securitySchemes: {
        key: { type: 'apiKey', in: 'header', name: 'x-api-key', description: "A tenant's key; for servers only." },
        client_token: { type: 'http', scheme: 'bearer', description: 'Follows one verification for a day.' },
      },
      schemas: { Problem: schemaOf(problemView) },
    },
  };
}

function described(
  path: string,
  { id, summary, description, request, answers, faults: codes, query = [], byClient }: Operation,
) {
  const parameters = [
    ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
      name,
      in: 'path',
      required: true,
      schema: { type: 'string', maxLength: 128 },
    })),
    ...query,
  ];
  return {
    operationId: id,
    summary,
    ...(description ? { description } : {}),
    ...(byClient ? { security: [{ key: [] }, { client_token: [] }] } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(request ? { requestBody: { required: true, content: json(schemaOf(request, 'input')) } } : {}),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, [text, first, ...others]]) => [
          status,
          {
            description: text,
            ...(first
              ? {
                  content: json(
                    others.length > 0 ? { anyOf: [first, ...others].map((one) => schemaOf(one)) } : schemaOf(first),
                  ),
                }
              : {}),
          },
        ]),
      ),
      ...problems(codes),
    },
  };
}

/** One response per status, naming the codes it may carry. */
function problems(codes: readonly FaultCode[]): Record<string, object> {
  const byStatus = Map.groupBy(codes, (code) => faults[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, ofStatus]) => [
      status,
      {
        description: ofStatus.map((code) => `\`${code}\`: ${faults[code].title}`).join('. '),
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  );
}

function json(schema: object): object {
  return { 'application/json': { schema } };
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output' = 'output'): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}

if (import.meta.main) {
  const file = join(import.meta.dirname, '../..', 'docs', 'openapi.json');
  writeFileSync(file, `${JSON.stringify(openApi(), null, 2)}\n`);
  console.log('Wrote docs/openapi.json');
}
