import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** An answer that Bonafide, or API Gateway before it, may give; `undefined` hangs up without one. */
export type Scripted = { status: number; body: object; headers?: Record<string, string> } | undefined;

/** A Bonafide that answers from a script, one answer for each request, for what cannot be provoked at will. */
export async function scriptedBonafide(script: readonly Scripted[]) {
  const asked: string[] = [];
  const left = [...script];
  const server = createServer(async (request, response) => {
    asked.push(`${request.method} ${request.url} ${await text(request)}`.trim());
    const answer = left.shift();
    if (answer) {
      response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
      response.end(JSON.stringify(answer.body));
    } else {
      request.socket.destroy();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    apiKey: 'key-of-a-test',
    asked,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** How an answer looks that a backend should try again, and one that it should not. */
export const throttledByGateway: Scripted = {
  status: 429,
  body: { message: 'Too Many Requests' },
  headers: { 'retry-after': '0' },
};
export const unavailable: Scripted = { status: 503, body: { message: 'Service Unavailable' } };
export const refused: Scripted = {
  status: 422,
  body: { code: 'check_unavailable', detail: 'None of builtin can do this.', retryable: false },
};
export const begun = (sourceId: string, state: string): Scripted => ({
  status: 200,
  body: { source_id: sourceId, state, round: 1, client_token: 'ct', uploads: {} },
});
