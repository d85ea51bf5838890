import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildSync } from 'esbuild';
import { expect, it, onTestFinished } from 'vitest';
import { bundleOptions } from '../../infra/bundle.ts';
import { startStack } from '../../local/stack.ts';
import { apiTemplate } from './fixtures/start.ts';
import { writeTemplate } from './fixtures/template-directory.ts';
import { temporaryDirectory } from './fixtures/temporary-directory.ts';

/** A project of one function that imports one shared file, running and watched. */
async function watched() {
  const root = temporaryDirectory();
  const write = (file: string, text: string) => {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  };
  const handler = (body: string) =>
    write(
      'functions/greet/handler.ts',
      `import { greeting } from '../../shared/greeting.ts';
       export const handler = async (event: { queryStringParameters?: { slow?: string } }) => {
         if (event.queryStringParameters?.slow) await new Promise((resolve) => setTimeout(resolve, 1500));
         return ${body};
       };`,
    );
  handler("greeting + ' one'");
  write('shared/greeting.ts', "export const greeting: string = 'hello';");

  const template = writeTemplate(path.join(root, 'template'), apiTemplate);
  const bundled = bundleOptions('greet', path.join(template, 'asset.Echo'), { sourceMaps: true });
  buildSync({ ...bundled, absWorkingDir: root });
  const said: string[] = [];
  let changes = 0;
  const watch = { root, say: (text: string) => void said.push(text), onChange: () => void changes++ };
  const stack = await startStack({ template, dataDirectory: path.join(root, 'data'), port: 0, watch });
  onTestFinished(stack.stop);
  const ask = async (query = '') => (await fetch(`${stack.url}/things/1${query}`)).text();
  return { handler, write, root, said, ask, changes: () => changes };
}
const soon = { timeout: 20_000 };

it('a changed handler, and a changed file that it imports, answer without a restart', async () => {
  const { handler, write, ask, said, changes } = await watched();
  expect(await ask()).toBe('hello one');
  handler("greeting + ' two'");
  await expect.poll(() => ask(), soon).toBe('hello two');
  write('shared/greeting.ts', "export const greeting: string = 'good day';");
  await expect.poll(() => ask(), soon).toBe('good day two');
  write('shared/new.ts', "export const who = 'newcomer';");
  handler('greeting + who');
  write(
    'functions/greet/handler.ts',
    "import { who } from '../../shared/new.ts';\nexport const handler = async () => who;",
  );
  await expect.poll(() => ask(), soon).toBe('newcomer');
  expect(said).toContain('Changed: greet');
  expect(changes()).toBeGreaterThanOrEqual(3);
});

it('an invocation that runs while its handler is changed ends as it began', async () => {
  const { handler, ask, said } = await watched();
  await ask();
  const running = ask('?slow=1');
  await new Promise((resolve) => setTimeout(resolve, 200));
  handler("greeting + ' two'");
  await expect.poll(() => said, soon).toContain('Changed: greet');
  expect(await ask()).toBe('hello two');
  expect(await running).toBe('hello one');
  expect(await ask()).toBe('hello two');
});

it('a handler that cannot be bundled is said and goes on as it was, until what was missing is there', async () => {
  const { handler, write, root, ask, said } = await watched();
  handler('greeting +');
  await expect.poll(() => said.join(), soon).toContain('greet stays as it was:');
  expect(said.join()).toContain('functions/greet/handler.ts');
  expect(await ask()).toBe('hello one');

  rmSync(path.join(root, 'shared/greeting.ts'));
  handler("greeting + ' two'");
  await expect.poll(() => said.join(), soon).toContain('Could not resolve');
  write('shared/greeting.ts', "export const greeting: string = 'back';");
  await expect.poll(() => ask(), soon).toBe('back two');
});
