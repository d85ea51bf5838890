import { setTimeout } from 'node:timers/promises';
import { commandLine, misused } from './command-line.ts';
import { demoTarget } from './target.ts';
import { newEvents, Refused } from './webhooks/events.ts';
import { forward, lineOf, secretOf, type WebhookBody } from './webhooks/forward.ts';

const usage = `Shows a tenant's events as they happen, and posts them to your machine as an endpoint would be sent them.

  npm run listen
  npm run listen -- --forward http://localhost:3000/hook

  --forward URL    posts each event there, signed, one after the other; what is not taken is not tried again
  --secret SECRET  what signs them: whsec_… (default: BONAFIDE_WEBHOOK_SECRET, else a new one, which is printed)
  --types A,B      only these, such as verification.decided
  --since TIME     events from this time on, ISO 8601 (default: now)
  --url URL        the API (default: the local stack's)
  --key KEY        a tenant's API key (default: BONAFIDE_API_KEY, else the local demo tenant's)
  --aws            the deployed API, which cdk-outputs.json names
  --json           each event as a line of JSON
`;

const pollMilliseconds = 1000;
const longestPauseMilliseconds = 30_000;

const { values } = commandLine(usage, {
  options: {
    forward: { type: 'string' },
    secret: { type: 'string' },
    types: { type: 'string' },
    since: { type: 'string' },
    url: { type: 'string' },
    key: { type: 'string' },
    aws: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
if (values.since !== undefined && Number.isNaN(Date.parse(values.since))) misused(usage, '--since is no time.');

try {
  await listen();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** Ends by a signal, or where the API refuses what is asked. A poll that fails later on is made again. */
async function listen(): Promise<void> {
  const { url, key } = await demoTarget(values);
  const to = values.forward === undefined ? undefined : { url: values.forward, secret: secretOf(values.secret, say) };
  const poll = newEvents({ url, key, types: values.types, since: values.since });
  const showAll = async () => {
    for await (const event of poll()) await show(event, to);
  };
  await showAll();
  say(`Listening at ${url}. A tenant that has no endpoint yet sees what happens from 20 s on.`);
  for (let failures = 0; ; ) {
    await setTimeout(Math.min(longestPauseMilliseconds, pollMilliseconds * 2 ** failures));
    try {
      await showAll();
      failures = 0;
    } catch (error) {
      if (error instanceof Refused) throw error;
      failures += 1;
      say(error instanceof Error ? error.message : String(error));
    }
  }
}

async function show(event: WebhookBody, to: { url: string; secret: string } | undefined): Promise<void> {
  const answer = to && (await forward(event, to));
  if (values.json) console.log(JSON.stringify(event));
  else console.log([lineOf(event), ...(answer === undefined ? [] : [answer])].join(' → '));
}

/** For a reader beside the events. */
function say(text: string): void {
  console.error(text);
}
