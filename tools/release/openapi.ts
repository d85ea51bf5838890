import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import * as operators from '../../shared/api/console.ts';
import * as deliveries from '../../shared/api/deliveries.ts';
import * as endpoints from '../../shared/api/endpoints.ts';
import * as handOffs from '../../shared/api/hand-off.ts';
import { faultsOf, gatewayMessage, gatewayText, type Operation, routes } from '../../shared/api/operations.ts';
import * as views from '../../shared/api/verifications.ts';
import { webhookBodies, webhookName } from '../../shared/api/webhook-bodies.ts';
import { endpointEvent } from '../../shared/domain/endpoint.ts';
import { event } from '../../shared/domain/event.ts';
import { type FaultCode, faults } from '../../shared/domain/fault.ts';
import { laterText } from '../../shared/domain/later.ts';
import { received, refused } from '../../shared/providers/identify/answers.ts';
import { call as identifyCall } from '../../shared/providers/identify/calls.ts';
import { photoVerified, problem, spoofDetected, videoVerified } from '../../shared/providers/onesmartlab/answers.ts';
import { calls as onesmartlabCalls } from '../../shared/providers/onesmartlab/calls.ts';
import { coded, processed, worded } from '../../shared/providers/spoofsense/answers.ts';
import { call as spoofsenseCall } from '../../shared/providers/spoofsense/calls.ts';
import { commandLine } from '../command-line.ts';

/*
 * npm run openapi: writes docs/openapi.json, OpenAPI 3.1 made from the rows of operations.ts and the schemas that the API
 * itself uses, and docs/webhooks.schema.json, a JSON Schema of what endpoints are posted. A test holds the files to what
 * this makes.
 */

/** Schemas by the name that client generators give their types. */
const named = {
  requests: {
    VerificationRequest: views.verificationRequest,
    CapturesRequest: views.capturesRequestBody,
    HandOffClaim: handOffs.claimRequest,
    EndpointRequest: endpoints.endpointRequest,
    EndpointChange: endpoints.endpointChange,
    RotationRequest: endpoints.rotationRequest,
    ReplayRequest: deliveries.replayRequest,
    SignInRequest: operators.signInRequest,
    ConsoleReviewRequest: operators.consoleReviewRequest,
    LookRequest: operators.lookRequest,
    SpoofSenseCall: spoofsenseCall,
    PhotoVerifyCall: onesmartlabCalls.photoverify,
    VideoVerifyCall: onesmartlabCalls.videoverify,
    SpoofDetectCall: onesmartlabCalls.spoofdetect,
    IdentifyCall: identifyCall,
  },
  answers: {
    State: views.stateView,
    Uploads: views.uploadsView,
    Upload: views.uploadView,
    Verification: views.verificationView,
    ClientVerification: views.clientView,
    HandOff: handOffs.handOffView,
    ClaimedCapture: handOffs.claimedView,
    Verdict: views.verdictView,
    Attempt: views.attemptView,
    VerificationPage: views.listView,
    History: views.historyView,
    Endpoint: endpoints.endpointView,
    EndpointWithSecret: endpoints.endpointWithSecretView,
    Endpoints: endpoints.endpointsView,
    EndpointDeleted: endpoints.endpointDeletedView,
    EndpointTested: endpoints.endpointTestedView,
    Replay: endpoints.replayView,
    Delivery: deliveries.deliveryView,
    DeliveryWithBody: deliveries.deliveryWithBodyView,
    DeliveryPage: deliveries.deliveriesView,
    DeliveryAttempt: deliveries.tryView,
    EventPage: deliveries.eventsView,
    KeptEvent: deliveries.keptEventView,
    Event: event,
    EndpointEvent: endpointEvent,
    Receipt: views.receiptView,
    PublicKeys: views.publicKeysView,
    Session: operators.sessionView,
    SignedOut: operators.signedOutView,
    ConsoleSettings: operators.consoleSettingsView,
    ConsoleVerification: operators.consoleVerificationView,
    KeptCapture: operators.keptCaptureView,
    Look: operators.lookView,
    Looks: operators.looksView,
    Breakers: operators.breakersView,
    OutcomePage: operators.outcomesView,
    DecidedOutcome: operators.outcomeView,
    Problem: views.problemView,
    Reason: views.reasonView,
    LaterText: laterText,
    RecaptureReason: views.recaptureReasonView,
    FaultCode: views.faultCodeView,
    Received: views.receivedView,
    SpoofSenseProcessed: processed,
    SpoofSenseCoded: coded,
    SpoofSenseWorded: worded,
    PhotoVerified: photoVerified,
    VideoVerified: videoVerified,
    SpoofDetected: spoofDetected,
    OneSmartLabProblem: problem,
    IdentifyReceived: received,
    IdentifyRefused: refused,
    GatewayText: gatewayText,
    GatewayMessage: gatewayMessage,
    ...ofWebhooks(),
  },
} as const;

