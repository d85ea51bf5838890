import { describe, expect, it } from 'vitest';
import type { Thresholds } from '../../engine/engine.ts';
import { Fault } from '../../shared/domain/fault.ts';
import type { OpenedCapture } from '../../shared/domain/ports.ts';
import { builtin } from '../../shared/providers/builtin/capabilities.ts';
import { builtinProvider, type Checked, type Checks } from '../../shared/providers/builtin/provider.ts';
import type { Submission } from '../../shared/providers/provider.ts';
import { shippedEngine } from './engine.ts';

const analysis: Checked = {
  finding: { outcome: 'passed', confidence: 0.9, reasons: [], scores: { live: 0.9 } },
  measurements: { face_count: 1 },
};

/** Does what a test gives it, and is not asked for anything else. */
function engineOf(checks: Partial<Checks>): Checks {
  const unasked = () => Promise.reject(new Error('not asked for'));
  return { analyseSelfie: unasked, analysePhotos: unasked, analyseVideo: unasked, ...checks };
}

const opens = (captures: Partial<Record<string, OpenedCapture>>) => ({
  openCapture: async (name: string) => captures[name] ?? bytes,
});

function submission(opened: OpenedCapture, changes: Partial<Submission> = {}): Submission {
  return {
    verificationId: 'v',
    attempt: 1,
    round: 1,
    check: 'spoof_detect',
    captures: {},
    openCapture: async () => opened,
    streamCapture: () => Promise.reject(new Error('not streamed')),
    linkCapture: () => Promise.reject(new Error('not linked')),
    reference: () => Promise.reject(new Error('no webhook')),
    thresholds: {},
    fingerprinted: [],
    ...changes,
  };
}

const bytes: OpenedCapture = { kind: 'bytes', bytes: new Uint8Array([1, 2, 3]) };

describe('The built-in provider', () => {
  it("decides at once, by the engine's finding and the tenant's threshold", async () => {
    const asked: unknown[] = [];
    const engine = engineOf({
      analyseSelfie: async (capture, thresholds, options) => {
        asked.push([...capture], thresholds, options);
        return analysis;
      },
    });
    const answer = await builtinProvider(async () => engine).submit(submission(bytes, { thresholds: { live: 0.7 } }));
    const { finding, measurements } = analysis;
    expect(answer).toEqual({ kind: 'decided', finding, measurements, fingerprints: {} });
    const options = { fingerprinted: [], barePortraits: undefined, digitsDoubted: undefined };
    expect(asked).toEqual([[1, 2, 3], { live: 0.7 }, options]);
  });

  it('says what a capture is recognised by where that is asked for: its bytes, and what the engine sees in it', async () => {
    const bands = { picture: ['p'], face: ['f'] };
    const seeing = engineOf({ analyseSelfie: async () => ({ ...analysis, bands: { selfie: bands } }) });
    const blind = engineOf({ analyseSelfie: async () => analysis });
    const sha256 = '039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81'; // of 1, 2, 3
    const asked = submission(bytes, { fingerprinted: ['selfie'] });
    expect(await builtinProvider(async () => seeing).submit(asked)).toMatchObject({
      fingerprints: { selfie: { sha256, ...bands } },
    });
    expect(await builtinProvider(async () => blind).submit(asked)).toMatchObject({
      fingerprints: { selfie: { sha256, picture: [], face: [] } },
    });
  });

  it('asks for another capture when this one is too large to be opened, and needs no engine for that', async () => {
    const provider = builtinProvider(() => Promise.reject(new Error('not needed')));
    const answer = await provider.submit(submission({ kind: 'too_large', bytes: 99_000_000 }));
    expect(answer).toMatchObject({
      kind: 'decided',
      finding: { outcome: 'recapture', reasons: ['capture_too_large'] },
    });
  });

  it('gives a photo_verify both captures, in their places', async () => {
    const asked: unknown[] = [];
    const engine = engineOf({
      analysePhotos: async (...given) => {
        asked.push(...given);
        return analysis;
      },
    });
    const card: OpenedCapture = { kind: 'bytes', bytes: new Uint8Array([7]) };
    const photos = submission(bytes, {
      check: 'photo_verify',
      thresholds: { match: 0.6 },
      barePortraits: true,
      ...opens({ id_card: card }),
    });
    expect(await builtinProvider(async () => engine).submit(photos)).toMatchObject({ kind: 'decided' });
    const options = { fingerprinted: [], barePortraits: true, digitsDoubted: undefined };
    expect(asked).toEqual([new Uint8Array([1, 2, 3]), new Uint8Array([7]), { match: 0.6 }, options]);

    const large = submission(bytes, {
      check: 'photo_verify',
      ...opens({ id_card: { kind: 'too_large', bytes: 99_000_000 } }),
    });
    expect(await builtinProvider(async () => engine).submit(large)).toMatchObject({
      finding: { outcome: 'recapture', reasons: ['capture_too_large'] },
      measurements: { id_capture_bytes: 99_000_000 },
    });
  });

  it('faults when the engine does, without its words', async () => {
    const broken = engineOf({ analyseSelfie: () => Promise.reject(new Error('/secret/models: session died')) });
    for (const engine of [async () => broken, () => Promise.reject(new Error('/secret/models: sha256'))]) {
      const fault = await builtinProvider(engine)
        .submit(submission(bytes))
        .catch((error: unknown) => error);
      expect(fault).toBeInstanceOf(Fault);
      expect(fault).toMatchObject({ code: 'provider_failed' });
      expect(String(fault)).not.toContain('secret');
    }
  });

  it('lets a capture that is gone be what it is', async () => {
    const gone = new Fault('capture_missing', 'gone');
    const provider = builtinProvider(async () => engineOf({ analyseSelfie: async () => analysis }));
    await expect(provider.submit(submission(bytes, { openCapture: () => Promise.reject(gone) }))).rejects.toBe(gone);
  });

  it('gives a video_verify its challenge, its turn and whether digits were doubted, and refuses one without challenge', async () => {
    const asked: unknown[] = [];
    const engine = engineOf({
      analyseVideo: async (...given) => {
        asked.push(...given);
        return analysis;
      },
    });
    const provider = builtinProvider(async () => engine);
    const turn = { side: 'left', second: 3 } as const;
    const film = submission(bytes, { check: 'video_verify', challenge: '407193', digitsDoubted: true, turn });
    expect(await provider.submit(film)).toMatchObject({ kind: 'decided' });
    const options = { fingerprinted: [], barePortraits: undefined, digitsDoubted: true, turn };
    expect(asked.slice(2)).toEqual(['407193', {}, options]);
    await expect(provider.submit(submission(bytes, { check: 'video_verify' }))).rejects.toMatchObject({
      code: 'provider_refused',
    });
  });

  it('says it understands what the shipped recogniser understands', async () => {
    const { manifest } = await shippedEngine();
    expect(builtinProvider(async () => engineOf({ analyseSelfie: async () => analysis })).languages).toEqual(
      manifest.digits?.languages,
    );
  });
});

it('names as thresholds those that the engine reads, and no other', () => {
  const read: Record<keyof Thresholds, true> = { live: true, match: true, digits: true, minimumFacePx: true };
  expect(Object.keys(builtin.thresholds)).toEqual(Object.keys(read));
});
