/** The line between a browser and everything it reaches, which a test cuts: a browser told it is offline ends no transfer. */
import { createServer, request } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface Line {
  /** For `newContext({ proxy: { server } })`. */
  readonly server: string;
  /** Ends every transfer in its middle, and lets no other begin. */
  readonly cut: () => void;
  readonly mend: () => void;
  /** Loses the answer to the next request of this method, which is done: how often that happened is `lost`. */
  readonly loseAnswer: (method: string) => void;
  readonly lost: () => number;
  readonly close: () => void;
}

export async function openLine(): Promise<Line> {
  const sockets = new Set<Socket>();
  let whole = true;
  let losing: string | undefined;
  let lost = 0;
  const proxy = createServer((asked, response) => {
    const { url = '', method, headers } = asked;
    const upstream = request(url, { method, headers }, (answer) => {
      if (method === losing) {
        losing = undefined;
        lost += 1;
        response.destroy();
        return;
      }
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    upstream.on('error', () => response.destroy());
    response.on('close', () => upstream.destroy());
    asked.pipe(upstream);
  });
  proxy.on('connection', (socket: Socket) => {
    if (!whole) socket.destroy();
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  proxy.listen(0, '127.0.0.1');
  await new Promise((resolve) => proxy.once('listening', resolve));
  return {
    server: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    cut: () => {
      whole = false;
      for (const socket of sockets) socket.destroy();
    },
    mend: () => {
      whole = true;
    },
    loseAnswer: (method) => {
      losing = method;
    },
    lost: () => lost,
    close: () => proxy.close().closeAllConnections(),
  };
}
