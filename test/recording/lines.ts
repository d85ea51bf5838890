import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { equalised, equalisedText, jsonIn } from './equalise.ts';
import type { Body, Exchange, Headers } from './exchange.ts';

type Json = Record<string, unknown>;

/** What was said in an exchange, one fact a line, with everything random made equal. */
export function linesOf(exchange: Exchange): string[] {
  const [service = '', operation = ''] = exchange.headers['x-amz-target']?.split('.') ?? [];
  if (service.startsWith('DynamoDB')) return dynamodb(operation, exchange);
  if (service === 'AmazonSQS') return [sqs(operation, exchange)];
  if (service === 'AWSEvents') return events(operation, exchange);
  if (service === 'secretsmanager') return [secrets(operation, exchange)];
  return [exchange.url.startsWith('/bonafide-captures') ? s3(exchange) : http(exchange)].flat();
}

/** What is stored after a call, and under which condition it was written; of reads, what was looked for. */
function dynamodb(operation: string, exchange: Exchange): string[] {
  const request = jsonOf(exchange.body);
  const answer = jsonOf(responseBody(exchange));
  const table = String(request.TableName);
  const { ConditionExpression: condition, UpdateExpression: update } = request;
  const refused = answer.__type && String(answer.__type).split('#').at(-1);
  const item = (operation === 'PutItem' ? request.Item : (answer.Attributes ?? answer.Item)) as Item | undefined;
  const record = item && !refused ? unmarshall(item) : undefined;
  const about = {
    key: request.Key && Object.keys(request.Key),
    index: request.IndexName,
    consistent: request.ConsistentRead,
    newestFirst: request.ScanIndexForward === false || undefined,
    by: namesIn(request.KeyConditionExpression, request),
    if: namesIn(condition, request),
    becomes: operation === 'GetItem' ? undefined : record?.state,
    writes: operation === 'UpdateItem' && !record && !refused ? valuesIn(update, request) : undefined,
    refused,
  };
  const call = line(`dynamodb ${operation} ${table}`, about, exchange);
  return record ? [call, ...stored(table, record, exchange)] : [call];
}

type Item = Record<string, AttributeValue>;

/** A record in lines of its own: notes may come at any time between the moves, so each stands alone. */
function stored(table: string, record: Json, exchange: Exchange): string[] {
  if (!record.history) return [line(`stored ${table}`, record, exchange)];
  const { notes: _, ...rest } = record;
  const history = record.history as Json[];
  const missing = [...((record.missing ?? []) as Iterable<string>)];
  const landed = Object.keys(record.landed ?? {});
  const moves = history.filter(({ kind }) => kind === 'moved');
  const written = new Date(String(record.updatedAt));
  const shown = {
    ...rest,
    history: moves,
    // Two uploads at once: either may land first.
    ...(missing.length > 0 && landed.length > 0 ? { missing: missing.length, landed: landed.length } : {}),
  };
  const notes = history.filter(({ kind }) => kind === 'noted');
  return [
    line(`stored ${table}`, shown, exchange, written),
    ...notes.map((note) => line(`stored ${table} note`, note, exchange, written)),
    ...derived(record),
  ];
}

/** What is made of a source_id that is the same in every run. */
function derived({ tenant, sourceId, verificationId, requestHash }: Json): string[] {
  if (!requestHash || /journey-\d{13}/.test(String(sourceId))) return [];
  return [`derived ${JSON.stringify({ tenant, sourceId, verificationId, requestHash })}`];
}

