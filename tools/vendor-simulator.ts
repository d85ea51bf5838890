import { commandLine, misused } from './command-line.ts';
import { startVendorSimulator } from './vendor-simulator/server.ts';

const usage = `npm run vendor-simulator -- [options]

Identify, SpoofSense and One Smart Lab on one local port, to test against. docs/providers.md says what they can be told.

  --port N              4010 by default
  --host H              127.0.0.1 by default
  --key K               the key all three take; simulator-key by default
  --webhook NAME=URL    where Identify posts results for this webhook_name; may be repeated
  --credits N           Identify's; without it they never end
  --edition E           SpoofSense's document: error_codes (default) or messages
  --json                print one line {"ready":true,"url","base_urls","key"}`;

const { values } = commandLine(usage, {
  options: {
    port: { type: 'string', default: '4010' },
    host: { type: 'string' },
    key: { type: 'string' },
    webhook: { type: 'string', multiple: true, default: [] },
    credits: { type: 'string' },
    edition: { type: 'string', default: 'error_codes' },
    json: { type: 'boolean', default: false },
  },
});

const simulator = await startVendorSimulator({
  port: Number(values.port),
  host: values.host,
  webhooks: Object.fromEntries(values.webhook.map(readWebhook)),
  spoofsenseEdition: values.edition === 'messages' ? 'messages' : 'error_codes',
  ...(values.key ? { key: values.key } : {}),
  ...(values.credits ? { credits: Number(values.credits) } : {}),
});
const { url, baseUrls, key } = simulator;
if (values.json) console.log(JSON.stringify({ ready: true, url, base_urls: baseUrls, key }));
else {
  console.log(`The vendors are at ${url}; their key is ${key}`);
  for (const [name, address] of Object.entries(baseUrls)) console.log(`  ${name.padEnd(12)} ${address}`);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void simulator.stop());

function readWebhook(text: string): [name: string, url: string] {
  const at = text.indexOf('=');
  if (at < 1) misused(usage, `--webhook wants NAME=URL, not ${text}`);
  return [text.slice(0, at), text.slice(at + 1)];
}
