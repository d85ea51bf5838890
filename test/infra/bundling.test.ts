import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { buildSync, type Metafile } from 'esbuild';
import { describe, expect, it } from 'vitest';
import {
  bundleEngine,
  bundleFunction,
  bundleFunctions,
  bundleOptions,
  engineFunction,
  layBundle,
  projectRoot,
} from '../../infra/bundle.ts';
import { ServiceFunction } from '../../infra/constructs/service-function.ts';
import { routes } from '../../shared/api/operations.ts';
import { temporaryDirectory } from './stack.ts';

const apiFunctions = [...new Set(routes.map((route) => route.function))];
const names = readdirSync(join(projectRoot, 'functions')).filter((name) => name !== engineFunction);

interface Bundle {
  readonly file: string;
  /** All that was read for it. */
  readonly inputs: readonly string[];
  readonly imports: Metafile['outputs'][string]['imports'];
}

/** What is deployed of each. */
const bundles = bundleAll();
function bundleAll(): ReadonlyMap<string, Bundle> {
  const directory = temporaryDirectory();
  const { metafile } = bundleFunctions(directory);
  for (const name of names) {
    mkdirSync(join(directory, name));
    layBundle(name, join(directory, name));
  }
  const reached = (paths: readonly string[]): string[] => {
    const found = new Set(paths);
    for (const path of found) for (const { path: next } of metafile.inputs[path]?.imports ?? []) found.add(next);
    return [...found];
  };
  const built = Object.values(metafile.outputs).map(({ entryPoint = '', imports }): [string, Bundle] => {
    const name = entryPoint.split('/')[1] ?? '';
    return [name, { file: join(directory, name, 'index.mjs'), inputs: reached([entryPoint]), imports }];
  });
  return new Map(built.filter(([name]) => names.includes(name)));
}

function bundled(name: string): Bundle {
  const found = bundles.get(name);
  if (!found) throw new Error(`${name} was not bundled`);
  return found;
}

/** Runs modules as Lambda would: on this Node, with credentials in its environment and nothing else around it. */
function run(source: string): string {
  const env = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'example', AWS_REGION: 'eu-west-1' };
  return execFileSync(process.execPath, ['--input-type=module', '-e', source], { env, cwd: '/', encoding: 'utf8' });
}

/** What each exports as its handler, or why it does not start: one process imports all of them. */
const started = new Map<string, unknown>(
  JSON.parse(
    run(`const started = [];
      for (const [name, file] of ${JSON.stringify([...bundles].map(([name, { file }]) => [name, file]))}) {
        const it = await import(file).catch((error) => ({ handler: String(error) }));
        started.push([name, typeof it.handler === 'function' ? 'function' : it.handler]);
      }
      console.log(JSON.stringify(started))`),
  ),
);

describe.each(names)('%s', (name) => {
  const { inputs, imports } = bundled(name);

  it('carries no model code', () => {
    const models = /onnxruntime|sharp|libheif|faceplugin|shared\/engine\//;
    expect(inputs).toContain(`functions/${name}/handler.ts`);
    expect(inputs.filter((path) => models.test(path))).toEqual([]);
  });

  it('asks for nothing that is not inside, but for credentials Lambda never looks for there', () => {
    for (const { path, kind } of imports.filter(({ external }) => external)) {
      if (!isBuiltin(path)) expect({ path, kind }).toMatchObject({ kind: 'dynamic-import' });
    }
  });

  it('starts outside the project', () => {
    expect(started.get(name)).toBe('function');
  });
});

it.each(apiFunctions)('%s is small enough to start quickly', (name) => {
  const { file, inputs } = bundled(name);
  const withS3 = inputs.some((path) => path.includes('@aws-sdk/client-s3/'));
  expect(statSync(file).size).toBeLessThanOrEqual(withS3 ? 720_000 : 520_000);
});

it('makes the same bytes every time, whatever the directory', () => {
  for (const name of ['erase-verification', 'serve-pages']) {
    const directory = temporaryDirectory();
    bundleFunction(name, directory);
    const alone = readFileSync(join(directory, 'index.mjs'));
    expect(alone.equals(readFileSync(bundled(name).file))).toBe(true);
    expect(alone.toString()).not.toContain(projectRoot);
  }
});

