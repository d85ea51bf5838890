import { accessDenied, S3Error } from './error.ts';
import { type Credentials, checkSignature } from './signature.ts';

// Browser uploads: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html

export interface PostedObject {
  key: string;
  body: Buffer;
  /** The form's own fields, lower case. The part's content type is the browser's guess and counts for nothing. */
  fields: Record<string, string>;
}

type Condition = [string, ...unknown[]] | Record<string, string>;

const notInPolicy = new Set(['policy', 'x-amz-signature', 'file', 'bucket']);

/** Reads a browser's form and holds it to the policy that its fields carry. */
export async function readPostForm(
  raw: Buffer,
  contentType: string,
  bucket: string,
  credentials: Credentials,
): Promise<PostedObject> {
  const { fields, file } = await parseForm(raw, contentType);
  const { policy: encoded, 'x-amz-credential': credential, 'x-amz-signature': signature } = fields;
  if (!encoded) throw accessDenied();
  if (!credential || !signature) {
    throw new S3Error(
      400,
      'InvalidArgument',
      'Bucket POST must contain a credential and a signature beside its policy',
    );
  }
  checkSignature(credential, encoded, signature, credentials);
  if (!file) throw new S3Error(400, 'InvalidArgument', 'POST requires exactly one file upload per request.');

  const policy = parsePolicy(encoded);
  if (!(Date.now() <= Date.parse(policy.expiration))) throw refused('Policy expired.');
  const values = { ...fields, bucket };
  const named = new Set<string>();
  for (const condition of policy.conditions) checkCondition(condition, values, file.length, named);
  for (const name of Object.keys(fields)) {
    if (!named.has(name) && !notInPolicy.has(name) && !name.startsWith('x-ignore-')) {
      throw refused(`Extra input fields: ${name}`);
    }
  }
  return { key: fields.key ?? '', body: file, fields };
}

async function parseForm(raw: Buffer, contentType: string) {
  const fields: Record<string, string> = {};
  try {
    const form = await new Response(new Uint8Array(raw), { headers: { 'content-type': contentType } }).formData();
    for (const [name, value] of form) {
      if (typeof value !== 'string') {
        const key = fields.key?.replaceAll('${' + 'filename}', value.name);
        if (key) fields.key = key;
        // Like S3: whatever follows the file is not read.
        return { fields, file: Buffer.from(await value.arrayBuffer()) };
      }
      fields[name.toLowerCase()] = value;
    }
  } catch {
    throw new S3Error(
      400,
      'MalformedPOSTRequest',
      'The body of your POST request is not well-formed multipart/form-data.',
    );
  }
  return { fields, file: undefined };
}

function parsePolicy(encoded: string): { expiration: string; conditions: Condition[] } {
  try {
    const policy = JSON.parse(Buffer.from(encoded, 'base64').toString());
    if (typeof policy.expiration === 'string' && Array.isArray(policy.conditions)) return policy;
  } catch {}
  throw new S3Error(400, 'InvalidPolicyDocument', 'The content of the form does not meet the conditions of a policy.');
}

function checkCondition(condition: Condition, values: Record<string, string>, size: number, named: Set<string>): void {
  const list = Array.isArray(condition)
    ? [condition]
    : Object.entries(condition).map(([name, value]): [string, ...unknown[]] => ['eq', `$${name}`, value]);
  for (const [operator, first, second] of list) {
    if (operator.toLowerCase() === 'content-length-range') {
      checkSize(size, Number(first), Number(second));
      continue;
    }
    const name = String(first).slice(1).toLowerCase();
    const value = values[name];
    named.add(name);
    const wanted = String(second);
    const holds = operator.toLowerCase() === 'starts-with' ? value?.startsWith(wanted) : value === wanted;
    if (!holds) throw refused(`Policy Condition failed: ${JSON.stringify([operator, first, second])}`);
  }
}

function checkSize(size: number, smallest: number, largest: number): void {
  if (size > largest) {
    throw new S3Error(400, 'EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size');
  }
  if (size < smallest) {
    throw new S3Error(400, 'EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size');
  }
}

function refused(reason: string): S3Error {
  return accessDenied(`Invalid according to Policy: ${reason}`);
}
