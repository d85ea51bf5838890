import { readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'acorn';
import type { Plugin } from 'vitest/config';

/** The files of the acts: everything that may be killed half-way. Handlers only connect and hand over. */
const verbs = /\/shared\/lifecycle\/[a-z-]+\.ts$/;

const processes = fileURLToPath(new URL('./processes.ts', import.meta.url));

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly argument?: Node;
}

/**
 * The text of a verb's file without its types, and with every `await x` as `await $atAwait('<place>', async () => (x))`:
 * there a process can stand still or die on either side. The file's own text knows nothing of it, and its lines stay.
 */
export function instrumented(source: string, path: string): string {
  const code = withoutTypes(source);
  const insertions: { at: number; text: string }[] = [];
  const places: string[] = [];
  walk(parse(code, { ecmaVersion: 'latest', sourceType: 'module' }), (node) => {
    const { argument } = node;
    if (node.type !== 'AwaitExpression' || !argument) return;
    const what = code.slice(argument.start, argument.end).replace(/\s+/g, ' ').slice(0, 60);
    const line = code.slice(0, node.start).split('\n').length;
    const place = `${relative('.', path)}:${line} #${places.length + 1} await ${what}`;
    places.push(place);
    insertions.push({ at: argument.start, text: `$atAwait(${JSON.stringify(place)}, async () => (` });
    insertions.push({ at: argument.end, text: '))' });
  });
  let text = code;
  for (const { at, text: inserted } of insertions.sort((a, b) => b.at - a.at)) {
    text = text.slice(0, at) + inserted + text.slice(at);
  }
  const from = relative(dirname(path), processes);
  return `import { atAwait as $atAwait, awaits as $awaits } from ${JSON.stringify(from)}; $awaits.push(...${JSON.stringify(places)}); ${text}`;
}

/** From here on Node loads the verbs instrumented: for a program. */
export function instrumentAwaits(): void {
  registerHooks({
    load(url, context, nextLoad) {
      if (!url.startsWith('file:') || !verbs.test(url)) return nextLoad(url, context);
      const path = fileURLToPath(url);
      return { format: 'module', shortCircuit: true, source: instrumented(readFileSync(path, 'utf8'), path) };
    },
  });
}

/** Loads the verbs instrumented: for the tests of a vitest project. */
export function instrumentedAwaits(): Plugin {
  return {
    name: 'instrumented-awaits',
    enforce: 'pre',
    transform(source, id) {
      const path = id.split('?')[0] ?? id;
      return verbs.test(path) ? instrumented(source, path) : undefined;
    },
  };
}

function walk(node: Node, visit: (node: Node) => void): void {
  visit(node);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (typeof child === 'object' && child !== null && typeof child.type === 'string') walk(child, visit);
    }
  }
}

/** Types become blanks, so that lines stay what they are. Node's one warning that the function is new is left out. */
function withoutTypes(source: string): string {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return stripTypeScriptTypes(source);
  } finally {
    process.emitWarning = emitWarning;
  }
}
