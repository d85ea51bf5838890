import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { accessDenied, invalidArgument, invalidRequest, S3Error } from './error.ts';

// Signature Version 4 as S3 checks it:
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
}

/** Whose signatures are taken, and for which region. */
export interface Signer {
  credentials: Credentials;
  region: string;
}

export interface SignedRequest {
  method: string;
  /** As received: the path is signed encoded. */
  url: string;
  headers: IncomingHttpHeaders;
}

interface Claim {
  scope: Scope;
  signedHeaders: string[];
  signature: string;
  date: string;
  payload: string;
  /** Throws when the request is too old or too new. */
  checkTime: () => void;
}

/** What a credential says: `LOCAL/20260131/us-east-1/s3/aws4_request`. */
interface Scope {
  accessKeyId: string;
  date: string;
  region: string;
}

const algorithm = 'AWS4-HMAC-SHA256';
const allowedSkewMs = 15 * 60_000;
const longestExpirySeconds = 7 * 24 * 3600;
const payloadWords = [
  'UNSIGNED-PAYLOAD',
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
  'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD',
  'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER',
];

/**
 * Checks who signed a request and that nothing signed was changed, and returns what it says about its payload: a hex
 * SHA-256, or one of S3's words such as UNSIGNED-PAYLOAD. The body is checked against it by `readPayload`.
 */
export function verifySignature(request: SignedRequest, signer: Signer): string {
  const [path = '', query = ''] = request.url.split('?', 2);
  const { headers } = request;
  const parameters = new URLSearchParams(query);
  const presigned = ['X-Amz-Algorithm', 'X-Amz-Signature', 'Signature'].some((name) => parameters.has(name));
  if (presigned && headers.authorization) throw onlyOneMechanism();
  const claim = presigned ? claimOfQuery(parameters, headers, signer) : claimOfHeaders(headers, signer);

  const mustBeSigned = ['host', ...Object.keys(headers).filter((name) => name.startsWith('x-amz-'))];
  const unsigned = mustBeSigned.filter((name) => !claim.signedHeaders.includes(name));
  if (unsigned.length > 0) {
    const message = 'There were headers present in the request which were not signed';
    throw accessDenied(message, { HeadersNotSigned: unsigned.sort().join(', ') });
  }

  const headerLines = claim.signedHeaders.map((name) => `${name}:${headerValue(headers[name])}\n`);
  const canonicalRequest = [
    request.method,
    path,
    canonicalQuery(parameters),
    headerLines.join(''),
    claim.signedHeaders.join(';'),
    claim.payload,
  ].join('\n');
  const { date, region } = claim.scope;
  const toSign = [algorithm, claim.date, `${date}/${region}/s3/aws4_request`, sha256(canonicalRequest)].join('\n');
  checkSignature(claim.scope, toSign, claim.signature, signer.credentials);
  claim.checkTime();
  return claim.payload;
}

/** Checks the signature of a POST policy, which is over the policy's base64 text alone. */
export function verifyPolicy(fields: ReadonlyMap<string, string>, headers: IncomingHttpHeaders, signer: Signer): void {
  const policy = fields.get('policy');
  if (headers.authorization) {
    throw headers.authorization.startsWith(algorithm) ? onlyOneMechanism() : unsupportedAuthorization();
  }
  const named = ['x-amz-signature', 'x-amz-algorithm', 'x-amz-credential', 'x-amz-date'];
  if (!policy || !named.some((name) => fields.has(name))) throw accessDenied();
  const field = (name: string) => fields.get(name.toLowerCase()) ?? refuseMissing(name);
  const signature = field('X-Amz-Signature');
  if (field('X-Amz-Algorithm') !== algorithm) throw wrongAlgorithm();
  const scope = scopeOf(field('X-Amz-Credential'), signer, wrongParameter);
  if (!field('X-Amz-Date').startsWith(scope.date)) {
    throw wrongParameter(`Invalid credential date "${scope.date}". This date is not the same as X-Amz-Date.`);
  }
  checkSignature(scope, policy, signature, signer.credentials);
}

