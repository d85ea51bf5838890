import { readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'acorn';

/** The verbs: everything that may be killed half-way. Handlers only connect and hand over. */
const verbs = /\/(shared\/lifecycle\/[a-z-]+|functions\/[a-z-]+\/(?!handler|environment)[a-z-]+)\.ts$/;

/** Every await of the verbs loaded so far, by number: where it stands and what it waits for. */
export const awaits: string[] = [];

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly argument?: Node;
}

/**
 * From here on every `await x` of a verb is loaded as `await simulatedAwait(n, async () => (x))`, so that a simulated
 * process can stand still or die on either side of it. The product's own files know nothing of it.
 */
export function instrumentAwaits(): void {
  registerHooks({
    load(url, context, nextLoad) {
      if (!url.startsWith('file:') || !verbs.test(url)) return nextLoad(url, context);
      const path = fileURLToPath(url);
      const code = withoutTypes(readFileSync(path, 'utf8'));
      return { format: 'module', shortCircuit: true, source: instrumented(code, relative('.', path)) };
    },
  });
}

function instrumented(code: string, file: string): string {
  const insertions: { at: number; text: string }[] = [];
  walk(parse(code, { ecmaVersion: 'latest', sourceType: 'module' }), (node) => {
    const { argument } = node;
    if (node.type !== 'AwaitExpression' || !argument) return;
    const what = code.slice(argument.start, argument.end).replace(/\s+/g, ' ').slice(0, 32);
    const line = code.slice(0, node.start).split('\n').length;
    const number = awaits.push(`${file}:${line} await ${what}`) - 1;
    insertions.push({ at: argument.start, text: `globalThis.simulatedAwait(${number}, async () => (` });
    insertions.push({ at: argument.end, text: '))' });
  });
  let text = code;
  for (const { at, text: inserted } of insertions.sort((a, b) => b.at - a.at)) {
    text = text.slice(0, at) + inserted + text.slice(at);
  }
  return text;
}

function walk(node: Node, visit: (node: Node) => void): void {
  visit(node);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (typeof child === 'object' && child !== null && typeof child.type === 'string') walk(child, visit);
    }
  }
}

/** Types become blanks, so that lines stay what they are. Node warns once that the function is new: nobody's concern. */
function withoutTypes(source: string): string {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return stripTypeScriptTypes(source);
  } finally {
    process.emitWarning = emitWarning;
  }
}
