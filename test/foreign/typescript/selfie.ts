/*
 * An integrator's program, written against what openapi-typescript generates: node selfie.ts URL KEY SOURCE_ID PHOTO
 */
import { readFileSync } from 'node:fs';
import createClient from 'openapi-fetch';
import type { paths } from '../../../build/foreign/openapi.ts';

const [url = '', key = '', sourceId = '', photo = ''] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl: url, headers: { 'x-api-key': key } });

const requested = await client.POST('/verifications', {
  body: {
    source_id: sourceId,
    check: 'spoof_detect',
    captures: { selfie: { content_type: 'image/jpeg' } },
    metadata: { order: 17, lines: [{ article: 'a', price: 1.5 }], note: null },
  },
});
if (requested.error) throw new Error(JSON.stringify(requested.error));
const upload = 'uploads' in requested.data ? requested.data.uploads.selfie : undefined;
if (!upload) throw new Error('No upload for the selfie');

const { put } = upload;
const stored = await fetch(put.url, { method: 'PUT', headers: put.headers, body: readFileSync(photo) });
if (!stored.ok) throw new Error(`The upload was answered ${stored.status}`);

for (;;) {
  const read = await client.GET('/verifications/{source_id}', {
    params: { path: { source_id: sourceId }, query: { wait: 20 } },
  });
  if (read.error) throw new Error(JSON.stringify(read.error));
  if (read.data.state === 'decided') {
    console.log(`${read.data.state}: ${read.data.verdict?.outcome}`);
    break;
  }
}

/** What must not compile: were the generated types `any` or too wide, these directives would be the errors. */
export function misspelt(): unknown {
  return [
    // @ts-expect-error -- there is no such route
    client.GET('/verification'),
    // @ts-expect-error -- a check is one of three
    client.POST('/verifications', { body: { source_id: 'a', check: 'dna', captures: {} } }),
    // @ts-expect-error -- the list needs no path, the read does
    client.GET('/verifications/{source_id}', {}),
  ];
}
