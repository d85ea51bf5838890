import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { Measurements } from '../../shared/domain/verdict.ts';
import type { InState } from '../../shared/domain/verification.ts';
import { answer, answers, type VideoVerified } from '../../shared/providers/onesmartlab/answers.ts';
import { judgedIn } from '../../shared/providers/served.ts';
import { invented } from '../../tools/vendor-simulator/invented.ts';
import { anAwaitingVerification, landedFor } from '../builders/verification.ts';
import { differences, type Example, examples, readExample } from './documents.ts';
import { writerMutants } from './mutants.ts';
import { others, type Writers, writers, writtenFor } from './written.ts';

/** As it is sent and read again: what JSON makes of it. */
const sent = (body: unknown): unknown => JSON.parse(JSON.stringify(body));

function differencesOf(name: Example, written: Readonly<Record<Example, unknown>>): string[] {
  return differences(readExample(name).body, sent(written[name]), others[name]);
}

describe('An example body of a document', () => {
  const written = writtenFor(writers);

  it.each(examples)('%s is what we answer: its keys in its order, its types, its literals', (name) => {
    expect(differencesOf(name, written)).toEqual([]);
  });

  it('is compared with the text itself, and what the text lost is put back', () => {
    const restored = examples.flatMap((name) => readExample(name).restored.map((what) => `${name}: ${what}`));
    console.log(`${examples.length} example bodies; put back:\n  ${restored.join('\n  ')}`);
    expect(restored).toEqual([
      '000 result: 0 before .91',
      '001 live: 1 closing brace',
      '001 spoof: 1 closing brace',
      '003 live: 1 closing brace',
      '003 spoof: 1 closing brace',
      '002 photoverify error: 4 curly quotes',
      '002 videoverify error: 4 curly quotes',
      '002 spoofdetect error: 4 curly quotes',
    ]);
  });
});

describe('A change of one field', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bonafide-writers-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** The writers with one of them changed: a copy of its file, beside which nothing else lies. */
  async function changed({ vendor, find, replace }: (typeof writerMutants)[number], number: number): Promise<Writers> {
    const file = `shared/providers/${vendor}/answers.ts`;
    const text = readFileSync(file, 'utf8');
    expect(text.split(find).length - 1, `times this stands in ${file}: ${find}`).toBe(1);
    const copy = join(folder, `${vendor}-${number}.ts`);
    const absolute = (_: string, name: string) =>
      `from '${name.startsWith('.') ? pathToFileURL(resolve(file, '..', name)) : import.meta.resolve(name)}'`;
    writeFileSync(copy, text.replace(find, () => replace).replaceAll(/from '([^']+)'/g, absolute));
    return { ...writers, [vendor]: await import(/* @vite-ignore */ pathToFileURL(copy).href) };
  }

  it(`of what is written is told from the documents, ${writerMutants.length} of ${writerMutants.length} times`, async () => {
    const lines: string[] = [];
    for (const [number, mutant] of writerMutants.entries()) {
      const written = writtenFor(await changed(mutant, number));
      const found = examples.flatMap((name) => differencesOf(name, written).map((what) => `${name}: ${what}`));
      lines.push(`${mutant.vendor}: ${found[0] ?? `nothing, of ${mutant.replace}`}`);
      expect(found, mutant.replace).not.toEqual([]);
    }
    console.log(`${lines.length} changes of one field, each told:\n  ${lines.join('\n  ')}`);
    expect(lines.length).toBeGreaterThanOrEqual(20);
  });
});

describe('A video', () => {
  const decided = (measurements: Measurements, transcript: string): InState<'decided'> => {
    const { missing: _, dueAt: __, ...record } = anAwaitingVerification({ check: 'video_verify', challenge: '123457' });
    const { verdict } = invented('video_verify');
    const attempt = {
      attempt: 1,
      provider: 'builtin',
      round: 1,
      pass: 1,
      startedAt: '2026-01-01T00:00:00.140Z',
      endedAt: '2026-01-01T00:00:03.250Z',
      result: 'decided' as const,
      measurements,
      transcript,
    };
    return {
      ...record,
      state: 'decided',
      languageCode: 'en-US',
      landed: landedFor('video_verify'),
      updatedAt: '2026-01-01T00:00:03.260Z',
      attempts: [attempt],
      verdict: { ...verdict, provider: 'builtin', policyVersion: 1 },
    };
  };
  const first = decided(invented('video_verify').measurements, '123457');
  const second = decided(
    {
      ...invented('video_verify').measurements,
      video_width_px: 720,
      video_height_px: 1280,
      video_frames: 148,
      video_frames_per_second: 29.6,
      largest_face_width_ratio: 0.41,
      face_sameness_ratio: 1,
      match_distance_average: 0.48,
      single_face_ratio: 0.96,
      digits_confidence: 0.88,
    },
    '123456',
  );
  const write = (record: InState<'decided'>): VideoVerified => {
    const body = answer('video_verify', judgedIn(record));
    return answers.video_verify.parse(body);
  };

  it('of another size, rate and length has other numbers', () => {
    const [one, other] = [write(first).predictions, write(second).predictions];
    expect(one.model_input.video).toEqual({ fps: 30, frames: 105, height: 480, width: 640 });
    expect(other.model_input.video).toEqual({ fps: 29.6, frames: 148, height: 1280, width: 720 });
    const measured = [
      'face_distance_avg',
      'face_sameness',
      'largest_face_to_frame_ratio',
      'single_face_in_frames',
    ] as const;
    for (const name of measured) expect(other.model_output[name], name).not.toBe(one.model_output[name]);
    expect(one.model_output.transcription?.results[0]?.alternatives[0]?.transcript).toBe('1 2 3 4 5 7 ');
    expect(other.model_output.transcription).toEqual({
      results: [{ alternatives: [{ confidence: 0.88, transcript: '1 2 3 4 5 6 ' }] }],
    });
  });

  it('starts before it ends, within the request, and lasts what lies between', () => {
    const { start, end, duration } = write(first).predictions;
    expect([start, end, duration]).toEqual([1767225600.14, 1767225603.25, '3.11']);
    expect(Date.parse(first.createdAt) / 1000).toBeLessThanOrEqual(start);
    expect(start).toBeLessThanOrEqual(end);
    expect(end).toBeLessThanOrEqual(Date.parse(first.updatedAt) / 1000);
  });

  it('that ends before it starts, by the clocks of two machines, takes no time', () => {
    const judged = { ...judgedIn(first), startedAt: '2026-01-01T00:00:03.251Z' };
    expect(answer('video_verify', judged)).toMatchObject({
      predictions: { start: 1767225603.251, end: 1767225603.251, duration: '0.00' },
    });
  });

  it('that was judged without a provider has the times of its record', () => {
    expect(judgedIn({ ...first, attempts: [] })).toMatchObject({
      startedAt: first.createdAt,
      endedAt: first.updatedAt,
      measurements: {},
    });
  });
});
