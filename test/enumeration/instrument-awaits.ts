import { relative } from 'node:path';
import type { Plugin } from 'vitest/config';

/** The verbs: everything that may be killed half-way. Handlers only connect and hand over. */
const verbs = /\/(shared\/lifecycle\/[a-z-]+|functions\/[a-z-]+\/(?!handler|environment)[a-z-]+)\.ts$/;

interface Node {
  type: string;
  start: number;
  end: number;
  argument?: Node;
  [key: string]: unknown;
}

/**
 * Turns every `await x` of every verb into `await globalThis.atAwait('<where>', async () => (x))`, so that a test can
 * stop the process on either side of it; and tells the test, by `globalThis.awaitsExisting`, how many there are.
 */
export function instrumentAwaits(): Plugin {
  return {
    name: 'instrument-awaits',
    enforce: 'post',
    transform(code, id) {
      const file = id.split('?')[0] ?? id;
      if (!verbs.test(file)) return undefined;
      const insertions: { at: number; text: string }[] = [];
      const names: string[] = [];
      walk(this.parse(code) as unknown as Node, (node) => {
        const argument = node.argument;
        if (node.type !== 'AwaitExpression' || !argument) return;
        const snippet = code.slice(argument.start, argument.end).replace(/\s+/g, ' ').slice(0, 60);
        const name = JSON.stringify(`${relative(process.cwd(), file)} #${names.length + 1}: ${snippet}`);
        names.push(name);
        insertions.push({ at: argument.start, text: `globalThis.atAwait(${name}, async () => (` });
        insertions.push({ at: argument.end, text: '))' });
      });
      let text = code;
      for (const { at, text: inserted } of insertions.sort((a, b) => b.at - a.at)) {
        text = text.slice(0, at) + inserted + text.slice(at);
      }
      return `${text}\n(globalThis.awaitsExisting ??= new Set());[${names.join(', ')}].forEach((name) => globalThis.awaitsExisting.add(name));\n`;
    },
  };
}

function walk(node: Node, visit: (node: Node) => void): void {
  visit(node);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (child && typeof child === 'object' && typeof (child as Node).type === 'string') walk(child as Node, visit);
    }
  }
}
