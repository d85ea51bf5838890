import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, it } from 'vitest';

/** Who may import whom. Left: a folder. Right: the only things its files may import. */
const rules: [folder: string, allowed: RegExp][] = [
  ['shared/domain', /^(shared\/domain\/|zod$|node:(crypto|util)$)/],
  ['shared/providers', /^(shared\/(domain|providers)\/|zod$|node:)/],
  ['engine', /^(shared\/domain\/|engine\/|onnxruntime-node$|sharp$|libheif-js|zod$|node:)/],
  ['shared/stores', /^(shared\/(domain|stores)\/|shared\/providers\/provider\.ts$|@aws-sdk\/|zod$|node:)/],
  ['shared/api', /^(shared\/(domain|api|stores)\/|zod$)/],
  ['shared/lambda', /^(shared\/(domain|lambda|stores)\/|@middy\/core$|aws-lambda$|zod$|node:)/],
  ['shared/lifecycle', /^shared\/(domain|lifecycle|stores|providers|lambda)\//],
  ['functions', /^(shared\/|functions\/|@aws-sdk\/|@middy\/core$|aws-lambda$|zod$|node:)/],
  ['functions/analyse-capture', /^(shared\/|engine\/engine\.ts$|functions\/|@aws-sdk\/|zod$|node:)/],
  ['infra', /^(infra\/|functions\/[^/]+\/environment\.ts$|aws-cdk-lib|cdk-nag$|constructs$|esbuild$|cdk\.json$|node:)/],
  ['local', /^(local\/|infra\/routes\.ts$|shared\/stores\/|@aws-sdk\/|aws-lambda$|fauxqs|dynalite|zod$|node:)/],
  [
    'tools',
    /^(tools\/|shared\/|engine\/|infra\/routes\.ts$|@aws-sdk\/|sharp$|esbuild$|pbf$|tar$|@cyclonedx\/|cdk\.json$|zod$|node:)/,
  ],
  // The simulation plays the verbs themselves: everything of a function but what meets AWS.
  ['tools/simulate', /^(tools\/simulate\/|shared\/|functions\/[a-z-]+\/(?!handler)[a-z-]+\.ts$|acorn$|zod$|node:)/],
];

const files = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name));

const source = (file: string) => readFileSync(file, 'utf8');

const importing =
  /(?:^|\n)\s*(?:import|export)\s[^'"`;]*?from\s*'([^']+)'|(?:^|\n)\s*import\s*'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/g;

function imports(text: string, file: string): string[] {
  return [...text.matchAll(importing)].map(([, from, bare, dynamic]) => {
    const name = from ?? bare ?? dynamic ?? '';
    return name.startsWith('.') ? relative('.', join(dirname(file), name)) : name;
  });
}

const strangersOf = (file: string, text: string, allowed: RegExp) =>
  imports(text, file)
    .filter((name) => !allowed.test(name))
    .map((name) => `${file} → ${name}`);

/** A folder's files, without those of a folder in it that has rules of its own. */
const filesUnder = (folder: string) =>
  files(folder).filter(
    (file) => !rules.some(([other]) => other.startsWith(`${folder}/`) && file.startsWith(`${other}/`)),
  );

it.each(rules)('%s imports only what it may', (folder, allowed) => {
  expect(filesUnder(folder).flatMap((file) => strangersOf(file, source(file), allowed))).toEqual([]);
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
  expect(visits).toEqual([]);
});

it('only the handlers of functions meet AWS', () => {
  const meeting = files('functions').filter((file) =>
    imports(source(file), file).some((name) => /^@aws-sdk/.test(name)),
  );
  expect(meeting.filter((file) => !file.endsWith('/handler.ts'))).toEqual([]);
});

it('time, chance, environment and fetch are arguments everywhere but where a process begins', () => {
  const worldly =
    /\bprocess\.env\b|\bDate\.now\(|\bnew Date\(\)|\bMath\.random\b|(?<![.\w])fetch\(|\bglobalThis\.fetch\b/;
  const found = ['shared', 'engine', 'functions'].flatMap(files).filter((file) => {
    if (file.endsWith('/handler.ts') || file === 'shared/lambda/log.ts') return false;
    const code = source(file).replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    return worldly.test(code);
  });
  expect(found).toEqual([]);
});

it('nothing of the product needs tests, tools, benches or another folder of the machine', () => {
  for (const folder of ['shared', 'engine', 'functions', 'infra', 'local']) {
    const reaching = files(folder).flatMap((file) =>
      imports(source(file), file).filter((name) => /^(test|tools|bench|\.\.)\//.test(name)),
    );
    expect(reaching, folder).toEqual([]);
  }
});

it('sees a planted violation', () => {
  const planted = "import { GetItemCommand } from '@aws-sdk/client-dynamodb';\nimport * as z from 'zod';\n";
  const [, domain] = rules[0] ?? [];
  expect(domain && strangersOf('shared/domain/verdict.ts', planted, domain)).toEqual([
    'shared/domain/verdict.ts → @aws-sdk/client-dynamodb',
  ]);
  const neighbour = "export { x } from '../read-verification/read.ts';";
  expect(imports(neighbour, 'functions/notice-capture/notice.ts')).toEqual(['functions/read-verification/read.ts']);
});