export function refuseMissing(field: string): never {
  const message = `Bucket POST must contain a field named '${field}'.  If it is specified, please check the order of the fields.`;
  throw invalidArgument(message, field);
}

function checkSignature(scope: Scope, toSign: string, signature: string, credentials: Credentials): void {
  if (scope.accessKeyId !== credentials.accessKeyId) {
    const message = 'The AWS Access Key Id you provided does not exist in our records.';
    throw new S3Error(403, 'InvalidAccessKeyId', message, { details: { AWSAccessKeyId: scope.accessKeyId } });
  }
  const dateKey = hmac(`AWS4${credentials.secretAccessKey}`, scope.date);
  const signingKey = hmac(hmac(hmac(dateKey, scope.region), 's3'), 'aws4_request');
  const expected = hmac(signingKey, toSign).toString('hex');
  if (signature.length !== expected.length || !timingSafeEqual(Buffer.from(signature), Buffer.from(expected))) {
    const message =
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.';
    throw new S3Error(403, 'SignatureDoesNotMatch', message);
  }
}

function claimOfQuery(parameters: URLSearchParams, headers: IncomingHttpHeaders, signer: Signer): Claim {
  if (!parameters.has('X-Amz-Algorithm') && parameters.has('Signature')) throw oldMechanism();
  const one = (name: string) => {
    const value = parameters.get(name);
    if (value !== null) return value;
    const message =
      'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.';
    throw wrongQuery(message);
  };
  if (one('X-Amz-Algorithm') !== algorithm) throw wrongAlgorithm();
  const [credential, signature] = [one('X-Amz-Credential'), one('X-Amz-Signature')];
  const date = one('X-Amz-Date');
  const signedHeaders = one('X-Amz-SignedHeaders').split(';');
  const expires = one('X-Amz-Expires');
  const signedAt = timeOf(date);
  if (signedAt === undefined) {
    throw wrongQuery(`X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`);
  }
  if (!/^-?\d+$/.test(expires)) throw wrongQuery('X-Amz-Expires should be a number');
  if (Number(expires) < 0) throw wrongQuery('X-Amz-Expires must be non-negative');
  if (Number(expires) > longestExpirySeconds) {
    const most = 'that is, the given X-Amz-Expires must be less than 604800 seconds';
    throw wrongQuery(`X-Amz-Expires must be less than a week (in seconds); ${most}`);
  }
  const hash = signedHeaders.includes('x-amz-content-sha256') ? headers['x-amz-content-sha256'] : undefined;
  return {
    scope: scopeOf(credential, signer, wrongParameter),
    signedHeaders,
    signature,
    date,
    payload: payloadOf(parameters.get('X-Amz-Content-Sha256') ?? String(hash ?? 'UNSIGNED-PAYLOAD')),
    checkTime() {
      const until = signedAt + Number(expires) * 1000;
      const ServerTime = new Date().toISOString();
      if (Date.now() > until) {
        const details = { 'X-Amz-Expires': expires, Expires: new Date(until).toISOString(), ServerTime };
        throw accessDenied('Request has expired', details);
      }
      if (signedAt - Date.now() > allowedSkewMs) {
        throw accessDenied('Request is not yet valid', { 'X-Amz-Date': date, ServerTime });
      }
    },
  };
}

