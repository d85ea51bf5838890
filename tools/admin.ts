import * as z from 'zod';
import { auditCommands } from './admin/audit.ts';
import { breakerCommands } from './admin/breaker.ts';
import { credentialsCommands } from './admin/credentials.ts';
import { connect } from './admin/deployment.ts';
import { endpointCommands } from './admin/endpoint.ts';
import { eventsCommands } from './admin/events.ts';
import { logoCommands } from './admin/logo.ts';
import { operatorCommands } from './admin/operator.ts';
import { policyCommands } from './admin/policy.ts';
import { receiptCommands } from './admin/receipt.ts';
import { redriveCommands } from './admin/redrive.ts';
import { restoreCommands } from './admin/restore.ts';
import { servedCommands } from './admin/served.ts';
import { tenantCommands } from './admin/tenant.ts';
import { verificationCommands } from './admin/verification.ts';
import { webhookCommands } from './admin/webhook.ts';
import { commandLine } from './command-line.ts';

const usage = `Keeps tenants and finds their verifications, in the running local stack or in AWS.

  npm run admin -- tenant create acme              a tenant with the default policy; prints its first key, once
  npm run admin -- tenant create acme-test --test  one for tests: it may use every provider, and its verdicts say nothing
                                                   about a person; live or test for good
  npm run admin -- tenant add-key acme             another key, beside the ones it has
  npm run admin -- tenant revoke-key acme KEY_ID
  npm run admin -- tenant show acme                key ids, policy, where credentials are kept; no key is stored

  npm run admin -- operator invite acme reviewer "Ada"   a person for the console, viewer or reviewer; prints a link that
                                                   works once within 15 minutes. --email A: also by OpenID Connect
  npm run admin -- operator invite-again acme ID   another link, for an operator whose eight hours are over
  npm run admin -- operator list acme              revoke acme ID, sign-out acme ID: in force at the next request

  npm run admin -- policy show acme
  npm run admin -- policy validate FILE            says what is wrong with it; changes nothing. --test: for a test tenant
  npm run admin -- policy set acme FILE            the next version; verifications under way keep theirs
  npm run admin -- logo set acme FILE              of its capture page: a PNG of at most 32 kB; logo remove acme

  npm run admin -- credentials set PROVIDER acme FILE        {"settings": {…}, "credentials": {…}}: docs/providers.md
  npm run admin -- credentials set PROVIDER deployment FILE  for tenants that have none of their own
  npm run admin -- credentials check PROVIDER acme           asks the vendor whether it takes them: at most one call
  npm run admin -- credentials forget PROVIDER acme

  npm run admin -- webhook rotate PROVIDER acme    a new webhook address, shown this once; the old one is taken
                                                   for --grace-seconds more (default a day)
  npm run admin -- webhook rotate PROVIDER deployment    for all that is asked with the deployment's credentials

  npm run admin -- credits add acme 100            for requests of its apps to /identify; prints what is left
  npm run admin -- credits show acme
  npm run admin -- served-webhook set acme NAME URL    where their results are posted; list acme, remove acme NAME

  npm run admin -- endpoint create acme URL|FILE   where events are sent; prints its secret, once. FILE: docs/webhooks.md
  npm run admin -- endpoint list acme              show|delete|disable|enable acme ENDPOINT, change acme ENDPOINT FILE
  npm run admin -- endpoint rotate acme ENDPOINT   another secret, printed once; the one before signs for --grace-seconds
                                                   more. FILE behind it: {"secret": "whsec_…"}
  npm run admin -- endpoint test acme ENDPOINT     sends it a signed endpoint.test, from this machine
  npm run admin -- endpoint reseal acme            after the key of endpoints was replaced: docs/security.md

  npm run admin -- verification id acme SOURCE_ID  what logs and object keys call it; reads the key of ids, no record
  npm run admin -- receipt verify FILE             whether an erasure's receipt is genuine; exit code 0 or 1
                                                   --keys FILE_OR_URL of the public keys: then no deployment is asked
  npm run admin -- audit verify acme [SOURCE_ID]   says which line of which history was changed since it was written;
                                                   --against FILE: also where events say so, one JSON a line (docs/audit.md)

  npm run admin -- redrive QUEUE                   moves what QUEUE could not deliver back to it: captures, builtin (or another
                                                   provider), fetches, results, webhooks. Twice does no harm: docs/runbook.md
  npm run admin -- breaker list                    open PROVIDER [acme|deployment], for --minutes (60); close PROVIDER
  npm run admin -- events replay --since TIME      announces what happened since, and before --until, again: same ids
  npm run admin -- restore ENDING FILE             makes new tables of what the stack's held --at TIME, the latest by default;
                                                   FILE then names them for npm run deploy -- -c adopt=FILE

  Without an option: the local stack (npm start) of BONAFIDE_DATA.
  --aws              the stack this checkout deployed (cdk-outputs.json, written by npm run deploy)
  --tenants-table T  a table by name, with the AWS credentials and region of your environment
                     (then also --stack NAME, default bonafide, --url URL of the API, --id-key-secret ARN,
                     --endpoint-key-secret ARN,
                     --verifications-table T)
`;

const { values, positionals } = commandLine(usage, {
  allowPositionals: true,
  options: {
    aws: { type: 'boolean', default: false },
    'tenants-table': { type: 'string' },
    stack: { type: 'string', default: 'bonafide' },
    url: { type: 'string' },
    'id-key-secret': { type: 'string' },
    'endpoint-key-secret': { type: 'string' },
    keys: { type: 'string' },
    'verifications-table': { type: 'string' },
    against: { type: 'string' },
    email: { type: 'string' },
    test: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '60' },
    since: { type: 'string' },
    until: { type: 'string' },
    at: { type: 'string' },
    'grace-seconds': { type: 'string', default: '86400' },
  },
});

const commands = new Map(
  Object.entries({
    ...auditCommands,
    ...tenantCommands,
    ...operatorCommands,
    ...policyCommands,
    ...logoCommands,
    ...credentialsCommands,
    ...webhookCommands,
    ...servedCommands,
    ...endpointCommands,
    ...verificationCommands,
    ...receiptCommands,
    ...redriveCommands,
    ...breakerCommands,
    ...eventsCommands,
    ...restoreCommands,
  }),
);

try {
  process.exitCode = await administer(positionals);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function administer(given: readonly string[]): Promise<number> {
  const [noun = '', verb = ''] = given;
  const named = commands.has(noun) ? noun : `${noun} ${verb}`.trim() || 'nothing';
  const command = commands.get(named);
  const words = given.slice(named === noun ? 1 : 2);
  if (!command || words.length < command.words) {
    console.error(command ? `${named} needs more words.` : `There is no command ${named}.`);
    console.log(usage);
    return 2;
  }
  const minutes = z.coerce.number().int().min(1).max(10_080).safeParse(values.minutes);
  if (!minutes.success) throw new Error('--minutes is a whole number from 1 to 10080, a week');
  const graceSeconds = z.coerce.number().int().min(0).parse(values['grace-seconds']);
  await command.run(words, {
    connect: () => connect(values),
    graceSeconds,
    minutes: minutes.data,
    since: values.since,
    until: values.until,
    at: values.at,
    keys: values.keys,
    against: values.against,
    email: values.email,
    test: values.test,
  });
  return 0;
}
