import * as z from 'zod';
import { behaviour, json, type Reply, says, vendor } from './behaviour.ts';
import type { VendorSimulator } from './server.ts';

const commands = {
  script: z.object({ vendor, behaviours: z.array(behaviour) }),
  always: z.object({ vendor, behaviour }),
  knows: z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/), says }),
  webhooks: z.object({ name: z.string().min(1), url: z.url() }),
  credits: z.object({ credits: z.int().nonnegative() }),
} as const;

/** `/_simulator/…`: the same as the programmatic interface, for another process (an integrator's CI). */
export async function control(method: string, path: string, body: Buffer, simulator: VendorSimulator): Promise<Reply> {
  try {
    return method === 'GET' ? read(path, simulator) : write(path, body.toString() || '{}', simulator);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return json(400, { message: error.message });
    throw error;
  }
}

function read(path: string, simulator: VendorSimulator): Reply {
  if (path === '/_simulator/received') return json(200, simulator.received());
  if (path === '/_simulator/posted') return json(200, simulator.posted());
  return json(404, { message: 'Not Found' });
}

function write(path: string, text: string, simulator: VendorSimulator): Reply {
  const done = json(200, {});
  const given: unknown = JSON.parse(text);
  switch (path) {
    case '/_simulator/script': {
      const command = commands.script.parse(given);
      simulator.script(command.vendor, command.behaviours);
      return done;
    }
    case '/_simulator/always': {
      const command = commands.always.parse(given);
      simulator.always(command.vendor, command.behaviour);
      return done;
    }
    case '/_simulator/knows': {
      const command = commands.knows.parse(given);
      simulator.knows(command.sha256, command.says);
      return done;
    }
    case '/_simulator/webhooks': {
      const command = commands.webhooks.parse(given);
      simulator.registerWebhook(command.name, command.url);
      return done;
    }
    case '/_simulator/credits':
      simulator.setCredits(commands.credits.parse(given).credits);
      return done;
    case '/_simulator/reset':
      simulator.reset();
      return done;
    default:
      return json(404, { message: 'Not Found' });
  }
}
