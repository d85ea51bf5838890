import type { IncomingHttpHeaders } from 'node:http';
import * as z from 'zod';
import { accessDenied, invalidArgument, S3Error } from './error.ts';
import { refuseMissing, type Signer, verifyPolicy } from './signature.ts';

// Browser uploads: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html

export interface PostedObject {
  key: string;
  body: Buffer;
  /** The form's own fields, lower case. The part's content type is the browser's guess and counts for nothing. */
  fields: ReadonlyMap<string, string>;
}

/** Fields a policy need not name. */
const notInPolicy = new Set(['policy', 'x-amz-signature', 'file']);
const mostFieldBytes = 20_000;

const size = z.coerce.number().int().min(0);
const operator = z.string().toLowerCase();
const condition = z.union([
  z
    .tuple([operator.pipe(z.literal('content-length-range')), size, size])
    .transform(([, least, most]) => ({ kind: 'size' as const, least, most })),
  z
    .tuple([operator.pipe(z.enum(['eq', 'starts-with'])), z.string(), z.string()])
    .transform(([kind, name, wanted]) => ({ kind, name, wanted })),
  z
    .record(z.string(), z.string())
    .refine((object) => Object.keys(object).length === 1)
    .transform((object) => {
      const [[name = '', wanted = ''] = []] = Object.entries(object);
      return { kind: 'eq' as const, name: `$${name}`, wanted };
    }),
]);
type FieldCondition = Exclude<z.infer<typeof condition>, { kind: 'size' }>;
const policyDocument = z.strictObject({ expiration: z.iso.datetime(), conditions: z.array(condition) });

/** Reads a browser's form and holds it to the policy that its fields carry. */
export async function readPostForm(
  raw: Buffer,
  headers: IncomingHttpHeaders,
  bucket: string,
  signer: Signer,
): Promise<PostedObject> {
  const contentType = String(headers['content-type']);
  if (!contentType.startsWith('multipart/form-data')) {
    const Condition = 'Bucket POST must be of the enclosure-type multipart/form-data';
    throw new S3Error(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', {
      details: { Condition },
    });
  }
  const { fields, file } = await parseForm(raw, contentType);
  verifyPolicy(fields, headers, signer);
  if (!file) throw invalidArgument('POST requires exactly one file upload per request.', 'file');
  const key = fields.get('key') ?? refuseMissing('key');
  if (key === '') throw invalidArgument('User key must have a length greater than 0.', 'key');

  const policy = parsePolicy(fields.get('policy') ?? '');
  if (!(Date.now() <= Date.parse(policy.expiration))) throw refused('Policy expired.');
  const values = new Map([...fields, ['bucket', bucket]]);
  for (const one of policy.conditions) {
    if (one.kind === 'size') checkSize(file.length, one);
    else checkField(one, values);
  }
  const named = new Set(policy.conditions.map((one) => (one.kind === 'size' ? '' : fieldOf(one.name))));
  for (const name of values.keys()) {
    if (!named.has(name) && !notInPolicy.has(name) && !name.startsWith('x-ignore-')) {
      throw refused(`Extra input fields: ${name}`);
    }
  }
  return { key, body: file, fields };
}

/** Like S3, reads the form up to and with its field `file`: what follows is ignored. */
async function parseForm(raw: Buffer, contentType: string) {
  const fields = new Map<string, string>();
  let fieldBytes = 0;
  for (const [name, value] of await entriesOf(raw, contentType)) {
    if (name.toLowerCase() === 'file') {
      const fileName = typeof value === 'string' ? '' : (value.name.split(/[/\\]/).at(-1) ?? '');
      for (const [field, text] of fields) fields.set(field, text.replaceAll('${' + 'filename}', fileName));
      const file = typeof value === 'string' ? Buffer.from(value) : Buffer.from(await value.arrayBuffer());
      return { fields, file };
    }
    const text = typeof value === 'string' ? value : await value.text();
    fieldBytes += Buffer.byteLength(name) + Buffer.byteLength(text);
    if (fieldBytes > mostFieldBytes) {
      const message = 'Your POST request fields preceding the upload file were too large.';
      throw new S3Error(400, 'MaxPostPreDataLengthExceededError', message);
    }
    fields.set(name.toLowerCase(), text);
  }
  return { fields, file: undefined };
}

async function entriesOf(raw: Buffer, contentType: string) {
  try {
    return await new Response(new Uint8Array(raw), { headers: { 'content-type': contentType } }).formData();
  } catch {
    const message = 'The body of your POST request is not well-formed multipart/form-data.';
    throw new S3Error(400, 'MalformedPOSTRequest', message);
  }
}

function parsePolicy(encoded: string): z.infer<typeof policyDocument> {
  const invalid = (why: string) => new S3Error(400, 'InvalidPolicyDocument', `Invalid Policy: ${why}`);
  let written: unknown;
  try {
    written = JSON.parse(Buffer.from(encoded, 'base64').toString());
  } catch {
    throw invalid('Invalid JSON.');
  }
  const policy = policyDocument.safeParse(written);
  if (policy.success) return policy.data;
  const [issue] = policy.error.issues;
  throw invalid(`${issue?.path.join('.') || 'document'}: ${issue?.message}`);
}

function checkField({ kind, name, wanted }: FieldCondition, values: ReadonlyMap<string, string>): void {
  const value = name.startsWith('$') ? values.get(fieldOf(name)) : undefined;
  // A list of content types must match in each of them.
  const texts = name.toLowerCase() === '$content-type' ? (value ?? '').split(/, ?/) : [value ?? ''];
  const holds = kind === 'starts-with' ? texts.every((text) => text.startsWith(wanted)) : value === wanted;
  if (!holds) throw refused(`Policy Condition failed: ["${kind}", "${name}", "${wanted}"]`);
}

const fieldOf = (name: string) => name.slice(1).toLowerCase();

function checkSize(bytes: number, { least, most }: { least: number; most: number }): void {
  if (bytes > most) {
    throw new S3Error(400, 'EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', {
      details: { ProposedSize: bytes, MaxSizeAllowed: most },
    });
  }
  if (bytes < least) {
    throw new S3Error(400, 'EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', {
      details: { ProposedSize: bytes, MinSizeAllowed: least },
    });
  }
}

function refused(reason: string): S3Error {
  return accessDenied(`Invalid according to Policy: ${reason}`);
}
