// EventBridge patterns, which event source filters share:
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html

/** Whether an event matches a pattern: every field named matches, and of a field's alternatives any. */
export function matchesPattern(pattern: unknown, event: unknown): boolean {
  return Object.entries(pattern as Record<string, unknown>).every(([name, wanted]) => {
    if (name === '$or') return (wanted as unknown[]).some((alternative) => matchesPattern(alternative, event));
    const value = isObject(event) ? event[name] : undefined;
    if (!Array.isArray(wanted)) {
      return Array.isArray(value)
        ? value.some((element) => matchesPattern(wanted, element))
        : matchesPattern(wanted, value);
    }
    // An array in the event matches when any of its elements does; a missing field still meets `exists: false`.
    const values: unknown[] = Array.isArray(value) && value.length > 0 ? value : [value];
    return wanted.some((rule) => values.some((one) => matchesRule(rule, one)));
  });
}

function matchesRule(rule: unknown, value: unknown): boolean {
  if (!isObject(rule)) return rule === value;
  const [[operator, operand] = ['', undefined]] = Object.entries(rule);
  const text = typeof value === 'string' ? value : undefined;
  switch (operator) {
    case 'exists':
      return (value !== undefined) === operand;
    case 'prefix':
      return text !== undefined && foldedBy(operand, text, (a, b) => a.startsWith(b));
    case 'suffix':
      return text !== undefined && foldedBy(operand, text, (a, b) => a.endsWith(b));
    case 'equals-ignore-case':
      return text?.toLowerCase() === String(operand).toLowerCase();
    case 'wildcard':
      return text !== undefined && wildcard(String(operand)).test(text);
    case 'numeric':
      return typeof value === 'number' && inRange(operand as (string | number)[], value);
    case 'anything-but':
      return value !== undefined && ![operand].flat().some((one) => matchesRule(one, value));
    default:
      throw new Error(`The event pattern operator ${operator} is not known here`);
  }
}

/** `prefix` and `suffix` take either a text or `{"equals-ignore-case": text}`. */
function foldedBy(operand: unknown, text: string, compare: (text: string, part: string) => boolean): boolean {
  if (isObject(operand)) return compare(text.toLowerCase(), String(operand['equals-ignore-case']).toLowerCase());
  return compare(text, String(operand));
}

function wildcard(pattern: string): RegExp {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's');
}

function inRange(conditions: (string | number)[], value: number): boolean {
  for (let index = 0; index < conditions.length; index += 2) {
    const limit = Number(conditions[index + 1]);
    const holds = {
      '<': value < limit,
      '<=': value <= limit,
      '>': value > limit,
      '>=': value >= limit,
      '=': value === limit,
    };
    if (!holds[conditions[index] as keyof typeof holds]) return false;
  }
  return true;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
