import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { http } from '../../shared/lambda/http.ts';
import { built } from '../../shared/pages/built.ts';
import { elementReply, fileReply } from '../../shared/pages/file.ts';
import { capturePageHeaders, consoleHeaders } from '../../shared/pages/headers.ts';
import { capturePage, consolePage } from '../../shared/pages/html.ts';
import { dynamoTenants } from '../../shared/stores/tenants/tenants.ts';
import { environment } from './environment.ts';

function connect() {
  const { TENANTS_TABLE: table, CAPTURES_ORIGIN, PAGES } = environment.parse(process.env);
  const { AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3 = AWS_ENDPOINT_URL } = process.env;
  const directory = new URL(`${PAGES}/`, import.meta.url);
  return {
    tenants: dynamoTenants({ client: new DynamoDBClient(), table, now: () => new Date(), randomBytes }),
    built: built.parse(JSON.parse(readFileSync(new URL('built.json', directory), 'utf8'))),
    read: (name: string) => readFile(fileURLToPath(new URL(name, directory))),
    capturesOrigin: new URL(AWS_ENDPOINT_URL_S3 ?? CAPTURES_ORIGIN).origin, // as the SDK chooses, where it signs uploads
  };
}

export const handler = http('serve-pages', connect, {
  'GET /capture/{tenant}/{source_id}': async ({ path: { tenant } }, { built, capturesOrigin, tenants }) => {
    const page = await tenants.pageOf(tenant);
    const headers = capturePageHeaders(capturesOrigin, page?.frameOrigins);
    return { status: 200, headers, body: capturePage(built, tenant, page) };
  },
  'GET /console': async (_, { built, capturesOrigin }) => {
    return { status: 200, headers: consoleHeaders(capturesOrigin), body: consolePage(built) };
  },
  'GET /assets/{file}': async ({ path, headers }, { built, read }) => fileReply(path.file, headers, built, read),
  'GET /capture.js': async (_, { built }) => elementReply(built),
  'GET /logos/{tenant}/{hash}': async ({ headers }, { built, read }) => fileReply('', headers, built, read),
});