it('finds the credentials Lambda puts in the environment, without the chains that were left out', () => {
  const directory = temporaryDirectory();
  buildSync({
    ...bundleOptions('none', directory),
    entryPoints: [],
    stdin: {
      resolveDir: projectRoot,
      contents: `import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
        export const credentials = () => new DynamoDBClient().config.credentials();`,
    },
  });
  const file = JSON.stringify(join(directory, 'index.mjs'));
  const keyId = run(`const it = await import(${file}); console.log((await it.credentials()).accessKeyId)`);
  expect(keyId).toBe('AKIDEXAMPLE\n');
});

it('tells functions apart: each is deployed with its own code', () => {
  const app = new App({ outdir: temporaryDirectory(), builtinCloudFormationValidation: false });
  const stack = new Stack(app, 'two');
  for (const name of ['erase-verification', 'announce-event']) {
    new ServiceFunction(stack, name, { environment: {}, hurtWhenFailing: 'No person: this is a test.' });
  }
  const keys = Object.values(Template.fromStack(stack).findResources('AWS::Lambda::Function')).map(
    ({ Properties }) => Properties.Code.S3Key,
  );
  expect(new Set(keys).size).toBe(2);
});

describe('the engine', () => {
  it('is refused without its models and native packages, naming the command that prepares them', () => {
    expect(() => bundleEngine(temporaryDirectory(), { processor: 'arm64', root: temporaryDirectory() })).toThrow(
      'npm run engine-assets -- --arch arm64',
    );
  });

  /** A project in which the shipped pack is one file. */
  function prepared(): string {
    const root = temporaryDirectory();
    const engine = join(root, 'build', 'engine', 'x64');
    mkdirSync(join(engine, 'models'), { recursive: true });
    writeFileSync(join(engine, 'models', 'face.onnx'), 'weights');
    const components = [
      { type: 'library', name: 'sharp', 'bom-ref': 'sharp' },
      { type: 'machine-learning-model', name: 'face.onnx', 'bom-ref': 'models/face.onnx' },
    ];
    const dependencies = [{ ref: 'sharp' }, { ref: 'models/face.onnx' }];
    writeFileSync(join(engine, 'sbom.cdx.json'), JSON.stringify({ components, dependencies }));
    writeFileSync(join(engine, '.ready'), '');
    return root;
  }

  it('lies beside what was prepared for its processor', () => {
    const [root, output] = [prepared(), temporaryDirectory()];
    bundleEngine(output, { processor: 'x64', root });
    expect(readdirSync(output).sort()).toEqual(['index.mjs', 'models', 'sbom.cdx.json']);
    expect(existsSync(join(output, 'models', 'face.onnx'))).toBe(true);
  });

  describe('with another model pack', () => {
    const bytes = 'other weights';
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const bundleWith = (manifest: unknown) => {
      const [root, output] = [prepared(), temporaryDirectory()];
      mkdirSync(join(root, 'my-pack'));
      writeFileSync(join(root, 'my-pack', 'other.onnx'), bytes);
      writeFileSync(join(root, 'my-pack', 'notes.txt'), 'not named by the manifest');
      if (manifest) writeFileSync(join(root, 'my-pack', 'manifest.json'), JSON.stringify(manifest));
      bundleEngine(output, { processor: 'x64', root, modelPack: 'my-pack' });
      return output;
    };

    it('lies beside that one’s files and nothing of the shipped one, and its list of parts says so', () => {
      const nested = { spoofing: { models: [{ file: 'other.onnx', sha256 }] } };
      const output = bundleWith(nested);
      expect(readdirSync(join(output, 'models')).sort()).toEqual(['manifest.json', 'other.onnx']);
      const sbom = JSON.parse(readFileSync(join(output, 'sbom.cdx.json'), 'utf8'));
      expect(sbom.components.map(({ name }: { name: string }) => name)).toEqual(['other.onnx', 'sharp']);
      expect(sbom.dependencies).toEqual([{ ref: 'sharp' }]);
    });

    it.each([
      ['there is no manifest', undefined, 'no manifest.json'],
      ['it names no weights', { name: 'mine' }, 'names no file'],
      ['a file is missing', { a: { file: 'gone.onnx', sha256 } }, 'gone.onnx, which is not beside it'],
      ['a file lies elsewhere', { a: { file: '../build/engine/x64/models/face.onnx', sha256 } }, 'not beside it'],
      ['a file is another one', { a: { file: 'other.onnx', sha256: '0'.repeat(64) } }, `has sha256 ${sha256}`],
    ])('is refused where %s', (_, manifest, message) => {
      expect(() => bundleWith(manifest)).toThrow(message);
    });
  });
});
