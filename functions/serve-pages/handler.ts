import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { http } from '../../shared/lambda/http.ts';
import { built } from '../../shared/pages/built.ts';
import { elementReply, fileReply } from '../../shared/pages/file.ts';
import { capturePageReply, consoleReply } from '../../shared/pages/html.ts';
import { logoReply } from '../../shared/pages/logo.ts';
import { limits } from '../../shared/stores/limits.ts';
import { dynamoLogos } from '../../shared/stores/tenants/logos.ts';
import { dynamoTenants } from '../../shared/stores/tenants/tenants.ts';
import { environment } from './environment.ts';

function connect() {
  const { TENANTS_TABLE: table, CAPTURES_ORIGIN, PAGES } = environment.parse(process.env);
  const { AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3 = AWS_ENDPOINT_URL } = process.env;
  const directory = new URL(`${PAGES}/`, import.meta.url);
  const client = new DynamoDBClient(limits);
  return {
    tenants: dynamoTenants({ client, table, now: () => new Date(), randomBytes }),
    logos: dynamoLogos({ client, table }),
    built: built.parse(JSON.parse(readFileSync(new URL('built.json', directory), 'utf8'))),
    read: (name: string) => readFile(new URL(name, directory)),
    capturesOrigin: new URL(AWS_ENDPOINT_URL_S3 ?? CAPTURES_ORIGIN).origin, // as the SDK chooses, where it signs uploads
  };
}

export const handler = http('serve-pages', connect, {
  'GET /capture/{tenant}/{source_id}': async ({ path: { tenant } }, { tenants, ...site }) =>
    capturePageReply(tenant, await tenants.pageOf(tenant), site),
  'GET /console': async (_, site) => consoleReply(site),
  'GET /assets/{file}': async ({ path, headers }, { built, read }) => fileReply(path.file, headers, built, read),
  'GET /capture.js': async (_, { built }) => elementReply(built),
  'GET /logos/{tenant}/{hash}': async ({ path }, { logos }) => logoReply(path, logos),
});