function ofWebhooks() {
  return Object.fromEntries([...webhookBodies].map(([type, body]) => [webhookName(type), body]));
}

/** What API Gateway itself answers, before any function is asked: its own shape, never a problem. */
const gatewayAnswers = {
  404: 'No such route',
  413: 'Larger than API Gateway takes (10 MB)',
  429: 'More requests than the deployment or the route takes: wait a second and try again',
  503: 'The function could not be run in time: try again',
} as const;

const ref = (name: string, place = '#/components/schemas/') => ({ $ref: `${place}${name}` });

/** The schemas of one direction, referring to each other by name. */
function components(schemas: Readonly<Record<string, z.ZodType>>, io: 'input' | 'output', place?: string) {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id });
  const document = z.toJSONSchema(registry, { ...writtenAs(io), uri: (id) => ref(id, place).$ref });
  return Object.fromEntries(
    Object.entries(document.schemas).map(([id, { $schema: _, $id: __, ...schema }]) => [id, schema]),
  );
}

/** A later version may answer with more fields than this document names. */
function writtenAs(io: 'input' | 'output'): z.core.ToJSONSchemaParams {
  const open = ({ jsonSchema }: { readonly jsonSchema: z.core.JSONSchema.BaseSchema }) => {
    if (io === 'output' && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
  };
  return { io, unrepresentable: 'any', override: open };
}

/** The name of a schema, or the schema itself where it has none. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output'): object {
  const known = Object.entries(io === 'input' ? named.requests : named.answers).find(([, one]) => one === schema);
  if (known) return ref(known[0]);
  if (schema instanceof z.ZodUnion) {
    return { anyOf: schema.options.map((option) => schemaOf(option as z.ZodType, io)) };
  }
  const { $schema: _, ...inline } = z.toJSONSchema(schema, writtenAs(io));
  return inline;
}

/** The OpenAPI 3.1 document of our own API. */
export function openApi(): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes.filter(({ page }) => !page)) {
    const { method, path } = route;
    paths[path] = { ...paths[path], [method.toLowerCase()]: described(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Bonafide',
      version: '0.1.0',
      description: 'Is this a bona fide person in front of the camera, and is it the one on the ID?',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      contact: { name: 'The operator of this deployment' },
    },
    servers: [{ url: 'http://127.0.0.1:4000', description: 'npm start' }],
    tags: [
      { name: 'verifications', description: 'Captures in, verdicts out' },
      { name: 'endpoints', description: 'Where events are sent, and what became of them: docs/webhooks.md' },
      { name: 'webhooks', description: 'Where vendors answer' },
      { name: 'keys', description: 'What is public of this deployment' },
      { name: 'console', description: 'For the page of operators: docs/console.md' },
      { name: 'vendors', description: 'The vendors’ own APIs, served: docs/serving.md' },
    ],
    security: [{ key: [] }],
    paths,
    webhooks: Object.fromEntries([...webhookBodies.keys()].map((type) => [type, { post: posted(type) }])),
    components: {
      securitySchemes: {
        key: { type: 'apiKey', in: 'header', name: 'x-api-key', description: "A tenant's key; for servers only." },
        key_as_authorization: {
          type: 'apiKey',
          in: 'header',
          name: 'authorization',
          description: 'The same key, bare or after Bearer or Token.',
        },
        client_token: { type: 'http', scheme: 'bearer', description: 'Follows one verification for a day.' },
        operator: {
          type: 'apiKey',
          in: 'cookie',
          name: '__Host-bonafide',
          description: 'The session of an operator; a browser keeps it, and no script reads it.',
        },
      },
      schemas: {
        ...components(named.requests, 'input'),
        ...components(named.answers, 'output'),
      },
    },
  };
}

/** JSON Schema of what endpoints are posted, by type. It allows fields that later versions add. */
export function webhooksSchema(): object {
  const { Verdict, Reason } = named.answers;
  const place = '#/$defs/';
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: "Bodies of Bonafide's webhooks",
    oneOf: Object.keys(ofWebhooks()).map((name) => ref(name, place)),
    $defs: components({ ...ofWebhooks(), Verdict, Reason }, 'input', place),
  };
}

/** One type of webhook, as its receiver sees it. */
function posted(type: string): object {
  return {
    operationId: `receive${webhookName(type)}`,
    tags: ['endpoints'],
    summary: `An endpoint of yours is posted \`${type}\``,
    description: `Signed as Standard Webhooks 1.0 says. docs/receive-webhooks.md has whole receivers.`,
    security: [],
    parameters: [
      signingHeader('webhook-id', 'The same for every repeat'),
      signingHeader('webhook-timestamp', 'Of this attempt, epoch seconds'),
      signingHeader(
        'webhook-signature',
        '`v1,` and base64 for each valid secret, `v1a,` beside it, separated by spaces',
      ),
    ],
    requestBody: { required: true, content: json(ref(webhookName(type))) },
    responses: {
      '2XX': { description: 'Taken: it is not sent again' },
      410: { description: 'The endpoint is disabled' },
      default: { description: 'It is sent again, for three days and more' },
    },
  };
}

