import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { HttpApi } from './http-api/http-api.ts';
import type { Part } from './part.ts';

/** `stack.json` in the data directory, for command lines beside this process; with the credentials, so only for this user. */
export const stackFile: Part<{ api: HttpApi; environment: Record<string, string> }, unknown> = async (
  { template, dataDirectory },
  { api, environment },
) => {
  const file = path.join(dataDirectory, 'stack.json');
  const about = { url: api.url, environment, outputs: template.outputs() };
  writeFileSync(file, JSON.stringify(about, null, 2), { mode: 0o600 });
  return { gives: {}, stop: async () => rmSync(file, { force: true }) };
};
