import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import type { Part } from './part.ts';
import type { Credentials } from './s3/signature.ts';

const keyPair = z.object({ accessKeyId: z.string().min(1), secretAccessKey: z.string().min(1) });

/** The one key pair that signs requests to this stack. It is kept, so upload URLs outlive a restart. */
export const credentials: Part<unknown, { credentials: Credentials }> = async ({ dataDirectory }) => {
  const file = path.join(dataDirectory, 'credentials.json');
  if (existsSync(file)) return { gives: { credentials: keyPair.parse(JSON.parse(readFileSync(file, 'utf8'))) } };
  const created = { accessKeyId: 'LOCAL', secretAccessKey: randomBytes(30).toString('base64url') };
  writeFileSync(file, JSON.stringify(created), { mode: 0o600 });
  return { gives: { credentials: created } };
};