function signingHeader(name: string, description: string): object {
  return { name, in: 'header', required: true, description, schema: { type: 'string' } };
}

function described(route: (typeof routes)[number]) {
  const { id, summary, description = summary, callers, keyAlsoIn, request, answers } = route;
  const parameters = [
    ...parametersOf(request.path, 'path'),
    ...(request.query ? parametersOf(request.query, 'query') : []),
  ];
  return {
    operationId: id,
    tags: [tagOf(route)],
    summary,
    description,
    security: [...callers, ...(keyAlsoIn ? ['key_as_authorization'] : [])].map((scheme) => ({ [scheme]: [] })),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(request.body ? { requestBody: bodyOf(request.body, request.bodyMedia) } : {}),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, { description: text, body, retryAfter }]) => [
          status,
          { description: text, ...headersOf(retryAfter), content: contentOf(body) },
        ]),
      ),
      ...(route.vendor ? gatewayRefusals(answers) : refusals(faultsOf(route))),
    },
  };
}

function headersOf(retryAfter: string | undefined): object {
  if (retryAfter === undefined) return {};
  return { headers: { 'Retry-After': { description: retryAfter, schema: { type: 'integer' } } } };
}

function tagOf({ path, vendor }: (typeof routes)[number]): string {
  if (vendor) return 'vendors';
  if (/^\/(endpoints|deliveries|events)/.test(path)) return 'endpoints';
  if (path.startsWith('/.well-known/')) return 'keys';
  if (path.startsWith('/console')) return 'console';
  return path.startsWith('/webhooks/') ? 'webhooks' : 'verifications';
}

/** An answer of text is sent as it is. */
function contentOf(body: z.ZodType) {
  return body === gatewayText ? { 'text/plain': { schema: ref('GatewayText') } } : json(schemaOf(body, 'output'));
}

/** Of a route that speaks a vendor's words: its row has all refusals but those of API Gateway itself. */
function gatewayRefusals(answers: Operation['answers']): Record<string, object> {
  return Object.fromEntries(
    Object.entries(gatewayAnswers)
      .filter(([status]) => !Object.hasOwn(answers, status))
      .map(([status, text]) => [status, { description: `API Gateway: ${text}`, content: json(ref('GatewayMessage')) }]),
  );
}

function parametersOf(schema: z.ZodObject, where: 'path' | 'query') {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...rest } = property as { description?: string };
    return {
      name,
      in: where,
      required: required.includes(name),
      ...(description ? { description } : {}),
      schema: rest,
    };
  });
}

function bodyOf(schema: z.ZodType, media = 'application/json') {
  const content = { [media]: { schema: schemaOf(schema, 'input') } };
  return { required: !schema.safeParse(undefined).success, content };
}

/** One response per status, naming the codes it may carry; beside ours, what API Gateway answers with that status. */
function refusals(codes: readonly FaultCode[]): Record<string, object> {
  const problem = { 'application/problem+json': { schema: ref('Problem') } };
  const ofStatus = Map.groupBy(codes, (code) => faults[code].status);
  const ours = [...ofStatus].map(([status, [...one]]): [number, string] => [
    status,
    one.map((code) => `\`${code}\`: ${faults[code].title}`).join('. '),
  ]);
  const internal: [number, string] = [500, '`internal`: Something failed on our side'];
  const gateway = Object.entries(gatewayAnswers).map(([status, text]): [number, string] => [Number(status), text]);
  const statuses = new Set([...ours, internal, ...gateway].map(([status]) => status).sort((a, b) => a - b));
  return Object.fromEntries(
    [...statuses].map((status) => {
      const said = [...ours, internal].filter(([one]) => one === status).map(([, text]) => text);
      const theirs = gateway.filter(([one]) => one === status).map(([, text]) => text);
      return [
        status,
        {
          description: [...said, ...theirs.map((text) => `API Gateway: ${text}`)].join('. '),
          content: { ...(said.length > 0 ? problem : {}), ...(theirs.length > 0 ? json(ref('GatewayMessage')) : {}) },
        },
      ];
    }),
  );
}

function json(schema: object) {
  return { 'application/json': { schema } };
}

if (import.meta.main) {
  commandLine(
    'npm run openapi\n\nWrites docs/openapi.json and docs/webhooks.schema.json from the rows and schemas of shared/api.',
    {
      options: {},
    },
  );
  for (const [file, document] of [
    ['openapi.json', openApi()],
    ['webhooks.schema.json', webhooksSchema()],
  ] as const) {
    writeFileSync(join(import.meta.dirname, '..', '..', 'docs', file), `${JSON.stringify(document, null, 2)}\n`);
    console.log(`Wrote docs/${file}`);
  }
}
