import { randomBytes } from 'node:crypto';
import type { Part } from './part.ts';
import type { Credentials } from './s3/signature.ts';

/** The one key pair that signs requests to this stack. New at every start, as the ports are. */
export const credentials: Part<unknown, { credentials: Credentials }> = async () => ({
  gives: { credentials: { accessKeyId: 'LOCAL', secretAccessKey: randomBytes(30).toString('base64url') } },
});
