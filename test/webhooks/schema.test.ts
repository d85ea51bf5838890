import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import openApi from '../../docs/openapi.json' with { type: 'json' };
import schema from '../../docs/webhooks.schema.json' with { type: 'json' };
import { webhookBodies, webhookName } from '../../shared/api/webhook-bodies.ts';
import { webhookType } from '../../shared/domain/endpoint.ts';
import type { Moved } from '../../shared/domain/ports.ts';
import type { Verdict } from '../../shared/domain/verdict.ts';
import type { State, Verification } from '../../shared/domain/verification.ts';
import { announceChanges, type Change } from '../../shared/lifecycle/announce.ts';
import { reviewVerification } from '../../shared/lifecycle/review.ts';
import { tellDisabled } from '../../shared/lifecycle/tell-disabled.ts';
import { bodyOf } from '../../shared/webhooks/body.ts';
import { sampleOf } from '../../tools/webhooks/samples.ts';
import { anEndpoint } from '../builders/endpoint.ts';
import { setup } from '../builders/setup.ts';
import { anAwaitingVerification, landedFor } from '../builders/verification.ts';

const options = { allErrors: true, strict: false };
/** As receivers validate. */
const validates = new Ajv2020(options).compile(schema);
/** The same without room for fields of later versions, as docs/openapi.json has it. */
const document = new Ajv2020(options).addSchema(openApi, 'openapi');

function expectValid(type: string, body: unknown): void {
  expect(validates(body), JSON.stringify(validates.errors)).toBe(true);
  const strict = document.compile({ $ref: `openapi#/components/schemas/${webhookName(type)}` });
  expect(strict(body), JSON.stringify(strict.errors)).toBe(true);
}

it('every type that an endpoint can ask for has a schema, and so has its test', () => {
  expect([...webhookBodies.keys()].toSorted()).toEqual([...webhookType.options, 'endpoint.test'].toSorted());
  expect(Object.keys(openApi.webhooks)).toEqual([...webhookBodies.keys()]);
  expect(schema.oneOf).toEqual([...webhookBodies.keys()].map((type) => ({ $ref: `#/$defs/${webhookName(type)}` })));
});

/** Every kind of move, as the acts make them, and what is kept of it: each type but that of a test. */
async function keptOfEveryType() {
  const at = setup();
  const changes: Change[] = [];
  at.verifications.onChange = (before, after) =>
    void changes.push({ sequenceNumber: `${changes.length}`, before, after });
  const endpoint = anEndpoint();
  await at.endpoints.create(endpoint);
  const moveAll = async (sourceId: string, moves: readonly (readonly [State, object])[]) => {
    let record: Verification = anAwaitingVerification({ sourceId, metadataText: '{"visit":7,"name":"Zoë"}' });
    await at.verifications.create(record);
    for (const [state, fields] of moves) {
      const moved: Moved<State> = await at.verifications.move(record, state, fields as never);
      if (moved.kind === 'lost') throw new Error(`Not moved to ${state}`);
      record = moved.verification;
    }
  };
  const landed = landedFor('spoof_detect');
  const queued = ['queued', { landed, provider: 'builtin', dueAt: 1 }] as const;
  const claim = { landed, provider: 'builtin', attempt: 1, waitingFor: 'answer', dueAt: 2 };
  const verdict: Verdict = {
    ...{ outcome: 'recapture', confidence: null, reasons: ['format_unsupported'], format: 'av1' },
    ...{ scores: { live: 0.5, sync: null }, provider: 'builtin', policyVersion: 3, seenBefore: ['selfie'] },
  };
  await moveAll('judged', [
    queued,
    ['dispatched', claim],
    ['decided', { landed, verdict, dueAt: 3 }],
    ['awaiting_captures', { round: 2, missing: ['selfie'], landed: {}, dueAt: 4 }],
    ['expired', {}],
  ]);
  await moveAll('viewed', [queued, ['dispatched', claim], ['decided', { landed, verdict, dueAt: 3 }]]);
  const review = { sequence: 4, outcome: 'failed', reason: 'Another person', reviewer: 'Ada' } as const;
  await reviewVerification(
    at.verifications.all().find((record) => 'sourceId' in record && record.sourceId === 'viewed'),
    review,
    at,
  );
  await moveAll('broken', [queued, ['errored', { landed, fault: 'provider_unreachable', dueAt: 3 }]]);
  await moveAll('erased', [['erased', {}]]);
  await announceChanges(changes, { ...at, put: async () => [] });
  const disabled = { ...endpoint, state: 'disabled', disabledBecause: 'failing', untold: 'evt_a_5' } as const;
  await tellDisabled({ ...disabled, stoppedAt: endpoint.createdAt }, { ...at, put: async () => [] });
  return at.keptEvents.all();
}

it('every body that is made of an event is valid: thin and full, with metadata and without', async () => {
  const kept = await keptOfEveryType();
  expect(new Set(kept.map(({ type }) => type))).toEqual(new Set(webhookType.options));
  const lengths = new Set<number>();
  for (const event of kept) {
    for (const body of ['thin', 'full'] as const) {
      for (const metadata of [false, true]) {
        const text = bodyOf(event, { body, metadata });
        if (text === undefined) continue; // emptied by the erasure
        expectValid(event.type, JSON.parse(text));
        if (event.type === 'verification.decided') lengths.add(text.length);
      }
    }
  }
  expect(lengths.size).toBe(4);
});

it.each([...webhookBodies.keys()])('the sample of %s that npm run trigger sends is valid', (type) => {
  expectValid(type, sampleOf(type));
  expectValid(type, sampleOf(type, { full: true }));
});

describe('a body without what receivers count on is none', () => {
  it.each(['id', 'source_id', 'sequence', 'state', 'outcome'])('%s', (field) => {
    const { data, ...body } = sampleOf('verification.decided');
    const { [field]: _, ...others } = data;
    expect(validates({ ...body, data: others })).toBe(false);
  });
  it('nor one of another type', () => {
    expect(validates({ ...sampleOf('verification.decided'), type: 'verification.queued' })).toBe(false);
  });
});
