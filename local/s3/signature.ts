import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { accessDenied, S3Error } from './error.ts';

// Signature Version 4 as S3 checks it:
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
}

export interface SignedRequest {
  method: string;
  /** As received: the path is signed encoded. */
  url: string;
  headers: IncomingHttpHeaders;
}

interface Claim {
  credential: string;
  signedHeaders: string[];
  signature: string;
  date: string;
  payload: string;
}

const allowedSkewMs = 15 * 60_000;
const longestExpirySeconds = 7 * 24 * 3600;

/**
 * Checks who signed a request and that nothing signed was changed, and returns what it says about its payload: a hex
 * SHA-256, or one of S3's words such as UNSIGNED-PAYLOAD. The body is checked against it by `readPayload`.
 */
export function verifySignature(request: SignedRequest, credentials: Credentials): string {
  const [path = '', query = ''] = request.url.split('?', 2);
  const parameters = new URLSearchParams(query);
  const presigned = parameters.has('X-Amz-Signature');
  const claim = presigned ? claimOfQuery(parameters) : claimOfHeaders(request.headers);
  checkTime(claim.date, presigned ? Number(parameters.get('X-Amz-Expires')) : undefined);

  if (!claim.signedHeaders.includes('host')) throw accessDenied('The host header must be signed');
  for (const name of Object.keys(request.headers)) {
    if (name.startsWith('x-amz-') && !claim.signedHeaders.includes(name)) {
      throw accessDenied(`There were headers present in the request which were not signed: ${name}`);
    }
  }

  const headerLines = claim.signedHeaders.map((name) => `${name}:${headerValue(request.headers[name])}\n`);
  const canonicalRequest = [
    request.method,
    path,
    canonicalQuery(parameters),
    headerLines.join(''),
    claim.signedHeaders.join(';'),
    claim.payload,
  ].join('\n');
  const scope = claim.credential.split('/').slice(1).join('/');
  const toSign = ['AWS4-HMAC-SHA256', claim.date, scope, sha256(canonicalRequest)].join('\n');
  checkSignature(claim.credential, toSign, claim.signature, credentials);
  return claim.payload;
}

/** Checks the signature of a POST policy, which is over the policy's base64 text alone. */
export function checkSignature(credential: string, toSign: string, signature: string, credentials: Credentials): void {
  const [accessKeyId, date = '', region = '', service = '', terminator] = credential.split('/');
  if (accessKeyId !== credentials.accessKeyId) {
    const message = 'The AWS Access Key Id you provided does not exist in our records.';
    throw new S3Error(403, 'InvalidAccessKeyId', message);
  }
  if (service !== 's3' || terminator !== 'aws4_request') {
    throw new S3Error(400, 'AuthorizationHeaderMalformed', 'The credential scope is not one for S3');
  }
  const dateKey = hmac(`AWS4${credentials.secretAccessKey}`, date);
  const signingKey = hmac(hmac(hmac(dateKey, region), service), terminator);
  const expected = hmac(signingKey, toSign).toString('hex');
  if (signature.length !== expected.length || !timingSafeEqual(Buffer.from(signature), Buffer.from(expected))) {
    const message =
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.';
    throw new S3Error(403, 'SignatureDoesNotMatch', message);
  }
}

function claimOfQuery(parameters: URLSearchParams): Claim {
  const one = (name: string) => {
    const value = parameters.get(name);
    if (value === null) {
      const message = `Query-string authentication requires the ${name} parameter`;
      throw new S3Error(400, 'AuthorizationQueryParametersError', message);
    }
    return value;
  };
  return {
    credential: one('X-Amz-Credential'),
    signedHeaders: one('X-Amz-SignedHeaders').split(';'),
    signature: one('X-Amz-Signature'),
    date: one('X-Amz-Date'),
    payload: parameters.get('X-Amz-Content-Sha256') ?? 'UNSIGNED-PAYLOAD',
  };
}

function claimOfHeaders(headers: IncomingHttpHeaders): Claim {
  if (!headers.authorization) throw accessDenied();
  const pattern = /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;
  const [, credential, signedHeaders, signature] = pattern.exec(headers.authorization) ?? [];
  const date = headers['x-amz-date'];
  const payload = headers['x-amz-content-sha256'];
  if (!credential || !signedHeaders || !signature || typeof date !== 'string') {
    throw new S3Error(400, 'AuthorizationHeaderMalformed', 'The authorization header you provided is malformed');
  }
  if (typeof payload !== 'string') {
    throw new S3Error(400, 'InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');
  }
  return { credential, signedHeaders: signedHeaders.split(';'), signature, date, payload };
}

function checkTime(date: string, expiresSeconds: number | undefined): void {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date);
  if (!parts) throw accessDenied('The request has no valid date');
  const [year = 0, month = 1, ...rest] = parts.slice(1).map(Number);
  const signedAt = Date.UTC(year, month - 1, ...rest);
  if (expiresSeconds === undefined) {
    if (Math.abs(Date.now() - signedAt) <= allowedSkewMs) return;
    const message = 'The difference between the request time and the current time is too large.';
    throw new S3Error(403, 'RequestTimeTooSkewed', message);
  }
  if (!(expiresSeconds > 0 && expiresSeconds <= longestExpirySeconds)) {
    throw new S3Error(400, 'AuthorizationQueryParametersError', 'X-Amz-Expires must be between 1 second and a week');
  }
  if (Date.now() > signedAt + expiresSeconds * 1000) throw accessDenied('Request has expired');
  if (signedAt - Date.now() > allowedSkewMs) throw accessDenied('Request is not valid yet');
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
