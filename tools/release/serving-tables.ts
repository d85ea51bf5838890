import { readFileSync, writeFileSync } from 'node:fs';
import { type Check, check } from '../../shared/domain/captures.ts';
import { faultCodes } from '../../shared/domain/fault.ts';
import { type Reason, reason } from '../../shared/domain/verdict.ts';
import * as identify from '../../shared/providers/identify/answers.ts';
import * as onesmartlab from '../../shared/providers/onesmartlab/answers.ts';
import { endpoints } from '../../shared/providers/onesmartlab/wire.ts';
import * as spoofsense from '../../shared/providers/spoofsense/answers.ts';
import { commandLine } from '../command-line.ts';
import { invented } from '../vendor-simulator/invented.ts';

/*
 * npm run serving-tables: writes the tables of docs/serving.md, by asking the writers of the vendors' answers how they
 * tell each reason and fault. A test holds the page to what this makes.
 */

type Row = readonly string[];

const code = (text: unknown) => `\`${text}\``;
const checks = check.options;
const about = { imageLink: '', sourceId: '', endedAt: new Date(0).toISOString() };

const tables: Readonly<Record<string, { header: Row; rows: () => Row[] }>> = {
  'reasons, SpoofSense': {
    header: ['reason', ...spoofsense.editions.map(code)],
    rows: () =>
      reason.options.map((one) => [
        code(one),
        ...spoofsense.editions.map((edition) =>
          inSpoofSense(spoofsense.answer(invented('spoof_detect', one), { endpoint: 'antispoofing', edition })),
        ),
      ]),
  },
  'reasons, One Smart Lab': {
    header: ['reason', ...checks.map((one) => code(endpoints[one].path))],
    rows: () => reason.options.map((one) => [code(one), ...checks.map((check) => inOneSmartLab(check, one))]),
  },
  'reasons, Identify': {
    header: ['reason', 'posted'],
    rows: () =>
      reason.options.map((one) => {
        const { verdict } = invented('spoof_detect', one);
        return [code(one), inIdentify(identify.posted({ kind: 'decided', verdict }, about))];
      }),
  },
  faults: {
    header: [
      'fault',
      ...spoofsense.editions.map((edition) => `SpoofSense, ${code(edition)}`),
      'One Smart Lab',
      'Identify, refused',
      'Identify, posted',
    ],
    rows: () =>
      faultCodes.map((fault) => [
        code(fault),
        ...spoofsense.editions.map((edition) => inShort(spoofsense.refusal(fault, edition))),
        inShort(onesmartlab.refusals[onesmartlab.faultAnswers[fault]]),
        inShort(identify.refusal(fault)),
        inIdentify(identify.posted({ kind: 'errored', fault }, about)),
      ]),
  },
};

function inSpoofSense(body: spoofsense.Answer): string {
  if (body.success) return `${code(body.model_output.pred_idx)}, ${code('prob_real')} at the threshold or below`;
  return 'error_code' in body ? `${code(body.error_code)}: ${body.message}` : body.message;
}

function inIdentify(body: identify.Result | identify.Failure): string {
  return body.error === null ? `${code('passed')} ${body.payload.passed}` : `${code('error')}: ${body.error}`;
}

/** The field that tells it, as it is then; or the words. */
function inOneSmartLab(check: Check, one: Reason): string {
  const body = onesmartlab.answer(check, invented(check, one));
  if ('error' in body) return `${code('error')}: ${body.error}`;
  const field = onesmartlab.reasonFields[one][check];
  const otherwise = valuesOf(onesmartlab.answer(check, invented(check)), field);
  const value = valuesOf(body, field).find((each, index) => each !== otherwise[index]);
  return `${code(field)} ${JSON.stringify(value)}`;
}

/** Every value under this name, in the order of the body. */
function valuesOf(body: unknown, name: string): unknown[] {
  if (typeof body !== 'object' || body === null) return [];
  return Object.entries(body).flatMap(([key, value]) => (key === name ? [value] : valuesOf(value, name)));
}

function inShort({ status, body }: { status: number; body: unknown }): string {
  const said: { error_code?: string; error?: string; message?: string } =
    typeof body === 'string' ? { message: body } : (body as object);
  return `${status} ${said.error_code ? code(said.error_code) : (said.error ?? said.message)}`;
}

const line = (cells: Row) => `| ${cells.join(' | ')} |`;

/** The page with its tables as the writers make them, each between its two marks. */
export function withServingTables(page: string): string {
  return Object.entries(tables).reduce((text, [name, { header, rows }]) => {
    const [begin, end] = [`<!-- table: ${name} -->\n`, '<!-- end of table -->'];
    const from = text.indexOf(begin);
    const to = text.indexOf(end, from);
    if (from < 0 || to < 0) throw new Error(`docs/serving.md has no place for the table of ${name}`);
    const table = [line(header), `|${'---|'.repeat(header.length)}`, ...rows().map(line)].join('\n');
    return `${text.slice(0, from)}${begin}\n${table}\n\n${text.slice(to)}`;
  }, page);
}

if (import.meta.main) {
  commandLine(
    "npm run serving-tables\n\nWrites the tables of docs/serving.md from the writers of the vendors' answers.",
    {
      options: {},
    },
  );
  const page = 'docs/serving.md';
  writeFileSync(page, withServingTables(readFileSync(page, 'utf8')));
}
