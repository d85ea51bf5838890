import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Fault, json, type Reply } from './behaviour.ts';
import { tooLarge } from './spoofsense.ts';

/** Answers every vendor's front door might give before the vendor itself is asked. */
export const gatewayReplies: Partial<Record<Fault, Reply>> = {
  unauthorized: json(401, { message: 'Unauthorized' }),
  forbidden: json(403, { message: 'Forbidden' }),
  too_large: tooLarge,
  invalid_service: json(422, { message: 'Invalid service name' }),
  no_credits: json(422, { message: 'Not enough credits' }),
  invalid_payload: json(422, { message: 'Invalid payload' }),
  throttled: json(429, { message: 'Too Many Requests' }),
  failed: json(500, { message: 'Internal Server Error' }),
  unavailable: json(503, { message: 'Service Unavailable' }),
  not_json: { status: 200, body: '<html><body>Welcome to nginx!</body></html>', contentType: 'text/html' },
  stranger: json(200, { greeting: 'hello', answer: [42] }),
};

/** Where a followed redirect would lead. No caller should ever come. */
export const redirectedPath = '/_simulator/redirected';
const hugeBytes = 8 * 1024 * 1024;

export function send(response: ServerResponse, { status, body, contentType = 'application/json' }: Reply): void {
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** The faults that are about the connection rather than about an answer; `reply` is what would have been sent. */
export async function misbehave(
  fault: Fault,
  response: ServerResponse,
  reply: Reply,
  stopped: AbortSignal,
): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  switch (fault) {
    case 'half_json':
      return send(response, { ...reply, body: reply.body.slice(0, reply.body.length / 2) });
    case 'half_sent':
      response.writeHead(200, { ...headers, 'content-length': reply.body.length });
      response.write(reply.body.slice(0, reply.body.length / 2));
      await sleep(20); // so that the half arrives
      response.destroy();
      return;
    case 'slow_body':
      response.writeHead(200, headers);
      for (const character of reply.body) {
        if (response.destroyed || stopped.aborted) return;
        response.write(character);
        await sleep(200, undefined, { signal: stopped }).catch(() => undefined);
      }
      response.end();
      return;
    case 'huge': {
      response.writeHead(200, headers);
      const filler = ' '.repeat(64 * 1024);
      for (let sent = 0; sent < hugeBytes && !response.destroyed; sent += filler.length) {
        if (!response.write(filler)) await drained(response);
      }
      response.end(reply.body);
      return;
    }
    case 'redirect':
      response.writeHead(307, { location: redirectedPath }).end();
      return;
    case 'reset':
      response.socket?.resetAndDestroy();
      return;
    case 'hang':
      return; // the client hangs up, or the simulator is stopped
    default:
      return send(response, reply);
  }
}

/** Until there is room for more, or no caller to send it to. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}
