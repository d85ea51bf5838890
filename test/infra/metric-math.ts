/*
 * CloudWatch's metric math, as far as the stack's alarms use it. What is not known here is refused: an alarm that uses more
 * needs it here first. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
 */

/** One value for each period of the evaluated range; undefined where there is none. */
export type Values = readonly (number | undefined)[];

/** What an expression is evaluated with. */
export interface Given {
  readonly valuesOf: (id: string) => Values;
  /** Periods in the range. */
  readonly length: number;
  /** What `SERVICE_QUOTA` answers. */
  readonly quota: number;
}

export type Expression =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'metric'; readonly id: string }
  | { readonly kind: 'call'; readonly name: string; readonly operands: readonly Expression[] }
  | { readonly kind: 'list'; readonly members: readonly Expression[] };

type Binary = (a: number, b: number) => number | undefined;
const truth = (holds: boolean): number => (holds ? 1 : 0);
/** By precedence, the loosest first. */
const operators: readonly Readonly<Record<string, Binary>>[] = [
  { OR: (a, b) => truth(a !== 0 || b !== 0) },
  { AND: (a, b) => truth(a !== 0 && b !== 0) },
  {
    '>=': (a, b) => truth(a >= b),
    '<=': (a, b) => truth(a <= b),
    '>': (a, b) => truth(a > b),
    '<': (a, b) => truth(a < b),
  },
  { '+': (a, b) => a + b, '-': (a, b) => a - b },
  { '*': (a, b) => a * b, '/': (a, b) => (b === 0 ? undefined : a / b) }, // by zero: no data point
];
const binary = new Map(operators.flatMap((level) => Object.entries(level)));

export function parseExpression(text: string): Expression {
  const tokens = text.match(/[A-Za-z_]\w*|\d+(?:\.\d+)?|>=|<=|[-+*/<>()[\],]/g) ?? [];
  if (tokens.join('') !== text.replaceAll(/\s/g, '')) throw new Error(`Not understood: ${text}`);
  let next = 0;
  const take = (wanted?: string): string => {
    const token = tokens[next++];
    if (token === undefined || (wanted !== undefined && token !== wanted)) throw new Error(`No ${wanted} in ${text}`);
    return token;
  };
  const listUntil = (end: string): Expression[] => {
    const members = [level(0)];
    while (tokens[next] === ',') {
      take(',');
      members.push(level(0));
    }
    take(end);
    return members;
  };
  const level = (index: number): Expression => {
    const here = operators[index];
    if (!here) return operand();
    let left = level(index + 1);
    while (Object.hasOwn(here, tokens[next] ?? '')) {
      left = { kind: 'call', name: take(), operands: [left, level(index + 1)] };
    }
    return left;
  };
  const operand = (): Expression => {
    const token = take();
    if (token === '(') {
      const inside = level(0);
      take(')');
      return inside;
    }
    if (token === '[') return { kind: 'list', members: listUntil(']') };
    if (/^\d/.test(token)) return { kind: 'number', value: Number(token) };
    if (tokens[next] !== '(') return { kind: 'metric', id: token };
    take('(');
    return { kind: 'call', name: token, operands: listUntil(')') };
  };
  const expression = level(0);
  if (next !== tokens.length) throw new Error(`Not understood: ${text}`);
  return expression;
}

export function evaluate(expression: Expression, given: Given): Values {
  const constant = (value: number): Values => Array.from({ length: given.length }, () => value);
  if (expression.kind === 'number') return constant(expression.value);
  if (expression.kind === 'metric') return given.valuesOf(expression.id);
  if (expression.kind === 'list') throw new Error('A list is no series');
  const { name, operands } = expression;
  if (name === 'SERVICE_QUOTA') return constant(given.quota);
  if (name === 'SUM') return sumOf(operands, given);
  const [first = [], second = [], third = []] = operands.map((one) => evaluate(one, given));
  const operator = binary.get(name);
  if (operator) {
    return first.map((a, index) => {
      const b = second[index];
      return a === undefined || b === undefined ? undefined : operator(a, b);
    });
  }
  if (name === 'IF') {
    return first.map((holds, index) => (holds === undefined ? undefined : holds !== 0 ? second[index] : third[index]));
  }
  // A metric without any value in the range is none at all: nothing is filled. The harsher reading of the page.
  if (name === 'FILL')
    return first.every((one) => one === undefined) ? first : first.map((one, index) => one ?? second[index]);
  throw new Error(`${name} is not known here`);
}

/** Of a list: a series, each value of those that there are. */
function sumOf([list]: readonly Expression[], given: Given): Values {
  if (list?.kind !== 'list') throw new Error('SUM of one series is a number: not known here');
  const all = list.members.map((one) => evaluate(one, given));
  return Array.from({ length: given.length }, (_, index) => {
    const there = all.flatMap((values) => values[index] ?? []);
    return there.length === 0 ? undefined : there.reduce((sum, value) => sum + value, 0);
  });
}
