import { existsSync, readFileSync, renameSync, watch, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build, formatMessages } from 'esbuild';
import { bundleOptions, layPages, pagesFunction } from '../infra/bundle.ts';
import type { Functions } from './functions/part.ts';
import type { Part } from './part.ts';

/** What `npm start -- --watch` asks for. */
export interface Watching {
  /** The directory that holds `functions/` and what they import, and `web/`. */
  root: string;
  /** A model pack of the developer's own, which pages carry as well. @default the shipped one */
  modelPack?: string | undefined;
  /** Tells the developer what became of a change. */
  say: (text: string) => void;
  /** Called before a bundle is written: it is no longer what was synthesized. */
  onChange: () => void;
}

/** A bundle that runs: one file, and the functions that are made of it. */
interface Bundle {
  /** The folder of `functions/`. */
  folder: string;
  file: string;
  replace: () => void;
  inUse: () => boolean;
  /** Every file that went into it, absolute. */
  inputs: Set<string>;
  /** A source of it has changed since it was built. */
  stale: boolean;
  /** Set while its sources cannot be bundled: any change may be the missing one. */
  broken: boolean;
}

const folders = ['functions', 'shared', 'engine', 'web'];
/** What pages are made of beside `web/`: guidance runs the engine's own functions, the element knows domain. */
const ofPages = ['web', 'engine', 'shared/domain'];
/** An editor's save is several events. */
const gatherMs = 50;

/** Builds a function's bundle anew when one of its sources changes, and runs further invocations with it. */
export const watching: Part<{ functions: Functions }, unknown> = async ({ watch: wanted }, { functions }) => {
  if (!wanted) return { gives: {} };
  const { root, say } = wanted;
  const bundles = bundlesOf(functions, root);
  let gathering: NodeJS.Timeout | undefined;
  let building: Promise<void> = Promise.resolve();

  /** One after the other, what is in use first: a file that all share is in ten bundles. */
  const nextStale = () => {
    const stale = bundles.filter((bundle) => bundle.stale);
    return stale.find(({ inUse }) => inUse()) ?? stale[0];
  };
  const pages = bundles.find(({ folder }) => folder === pagesFunction);
  let pagesStale = false;
  const buildStale = async () => {
    const rebuilt: string[] = [];
    if (pages && pagesStale) {
      pagesStale = false;
      if (await rebuildPages(pages, wanted)) rebuilt.push('pages');
    }
    for (let bundle = nextStale(); bundle; bundle = nextStale()) {
      bundle.stale = false; // before it is read: a change meanwhile makes it stale again
      if (await rebuild(bundle, wanted)) rebuilt.push(bundle.folder);
    }
    if (rebuilt.length > 0) say(`Changed: ${rebuilt.join(', ')}`);
  };
  const watchers = folders.flatMap((folder) => {
    const directory = path.join(root, folder);
    if (!existsSync(directory)) return [];
    return watch(directory, { recursive: true }, (_, name) => {
      if (!name || !/\.(ts|json|css|svg)$/.test(name)) return;
      const file = path.join(directory, name);
      pagesStale ||= ofPages.some((one) => file.startsWith(path.join(root, one, path.sep)));
      for (const bundle of bundles) bundle.stale ||= bundle.broken || bundle.inputs.has(file);
      clearTimeout(gathering);
      gathering = setTimeout(() => {
        building = building.then(buildStale).catch((error: unknown) => say(String(error)));
      }, gatherMs);
    });
  });
  return {
    gives: {},
    async drain() {
      for (const watcher of watchers) watcher.close();
      clearTimeout(gathering);
      await building;
    },
  };
};

function bundlesOf(functions: Functions, root: string): Bundle[] {
  const byFile = Map.groupBy(functions.all(), ({ file }) => file);
  return [...byFile].map(([file, ofFile]) => {
    const { sources } = JSON.parse(readFileSync(`${file}.map`, 'utf8')) as { sources: string[] };
    const inputs = sources.map((source) => path.resolve(path.dirname(file), source));
    const entry = inputs.findLast((input) => path.dirname(path.dirname(input)) === path.join(root, 'functions'));
    const folder = entry && path.basename(path.dirname(entry));
    if (!folder) throw new Error(`${file} is of no folder below ${root}/functions`);
    const replace = () => {
      for (const one of ofFile) one.replace();
    };
    const inUse = () => ofFile.some(({ processes }) => processes() > 0);
    return { folder, file, replace, inUse, inputs: new Set(inputs), stale: false, broken: false };
  });
}

/** Whether the bundle is another one now. What cannot be bundled leaves the running one as it is. */
async function rebuild(bundle: Bundle, { root, say, onChange }: Watching): Promise<boolean> {
  const { folder, file } = bundle;
  try {
    const { outputFiles, metafile } = await build({
      ...bundleOptions(folder, path.dirname(file), { sourceMaps: true }),
      absWorkingDir: root,
      logLevel: 'silent',
      write: false,
    });
    bundle.inputs = new Set(Object.keys(metafile.inputs).map((input) => path.resolve(root, input)));
    bundle.broken = false;
    const handler = outputFiles.find((output) => output.path === file);
    if (!handler || readFileSync(file).equals(handler.contents)) return false;
    onChange();
    for (const output of outputFiles) {
      writeFileSync(`${output.path}.new`, output.contents);
      renameSync(`${output.path}.new`, output.path); // a process that starts now loads one or the other
    }
    bundle.replace();
    return true;
  } catch (error) {
    bundle.broken = true;
    say(`${folder} stays as it was:\n${await toldOf(error)}`);
    return false;
  }
}

/** Whether the pages are others now. */
async function rebuildPages({ file, replace }: Bundle, { root, modelPack, say, onChange }: Watching): Promise<boolean> {
  try {
    onChange();
    const processor = process.arch === 'arm64' ? 'arm64' : 'x64';
    layPages(path.dirname(file), { processor, modelPack, root, quickPages: true });
    replace();
    return true;
  } catch (error) {
    say(`The pages stay as they were:\n${await toldOf(error)}`);
    return false;
  }
}

async function toldOf(error: unknown): Promise<string> {
  const { errors = [] } = error as { errors?: Parameters<typeof formatMessages>[0] };
  const messages = await formatMessages(errors, { kind: 'error' });
  return messages.join('') || String(error);
}
