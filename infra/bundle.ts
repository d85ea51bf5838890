import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildOptions, buildSync, type Metafile } from 'esbuild';

/** Where the project lies: bundles must not depend on the directory a command was started in. */
export const projectRoot: string = join(import.meta.dirname, '..');

/** A processor Lambda runs on, as npm and Node name it. */
export type ProcessorName = 'arm64' | 'x64';

/** The one function that carries models and native code. */
export const engineFunction = 'analyse-capture';

/** Native or wasm packages, and packages that only it needs: they lie beside the bundle as they were published. */
const engineExternals = ['onnxruntime-node', 'sharp', 'libheif-js'];

/**
 * Ways to credentials that a function never takes: Lambda gives them in the environment, which the SDK looks at first,
 * and it imports each of these only when it gets to it. Left out they are a fifth of an API function's code.
 */
const unusedCredentialChains = [
  '@aws-sdk/credential-provider-http',
  '@aws-sdk/credential-provider-ini',
  '@aws-sdk/credential-provider-login',
  '@aws-sdk/credential-provider-process',
  '@aws-sdk/credential-provider-sso',
  '@aws-sdk/credential-provider-web-identity',
  '@smithy/credential-provider-imds',
];

/** How every function is bundled: everything inside, the SDK too, so what was tested is what runs. */
export function bundleOptions(name: string, outputDirectory: string): BuildOptions & { metafile: true } {
  return {
    absWorkingDir: projectRoot,
    entryPoints: [`functions/${name}/handler.ts`],
    outfile: join(outputDirectory, 'index.mjs'),
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'], // the SDK's ES modules are what can be shaken
    external: [...unusedCredentialChains, ...(name === engineFunction ? engineExternals : [])],
    // CommonJS packages inside an ES module still call require for Node's own modules.
    banner: { js: "import{createRequire as $cr}from'node:module';const require=$cr(import.meta.url);" },
    legalComments: 'none',
    metafile: true,
    logLevel: 'error',
  };
}

/** Writes `functions/<name>/handler.ts` as one file, `index.mjs`, and says what went into it. */
export function bundleFunction(name: string, outputDirectory: string): Metafile {
  const { metafile } = buildSync(bundleOptions(name, outputDirectory));
  return metafile;
}

/** Bundles the engine's function and lays models and native packages of one processor beside it. */
export function bundleEngine(outputDirectory: string, processor: ProcessorName, root: string = projectRoot): void {
  const prepared = join(root, 'build', 'engine', processor);
  if (!existsSync(join(prepared, '.ready'))) {
    throw new Error(
      `The engine's models and native packages for ${processor} are not prepared. Run: npm run engine-assets -- --arch ${processor}`,
    );
  }
  cpSync(prepared, outputDirectory, { recursive: true, filter: (path) => !path.endsWith('.ready') });
  bundleFunction(engineFunction, outputDirectory);
}
