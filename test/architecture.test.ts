import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { registry } from '../shared/providers/registry.ts';
import { staleness } from '../tools/release/client.ts';

/* The rules of the house, as CONTRIBUTING.md tells them. A broken one says which, why, and what to do instead. */

interface Rule {
  readonly rule: string;
  readonly why: string;
  readonly instead: string;
}

/** What is wrong, with the rule it breaks: what a failing test prints. */
const report = ({ rule, why, instead }: Rule, found: readonly string[]): string =>
  found.length === 0 ? '' : `${found.join('\n')}\nRule: ${rule}\nWhy: ${why}\nInstead: ${instead}`;

const files = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
        .map((entry) => join(entry.parentPath, entry.name))
        .filter((file) => !file.includes('node_modules/'))
    : [];

const source = (file: string) => readFileSync(file, 'utf8');
/** The code alone: what a comment says breaks no rule. */
const codeOf = (text: string) => text.replace(/\/\*[\s\S]*?\*\/|(?<![:'"`])\/\/.*$/gm, '');

const importing =
  /(?:^|\n)\s*(?:import|export)\s[^'"`;]*?from\s*'([^']+)'|(?:^|\n)\s*import\s*'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/g;

function imports(text: string, file: string): string[] {
  return [...text.matchAll(importing)].map(([, from, bare, dynamic]) => {
    const name = from ?? bare ?? dynamic ?? '';
    return name.startsWith('.') ? relative('.', join(dirname(file), name)) : name;
  });
}

/** Data tables that everybody may read. */
const tables = String.raw`shared\/(providers\/registry|api\/operations|domain\/metric)\.ts$|shared\/providers\/[a-z]+\/capabilities\.ts$|shared\/providers\/provider\.ts$`;
const contract = String.raw`shared\/providers\/provider\.ts$`;

interface ImportRule extends Rule {
  readonly folder: string;
  readonly allowed: RegExp;
}

const importRules: readonly ImportRule[] = [
  {
    folder: 'shared/domain',
    allowed: /^(shared\/domain\/|zod$|node:(crypto|util)$)/,
    rule: '1. shared/domain imports zod and itself',
    why: 'the rules of the product must be readable and testable without AWS, network or clock',
    instead: 'declare what it needs of the world as a type in shared/domain/ports.ts and pass it in',
  },
  {
    folder: 'shared/lifecycle',
    allowed: new RegExp(String.raw`^(shared\/(domain|lifecycle)\/|${contract})`),
    rule: '2. lifecycle imports domain and the provider contract',
    why: 'acts are simulated and enumerated: an SDK or a store in one of them cannot be killed at every await',
    instead: 'take a port of shared/domain/ports.ts as a dependency; the handler connects the store to it',
  },
  {
    folder: 'shared/providers',
    allowed: /^(shared\/(domain|providers)\/|zod$|node:)/,
    rule: '3. a provider imports domain, the contract and its own folder',
    why: 'a vendor is replaced by deleting its folder',
    instead: 'move what two vendors share beside the folders, in shared/providers',
  },
  {
    folder: 'shared/stores',
    allowed: /^(shared\/(domain|stores)\/|shared\/lifecycle\/announce\.ts$|@aws-sdk\/|aws-lambda$|zod$|node:)/,
    rule: 'stores stand behind the ports of domain',
    why: 'an act that reaches past its port cannot be tested without AWS',
    instead: 'put the decision into an act; a store only reads and writes',
  },
  {
    folder: 'shared/api',
    allowed: /^(shared\/(domain|api|lifecycle)\/|shared\/providers\/[a-z]+\/(answers|calls)\.ts$|zod$|node:crypto$)/,
    rule: 'api turns wire words into domain words and back',
    why: 'the wire is stated once, and document, template and types come from it',
    instead: 'put what is not about the wire into domain or an act',
  },
  {
    folder: 'shared/lambda',
    allowed:
      /^(shared\/(domain|lambda|api)\/|@middy\/core$|@aws-lambda-powertools\/metrics$|@fastify\/busboy$|aws-lambda$|zod$|node:)/,
    rule: 'the edge wrappers know events, not stores',
    why: 'every function is woken, logged and answered alike',
    instead: 'take what the wrapper needs as a port, connected in handler.ts',
  },
  {
    folder: 'shared/webhooks',
    allowed: /^(shared\/(domain|webhooks)\/|standardwebhooks$|node:crypto$)/,
    rule: 'webhooks know how and when to post, not what or to whom',
    why: 'every webhook is posted by one sender, on one schedule',
    instead: 'take what it needs as a port; the handler connects it',
  },
  {
    folder: 'engine',
    allowed: /^(engine\/|shared\/domain\/|onnxruntime-node$|sharp$|libheif-js|mediabunny$|zod$|node:)/,
    rule: 'engine: pixels and samples in, numbers out',
    why: 'models are measured and fuzzed without AWS',
    instead: 'hand bytes to the engine; functions/analyse-capture fetches them',
  },
  {
    folder: 'shared/pages',
    allowed: /^(shared\/(domain|pages)\/|zod$)/,
    rule: 'pages are text and headers, made of what was built and what a policy says',
    why: 'what a page may do is asserted without a browser or a stack',
    instead: 'read files and tenants in functions/serve-pages/handler.ts',
  },
  {
    folder: 'web/client',
    allowed: /^(web\/client\/|openapi-fetch$)/,
    rule: '9. the client needs nothing of this project: it is packed and installed elsewhere',
    why: 'an integrator installs @bonafide/client without our sources',
    instead: 'generate what it needs to know from docs/openapi.json',
  },
  {
    folder: 'web/capture',
    allowed:
      /^(web\/(client|capture)\/|lit$|lit\/|uqr$|onnxruntime-web\/wasm$|engine\/(faces|manifest|measurements|model|pixels|quality|sight)\.ts$|shared\/domain\/)/,
    rule: '9. the element imports the client, Lit, domain, and what guidance shares with the engine: pure functions, and types',
    why: 'every import is bytes that a phone loads, and nothing of a server runs in a browser',
    instead: 'ask the API through web/client; make the function pure, and name its file in this rule',
  },
  {
    folder: 'web/console',
    allowed: /^(web\/(client|console)\/|lit$|lit\/|shared\/domain\/)/,
    rule: '9. the console imports the client, Lit and domain',
    why: 'every import is bytes that a page loads, and nothing of a server runs in a browser',
    instead: 'ask the API through web/client',
  },
  {
    folder: 'functions',
    allowed: /^(shared\/|functions\/|engine\/engine\.ts$|@aws-sdk\/|aws-lambda$|zod$|node:)/,
    rule: 'a function connects stores to one act',
    why: 'what a function does is an act in shared/lifecycle, where it is simulated',
    instead: 'move the work into an act',
  },
  {
    folder: 'infra',
    allowed: new RegExp(
      String.raw`^(infra\/|web\/build\.ts$|functions\/[^/]+\/environment\.ts$|${tables}|aws-cdk-lib|cdk-nag$|constructs$|esbuild$|cdk\.json$|node:)`,
    ),
    rule: 'infra knows functions by path and environment, and the data tables',
    why: 'a template that runs product code deploys whatever that code does on the machine that synthesizes',
    instead: 'put the fact it needs into providers/registry.ts, api/operations.ts or domain/metric.ts',
  },
  {
    folder: 'local',
    allowed: new RegExp(
      String.raw`^(local\/|infra\/bundle\.ts$|shared\/stores\/|shared\/domain\/|${tables}|@aws-sdk\/|aws-lambda$|esbuild$|fauxqs|dynalite|zod$|node:)`,
    ),
    rule: 'the local stack reads the synthesized template',
    why: 'what runs here must be what is deployed',
    instead: 'read the template, beside the part that needs it',
  },
  {
    folder: 'tools',
    allowed:
      /^(tools\/|engine\/|shared\/|web\/client\/|infra\/bundle\.ts$|@aws-sdk\/|sharp$|esbuild$|pbf$|tar$|@cyclonedx\/|cdk\.json$|package(-lock)?\.json$|zod$|node:)/,
    rule: 'tools are thin command lines over shared and engine',
    why: 'what a command does must be reachable by a program and a test',
    instead: 'move the work into shared or engine',
  },
  {
    folder: 'web/client',
    allowed: /^(web\/client\/|openapi-fetch$)/,
    rule: 'the client needs openapi-fetch alone, in Node and in browsers',
    why: 'it is published, and a page loads all of it',
    instead: 'take what it needs of the API from web/client/schema.ts; write the rest by hand',
  },
  {
    folder: 'test/simulation',
    allowed:
      /^(test\/(simulation|builders)\/|shared\/(domain|lifecycle|providers|api)\/|shared\/stores\/(landings|verifications|webhook-queue)\.ts$|shared\/webhooks\/(schedule|body|sign)\.ts$|standardwebhooks$|tools\/(evaluate\/random|command-line)\.ts$|acorn$|vitest(\/config)?$|zod$|node:)/,
    rule: 'the simulation plays the acts themselves, around no AWS',
    why: 'a run must be the same for the same random numbers',
    instead: 'give the world of the simulation another port',
  },
];

const strangersOf = (file: string, text: string, allowed: RegExp) =>
  imports(text, file)
    .filter((name) => !allowed.test(name))
    .map((name) => `${file} → ${name}`);

const product = ['shared', 'functions', 'engine'];
const isHandler = (file: string) => /^functions\/[^/]+\/handler\.ts$/.test(file);

describe('the house', () => {
  it.each(importRules.map((rule) => [rule.folder, rule] as const))('%s imports only what it may', (folder, rule) => {
    expect(
      report(
        rule,
        files(folder).flatMap((file) => strangersOf(file, source(file), rule.allowed)),
      ),
    ).toBe('');
  });

  it.each(['functions', 'shared/providers'])('no neighbour in %s knows another', (folder) => {
    const home = (path: string) => {
      const [first = '', ...rest] = path.startsWith(`${folder}/`) ? path.slice(folder.length + 1).split('/') : [];
      return rest.length > 0 ? first : undefined;
    };
    const visits = files(folder).flatMap((file) =>
      imports(source(file), file)
        .filter((name) => home(name) !== undefined && home(file) !== undefined && home(name) !== home(file))
        .map((name) => `${file} → ${name}`),
    );
    const rule = {
      rule: '3 and 4. a provider never imports a provider, a function never a function',
      why: 'each is understood, bundled and removed alone',
      instead: 'move what both need into shared',
    };
    expect(report(rule, visits)).toBe('');
  });

  it('only stores and handlers meet AWS', () => {
    const meeting = product
      .flatMap(files)
      .filter((file) => !file.startsWith('shared/stores/') && !isHandler(file))
      .filter((file) => imports(source(file), file).some((name) => name.startsWith('@aws-sdk')));
    const rule = {
      rule: '5. @aws-sdk only in shared/stores, functions/*/handler.ts, tools, local, test, bench',
      why: 'everything else is played by the simulation, which has no AWS',
      instead: 'write a store behind a port, and connect it in handler.ts',
    };
    expect(report(rule, meeting)).toBe('');
  });

  it('every client of AWS that the product or a tool makes has limits of time', () => {
    const limitless = /new \w+Client\((?!\{?\s*(\.\.\.presignable, )?(\.\.\.)?(limits|bodyLimits)\b)/;
    const found = [...product, 'tools'].flatMap(files).filter((file) => limitless.test(codeOf(source(file))));
    const rule = {
      rule: 'every client of the SDK is made with limits or bodyLimits of shared/stores/limits.ts',
      why: 'the SDK waits for ever: one dead connection eats the whole time of a function, and of the person who waits for it',
      instead:
        'new DynamoDBClient(limits), new S3Client(bodyLimits); one that needs longer gets a row in limits.ts that says why',
    };
    expect(report(rule, found)).toBe('');
  });

  it('time, chance, environment and fetch are arguments everywhere but where a process begins', () => {
    const worldly =
      /\bprocess\.env\b|\bDate\.now\(|\bnew Date\(\)|\bMath\.random\b|(?<![.\w])fetch\(|\bglobalThis\.fetch\b/;
    const found = product
      .flatMap(files)
      .filter((file) => !isHandler(file) && file !== 'shared/lambda/log.ts')
      .filter((file) => !file.startsWith('engine/training/') && worldly.test(codeOf(source(file))));
    const rule = {
      rule: '6. process.env, Date.now(), new Date(), Math.random and global fetch only where the world is connected',
      why: 'the same input must give the same result, in a test and in a simulated run',
      instead: 'take it as a dependency; handler.ts, local, tools and infra/app.ts give it',
    };
    expect(report(rule, found)).toBe('');
  });

  it('one file reaches an address that a stranger chose', () => {
    const networks = /^(node:)?(https?|http2|net|tls|dgram|dns|dns\/promises)$|^(request-filtering-agent|undici)$/;
    const reaching = product
      .flatMap(files)
      .filter((file) => file !== 'shared/fetching.ts')
      .flatMap((file) => imports(source(file), file).map((name) => [file, name] as const))
      .filter(([, name]) => networks.test(name))
      .map(([file, name]) => `${file} → ${name}`);
    const rule = {
      rule: "10. a stranger's address is reached only through shared/fetching.ts",
      why: 'a link to a metadata service or a private network looks like any other, and a check before the request is too early',
      instead: 'take the port Fetcher of shared/domain/ports.ts; the handler connects it',
    };
    expect(report(rule, reaching)).toBe('');
  });

  it('one function signs operators in at an identity provider, and one file speaks to it', () => {
    const speaking = product
      .flatMap(files)
      .flatMap((file) => imports(source(file), file).map((name) => [file, name] as const))
      .filter(([, name]) => name === 'openid-client' || name === 'shared/oidc.ts')
      .map(([file, name]) => `${file} → ${name}`);
    const rule = {
      rule: 'openid-client is for shared/oidc.ts, and that for functions/sign-in-operator alone',
      why: 'it reaches an address of the deployment’s by fetch, and no other function has anything to say to it',
      instead: 'take the port SignInProvider of shared/lambda/sign-in.ts',
    };
    const allowed = ['functions/sign-in-operator/handler.ts → shared/oidc.ts', 'shared/oidc.ts → openid-client'];
    expect(
      report(
        rule,
        speaking.filter((one) => !allowed.includes(one)),
      ),
    ).toBe('');
    expect(speaking.toSorted()).toEqual(allowed);
  });

  it('only lifecycle changes a record, and only hand-over moves one to queued and sends', () => {
    const outside = [...files('shared'), ...files('functions')].filter(
      (file) => !file.startsWith('shared/lifecycle/') && !file.startsWith('shared/stores/'),
    );
    const writing =
      /verifications\s*\.\s*(move|land|renew|accept|settle|note|create|createPaid|refund|countPost|giveUpOrder|closeOrder)\(/;
    const sending = /(?<![.\w])send\(|'queued',\s*\{/;
    const found = [
      ...outside.filter((file) => writing.test(codeOf(source(file)))),
      ...files('shared/lifecycle')
        .filter((file) => file !== 'shared/lifecycle/hand-over.ts')
        .filter((file) => sending.test(codeOf(source(file)))),
    ];
    const rule = {
      rule: "7. only lifecycle calls the store's writing verbs; only hand-over moves to queued, and sends",
      why: 'a record that is queued and whose message was forgotten waits until the sweep finds it',
      instead: 'call handOver or handOverAgain of shared/lifecycle/hand-over.ts',
    };
    expect(report(rule, found)).toBe('');
  });

  it('no provider is asked for by its name outside its folder', () => {
    const names = [...registry.keys()].join('|');
    const asking = new RegExp(String.raw`(===|!==|case)\s*['"](${names})['"]|['"](${names})['"]\s*(===|!==)`);
    const found = ['shared', 'functions', 'infra', 'local', 'tools']
      .flatMap(files)
      .filter((file) => !new RegExp(`/(${names})/`).test(file) && !file.startsWith('tools/vendor-simulator'))
      .filter((file) => asking.test(codeOf(source(file))));
    const rule = {
      rule: "8. no `if` on a provider's name outside its folder",
      why: 'the next provider has another name and needs the same',
      instead: 'name the difference as a capability in shared/providers/provider.ts, and ask for that',
    };
    expect(report(rule, found)).toBe('');
  });

  it('a handler connects, parses, calls one act and answers: in 40 lines', () => {
    const found = files('functions')
      .filter(isHandler)
      .map((file) => [file, source(file).trimEnd().split('\n').length] as const)
      .filter(([, lines]) => lines > 40)
      .map(([file, lines]) => `${file}: ${lines} lines`);
    const rule = {
      rule: 'handler.ts has at most 40 lines',
      why: 'an if about the business in a handler is neither enumerated nor simulated',
      instead: 'move it into an act of shared/lifecycle',
    };
    expect(report(rule, found)).toBe('');
  });

  it('no text of a caller is looked up on a plain object', () => {
    const tablesByName = /\b(registry|connectors|deliveries|queues|operations|thresholds|breakers|readers)\[[a-z]/;
    const found = ['shared', 'functions', 'tools', 'infra']
      .flatMap(files)
      .filter((file) => file !== 'shared/lifecycle/ask.ts' && tablesByName.test(codeOf(source(file))));
    const rule = {
      rule: "a caller's text is never a key of a plain object",
      why: '`constructor` and `__proto__` are keys of every object, and a 500 or worse',
      instead: 'use a Map, or ask Object.hasOwn first',
    };
    expect(report(rule, found)).toBe('');
  });

  it('nothing of the product needs tests, tools, benches or another folder of the machine', () => {
    const reaching = ['shared', 'functions', 'engine', 'infra', 'local', 'web'].flatMap((folder) =>
      files(folder).flatMap((file) =>
        imports(source(file), file)
          .filter((name) => /^(test|tools|bench|\.\.)\//.test(name))
          .map((name) => `${file} → ${name}`),
      ),
    );
    const rule = {
      rule: 'nothing imports test, bench or tools',
      why: 'what is deployed must not need what is not',
      instead: 'move the shared part into shared',
    };
    expect(report(rule, reaching)).toBe('');
  });

  it('only infra knows pages, by their path: what is deployed loads nothing of them', () => {
    const reaching = ['shared', 'functions', 'engine', 'infra', 'local'].flatMap((folder) =>
      files(folder).flatMap((file) =>
        imports(source(file), file)
          .filter((name) => name.startsWith('web/') && file !== 'infra/bundle.ts')
          .map((name) => `${file} → ${name}`),
      ),
    );
    const rule = {
      rule: '9. nothing imports web but infra/bundle.ts, which builds it',
      why: 'pages are files that a function serves, and run in a browser',
      instead: 'move what both need into shared/domain',
    };
    expect(report(rule, reaching)).toBe('');
  });

  it('every act is connected in the simulation, so that it is killed at each await and runs beside every other', () => {
    const connected = new Set<string>();
    const follow = (file: string): void => {
      if (connected.has(file)) return;
      connected.add(file);
      imports(source(file), file)
        .filter((name) => name.startsWith('shared/lifecycle/'))
        .forEach(follow);
    };
    follow('test/simulation/acts.ts');
    const rule = {
      rule: 'every file of shared/lifecycle is reached from test/simulation/acts.ts',
      why: 'an order of steps that loses a verification is found by playing all of them, not by thinking',
      instead: 'connect the act in test/simulation/acts.ts, and play it in test/simulation/enumeration.test.ts',
    };
    const missing = files('shared/lifecycle').filter((file) => !connected.has(file));
    expect(report(rule, missing)).toBe('');
  });

  it('the client has the types of docs/openapi.json, as npm run client writes them', () => {
    const document = source('docs/openapi.json');
    const schema = source('web/client/schema.ts');
    expect(staleness(document, schema)).toBeUndefined();
    expect(staleness(document.replace('source_id', 'sourceId'), schema)).toMatch(/another .*: npm run client$/);
    expect(staleness(document, schema.replace('source_id', 'sourceId'))).toMatch(/by hand: npm run client$/);
  });

  it('sees a planted violation, and says what to do', () => {
    const planted = "import { GetItemCommand } from '@aws-sdk/client-dynamodb';\nimport * as z from 'zod';\n";
    const [domain] = importRules;
    if (!domain) throw new Error('no rules');
    const found = strangersOf('shared/domain/verdict.ts', planted, domain.allowed);
    expect(found).toEqual(['shared/domain/verdict.ts → @aws-sdk/client-dynamodb']);
    expect(report(domain, found)).toMatch(/Rule: 1\. .*\nWhy: .*\nInstead: /);
    const neighbour = "export { x } from '../read-verification/read.ts';";
    expect(imports(neighbour, 'functions/notice-capture/handler.ts')).toEqual(['functions/read-verification/read.ts']);
  });
});