function claimOfHeaders(headers: IncomingHttpHeaders, signer: Signer): Claim {
  const { authorization } = headers;
  if (!authorization) throw accessDenied();
  if (authorization.startsWith('AWS ')) throw oldMechanism();
  if (!authorization.startsWith(`${algorithm} `)) throw unsupportedAuthorization();
  const named = (name: string) => new RegExp(`[ ,]${name}=([^, ]+)`).exec(authorization)?.[1];
  const [credential, signedHeaders, signature] = [named('Credential'), named('SignedHeaders'), named('Signature')];
  if (!credential || !signedHeaders || !signature) {
    throw malformed('the authorization header requires three components: Credential, SignedHeaders, and Signature.');
  }
  const date = headers['x-amz-date'];
  const signedAt = typeof date === 'string' ? timeOf(date) : undefined;
  if (typeof date !== 'string' || signedAt === undefined) {
    throw accessDenied('AWS authentication requires a valid Date or x-amz-date header');
  }
  const payload = headers['x-amz-content-sha256'];
  if (typeof payload !== 'string') {
    throw invalidRequest('Missing required header for this request: x-amz-content-sha256');
  }
  return {
    scope: scopeOf(credential, signer, malformed),
    signedHeaders: signedHeaders.split(';'),
    signature,
    date,
    payload: payloadOf(payload),
    checkTime() {
      if (Math.abs(Date.now() - signedAt) <= allowedSkewMs) return;
      const message = 'The difference between the request time and the current time is too large.';
      const details = { RequestTime: date, ServerTime: new Date().toISOString(), MaxAllowedSkewMilliseconds: 900_000 };
      throw new S3Error(403, 'RequestTimeTooSkewed', message, { details });
    },
  };
}

type Refusal = (detail: string, details?: Record<string, string>) => S3Error;

const malformed: Refusal = (detail, details) =>
  new S3Error(400, 'AuthorizationHeaderMalformed', `The authorization header is malformed; ${detail}`, { details });

const wrongParameter: Refusal = (detail, details) =>
  wrongQuery(`Error parsing the X-Amz-Credential parameter; ${detail}`, details);

const wrongQuery: Refusal = (message, details) =>
  new S3Error(400, 'AuthorizationQueryParametersError', message, { details });

const wrongAlgorithm = () => wrongQuery('X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"');

const oldMechanism = () =>
  invalidRequest('The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.');

const unsupportedAuthorization = () => invalidArgument('Unsupported Authorization Type', 'Authorization');

const onlyOneMechanism = () =>
  invalidArgument(
    'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified',
    'Authorization',
  );

function scopeOf(credential: string, signer: Signer, refusal: Refusal): Scope {
  const [accessKeyId = '', date = '', region = '', service, terminator, ...more] = credential.split('/');
  if (terminator === undefined || more.length > 0) {
    throw refusal('the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".');
  }
  if (!/^\d{8}$/.test(date)) {
    const format = 'This date in the credential must be in the format "yyyyMMdd".';
    throw refusal(`incorrect date format "${date}". ${format}`);
  }
  if (service !== 's3') throw refusal(`incorrect service "${service}". This endpoint belongs to "s3".`);
  if (terminator !== 'aws4_request') {
    throw refusal(`incorrect terminal "${terminator}". This endpoint uses "aws4_request".`);
  }
  if (region !== signer.region) {
    throw refusal(`the region '${region}' is wrong; expecting '${signer.region}'`, { Region: signer.region });
  }
  return { accessKeyId, date, region };
}

function payloadOf(declared: string): string {
  if (payloadWords.includes(declared) || /^[0-9a-f]{64}$/.test(declared)) return declared;
  const message = `x-amz-content-sha256 must be ${payloadWords.join(', ')} or a valid sha256 value.`;
  throw invalidArgument(message, 'x-amz-content-sha256');
}

/** `20260131T235959Z` as epoch milliseconds. */
function timeOf(date: string): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date);
  if (!parts) return undefined;
  const [year = 0, month = 1, ...rest] = parts.slice(1).map(Number);
  return Date.UTC(year, month - 1, ...rest);
}

function canonicalQuery(parameters: URLSearchParams): string {
  return [...parameters]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
}

function headerValue(value: string | string[] | undefined): string {
  return [value ?? []].flat().join(',').trim().replace(/ +/g, ' ');
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
