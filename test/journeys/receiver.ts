import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { parentPort } from 'node:worker_threads';

// An endpoint of a tenant's, in a thread of its own. It tells its address, then every request; told a source_id, it refuses
// the first decision of that verification.
let refuses: unknown;
parentPort?.on('message', (sourceId) => (refuses = sourceId));
const server = createServer(async (request, response) => {
  const body = await text(request);
  const { type, data } = JSON.parse(body);
  parentPort?.postMessage({ headers: request.headers, body });
  const isRefused = type === 'verification.decided' && data.source_id === refuses;
  if (isRefused) refuses = undefined;
  response.writeHead(isRefused ? 503 : 204).end();
}).listen(0, '127.0.0.1');
await once(server, 'listening');
parentPort?.postMessage(`http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`);
