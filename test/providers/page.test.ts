import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Check, type ContentType, check } from '../../shared/domain/captures.ts';
import { type FaultCode, faults } from '../../shared/domain/fault.ts';
import type { Finding } from '../../shared/domain/verdict.ts';
import { deliveries } from '../../shared/providers/deliveries.ts';
import { registry } from '../../shared/providers/registry.ts';
import { says, fault as simulatorFault } from '../../tools/vendor-simulator/behaviour.ts';
import { transport } from '../contracts/transport.ts';
import { answering, fixtureText, outcomeText } from './answering.ts';

const page = readFileSync(new URL('../../docs/providers.md', import.meta.url), 'utf8');

/** The cells of every table under a heading, without its head. */
function rowsUnder(heading: string): string[][] {
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  const lines = (section.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const unquoted = (cell = ''): string => cell.replace(/^`|`$/g, '');

const consequences = { retry: 'retry here', fail_over: 'fail over', give_up: 'give up' } as const;

function consequenceOf(outcome: string): string {
  const row = faults[outcome as FaultCode];
  if (row?.attempt) return consequences[row.attempt];
  if (outcome === 'not a result') return '400';
  return outcome === 'accepted' ? 'wait for the webhook' : 'decided';
}

/** `status`, `breakdown.x`, `photo.x`: where in One Smart Lab's answer that is. */
function fullPath(path: string): string[] {
  const [first = '', ...rest] = path.split('.');
  const verification = ['predictions', 'verification'];
  if (first === 'status') return [...verification, first];
  if (first === 'breakdown') return [...verification, first, ...rest];
  if (first === 'photo' || first === 'id_card') return [...verification, 'breakdown', first, ...rest];
  if (first === 'metadata' || first === 'model_output') return ['predictions', first, ...rest];
  return [first, ...rest];
}

function changed(sample: string, changes: string): string {
  const body: unknown = JSON.parse(sample);
  for (const [, path = '', value = ''] of changes.matchAll(/([a-z_.]+)=(\{.*\}|"[^"]*"|[^ ]+)/g)) {
    set(body, fullPath(path), JSON.parse(value));
  }
  return JSON.stringify(body);
}

function set(target: unknown, [first = '', ...rest]: string[], value: unknown): void {
  if (typeof target !== 'object' || target === null) throw new Error(`nothing to set ${first} in`);
  if (rest.length > 0) set(Reflect.get(target, first), rest, value);
  else Reflect.set(target, first, value);
}

const samples: Readonly<Record<string, string>> = {
  'identify spoof_detect': 'identify/000-received.json',
  'identify webhook': 'identify/000-result.json',
  'onesmartlab spoof_detect': 'onesmartlab/002-spoofdetect.json',
  'onesmartlab photo_verify': 'onesmartlab/002-photoverify.json',
  'onesmartlab video_verify': 'onesmartlab/002-videoverify.json',
};

function bodyOf(name: string, described: string): string {
  if (!described.startsWith('sample')) return described;
  const file = samples[name];
  if (!file) throw new Error(`no sample of ${name}`);
  return changed(fixtureText(file).replace(': .91', ': 0.91'), described);
}

interface Answered {
  outcome: string;
  scores: Finding['scores'];
  confidence: number | null | undefined;
}

async function put(provider: string, one: Check, answer: string): Promise<Answered> {
  const [status = '', ...rest] = answer.split(' ');
  if (status !== 'webhook') {
    return answering(provider, one, { status: Number(status), body: bodyOf(`${provider} ${one}`, rest.join(' ')) });
  }
  const delivery = deliveries.get(provider)?.(bodyOf(`${provider} webhook`, rest.join(' ')));
  const nothing = { scores: {}, confidence: undefined };
  if (!delivery) return { outcome: 'not a result', ...nothing };
  if (delivery.answer.kind === 'fault') return { outcome: delivery.answer.code, ...nothing };
  const { finding } = delivery.answer;
  return { outcome: outcomeText(finding), scores: finding.scores, confidence: finding.confidence };
}

const words = (cell: string): string => unquoted(cell).replaceAll(/[:,]/g, '');
const rounded = (value: number): number => Number(value.toFixed(6));

/** `## One Smart Lab` is the section of `onesmartlab`. */
function sectionOf(provider: string): string {
  const headings = [...page.matchAll(/^## (.+)$/gm)].map(([, heading = '']) => heading);
  return headings.find((heading) => heading.toLowerCase().replaceAll(' ', '') === provider) ?? '';
}

const vendors = [...registry.values()]
  .filter(({ remote }) => remote)
  .map(({ name, checks }) => [name, checks] as const);

describe.each(vendors)('What the page says of %s', (provider, checks) => {
  const rows = rowsUnder(sectionOf(provider)).map(
    ([one = '', answer = '', ...rest]) => [one, unquoted(answer), rest] as const,
  );

  it.each(rows)('holds: %s %s', async (one, answer, [becomes = '', scores = '', confidence = '', consequence = '']) => {
    const answered = await put(provider, check.parse(one), answer);
    const said = Object.entries(answered.scores).map(
      ([name, score]) => `${name} ${score === null ? '–' : rounded(score)}`,
    );
    expect({ ...answered, scores: said.join(', ') }).toMatchObject({ outcome: words(becomes), scores });
    const known = typeof answered.confidence === 'number' ? String(rounded(answered.confidence)) : '–';
    expect(known).toBe(confidence);
    expect(consequenceOf(answered.outcome)).toBe(consequence);
  });

  it('is said of every check it can do', () => {
    const described = new Set(rows.map(([one]) => one));
    expect([...described].toSorted()).toEqual(checks.toSorted());
  });

  it.each([/^(passed|accepted)/, /^failed/, /^provider_/])('is said of answers that become %s', (outcome) => {
    expect(rows.some(([, , [becomes = '']]) => outcome.test(unquoted(becomes)))).toBe(true);
  });
});

it('begins with every provider, as its capabilities are', () => {
  const labels: Readonly<Record<ContentType, string>> = {
    'image/jpeg': 'JPEG',
    'image/png': 'PNG',
    'image/webp': 'WebP',
    'image/heic': 'HEIC',
    'video/mp4': 'MP4',
    'video/quicktime': 'MOV',
    'video/webm': 'WebM',
  };
  const rows = page
    .split('\n\n')[2]
    ?.split('\n')
    .slice(2)
    .map((line) => line.split('|').map((cell) => cell.trim()));
  const said = rows?.map(([, name = '', checks = '', takes = '', limits = '', answers = '', seconds = '']) => ({
    name: unquoted(name),
    checks: checks === 'all three' ? check.options : checks.split(', '),
    takes: Object.values(labels).filter((label) => takes.includes(label)),
    limits: limits === 'ours' ? [] : [limits],
    answersBy: answers.startsWith('by webhook') ? 'webhook' : answers.startsWith('at once') ? 'response' : answers,
    seconds: seconds.match(/\d+/g)?.map(Number),
  }));
  const known = [...registry.values()].map(
    ({ name, checks, accepts, maximumBytes, answersBy, timeoutSeconds: { spoof_detect, video_verify } }) => ({
      name,
      checks,
      takes: [...new Set(Object.values(accepts).flat())].map((type) => labels[type]),
      limits: Object.values(maximumBytes).map((bytes) => `${bytes.toLocaleString('en')} bytes`),
      answersBy,
      seconds: [...new Set([spoof_detect, video_verify])],
    }),
  );
  expect(said).toEqual(known);
});

it('lists for every remote provider what the contract suite puts to them', () => {
  const rows = rowsUnder('Every remote provider').map(([what, code, consequence]) => [
    what,
    unquoted(code),
    consequence,
  ]);
  expect(rows).toEqual(transport.map(([what, , code]) => [what, code, consequenceOf(code)]));
});

it.each(rowsUnder('Sandbox').map(([sourceId = '', ...rest]) => [unquoted(sourceId), rest] as const))(
  'has the sandbox answer %s as the page says',
  async (sourceId, [becomes = '', consequence = '']) => {
    const { outcome } = await answering('sandbox', 'spoof_detect', {
      body: '',
      settings: {},
      submission: { sourceId },
    });
    expect(outcome).toBe(words(becomes));
    expect(consequenceOf(outcome)).toBe(consequence);
  },
);

it('names all that the simulator can be told', () => {
  const [, section = ''] = page.split('\n## Vendor simulator\n');
  for (const word of [...says.options, ...simulatorFault.options]) expect(section).toContain(`\`${word}\``);
});