/** The attributes an expression speaks of, whatever it calls them. */
function namesIn(expression: unknown, { ExpressionAttributeNames: names = {} }: Json): string[] | undefined {
  if (typeof expression !== 'string') return undefined;
  const words = new Set(['SET', 'REMOVE', 'ADD', 'AND', 'OR', 'NOT', 'BETWEEN', 'size', 'list_append']);
  const found = expression.match(/(?<![:\w])#?[A-Za-z]\w*/g) ?? [];
  const resolved = found.map((name) => (names as Record<string, string>)[name] ?? name);
  return [...new Set(resolved.filter((name) => !words.has(name)))].sort();
}

/** The attributes an update writes and the values it gives them, where its answer does not show the record. */
function valuesIn(expression: unknown, request: Json): unknown {
  const values = unmarshall((request.ExpressionAttributeValues ?? {}) as Item);
  const given = (String(expression).match(/:\w+/g) ?? []).map((name) => values[name]);
  return { attributes: namesIn(expression, request), values: given };
}

function sqs(operation: string, exchange: Exchange): string {
  const { QueueUrl, MessageBody, DelaySeconds } = jsonOf(exchange.body);
  const queue = String(QueueUrl).split('/').at(-1);
  if (operation !== 'SendMessage') return `sqs ${operation} ${queue}`;
  return line(`sqs ${operation} ${queue}${Number(DelaySeconds) > 0 ? ' delayed' : ''}`, MessageBody, exchange);
}

function events(operation: string, exchange: Exchange): string[] {
  const { Entries = [] } = jsonOf(exchange.body) as { Entries?: Json[] };
  const { FailedEntryCount } = jsonOf(responseBody(exchange));
  return Entries.map((entry) => line(`events ${operation} failed=${FailedEntryCount}`, entry, exchange));
}

function secrets(operation: string, exchange: Exchange): string {
  const { SecretId, Name } = jsonOf(exchange.body);
  const given = jsonOf(exchange.body).SecretString ?? jsonOf(responseBody(exchange)).SecretString;
  const secret = jsonIn(String(given)) ?? (given === undefined ? undefined : '<secret>');
  return line(`secrets ${operation} ${SecretId ?? Name} ${statusOf(exchange)}`, secret, exchange);
}

function s3(exchange: Exchange): string {
  const { pathname, searchParams } = new URL(exchange.url, 'http://s3');
  const query = [...searchParams].map(([name, value]) =>
    name.startsWith('X-Amz-') ? 'presigned' : `${name}=${value}`,
  );
  const headers = ['content-type', 'if-none-match'].map((name) => [name, exchange.headers[name]]);
  const body = exchange.body;
  const form = typeof body === 'object' && 'parts' in body ? body.parts : undefined;
  const about = {
    query: [...new Set(query)].sort(),
    headers: { ...Object.fromEntries(headers), ...(form && { 'content-type': 'multipart/form-data' }) },
    form,
    refused: /<Code>(\w+)</.exec(String(responseBody(exchange)))?.[1],
  };
  return line(`s3 ${exchange.method} ${pathname} ${statusOf(exchange)}`, about, exchange);
}

/** Our API, the vendors, and whatever else speaks plain HTTP. */
function http(exchange: Exchange): string[] {
  const { pathname, searchParams } = new URL(exchange.url, 'http://any');
  const body = decoded(responseBody(exchange));
  const history = (body as Json | undefined)?.history as Json[] | undefined;
  const about = (answer: unknown) => ({
    query: Object.fromEntries(searchParams),
    headers: shown(exchange.headers),
    body: decoded(exchange.body),
    response: 'status' in exchange.response ? { headers: shown(exchange.response.headers), body: answer } : undefined,
  });
  const name = `http ${exchange.method} ${pathname} ${statusOf(exchange)}`;
  if (!history) return [line(name, about(body), exchange)];
  const moves = history.filter(({ kind }) => kind === 'moved');
  const notes = history.filter(({ kind }) => kind === 'noted');
  return [
    line(name, about({ ...(body as Json), history: moves }), exchange),
    ...notes.map((note) => line(`${name} note`, note, exchange)),
  ];
}

/** What clients and servers add by themselves, and lengths of texts that hold times and ports. */
const ownHeaders = new Set([
  ...['host', 'connection', 'keep-alive', 'date', 'user-agent', 'accept-encoding', 'accept-language', 'sec-fetch-mode'],
  ...['content-length', 'apigw-requestid'],
]);

function shown(headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !ownHeaders.has(name)));
}

function decoded(body: Body | undefined): unknown {
  return typeof body === 'string' ? (jsonIn(body) ?? body) : body;
}

function jsonOf(body: Body | undefined): Json {
  return (typeof body === 'string' ? (jsonIn(body) as Json | undefined) : undefined) ?? {};
}

function responseBody({ response }: Exchange): Body | undefined {
  return 'status' in response ? response.body : undefined;
}

function statusOf({ response }: Exchange): string {
  return 'status' in response ? String(response.status) : `hung up after ${response.hungUpAfter ?? 'nothing'}`;
}

function line(name: string, about: unknown, { at }: Exchange, now = new Date(at)): string {
  const text = JSON.stringify(equalised(about, now));
  return `${equalisedText(name, now)} ${text ?? ''}`.trim();
}
