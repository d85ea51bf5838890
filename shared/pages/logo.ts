import { logoHash } from '../domain/policy.ts';
import type { Logos } from '../domain/ports.ts';
import { tenantId } from '../domain/verification.ts';
import { type FileReply, forever, notFound } from './file.ts';
import { fileHeaders } from './headers.ts';

/** A tenant's logo by the hash of its bytes. It is a picture and nothing else, whatever its bytes are taken for. */
export async function logoReply(
  { tenant, hash }: { readonly tenant: string; readonly hash: string },
  logos: Logos,
): Promise<FileReply> {
  const named = tenantId.safeParse(tenant).success && logoHash.safeParse(hash).success;
  const png = named ? await logos.find(tenant, hash) : undefined;
  if (!png) return notFound('There is no such logo.');
  return {
    status: 200,
    headers: {
      ...fileHeaders,
      'content-security-policy': "default-src 'none'; sandbox",
      'content-type': 'image/png',
      'cache-control': forever,
    },
    body: png,
  };
}
