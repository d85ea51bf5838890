import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import * as z from 'zod';
import { uploadsView } from '../../shared/api/verifications.ts';
import { portrait } from '../../tools/samples.ts';
import { type Client, newSourceId, put } from '../journeys/client.ts';
import type { Inside } from '../journeys/inside.ts';

export interface Sent {
  /** Of what was sent, until traffic was stopped. */
  readonly sourceIds: readonly string[];
  /** How often a request had to be made again. */
  readonly repeated: number;
}

/** Two callers that send selfies, one after the other, for as long as `meanwhile` takes. */
export async function underTraffic(client: Client, meanwhile: () => Promise<unknown>): Promise<Sent> {
  const face = await portrait();
  const sourceIds: string[] = [];
  let repeated = 0;
  let over = false;
  const traffic = Array.from({ length: 2 }, async () => {
    while (!over) {
      const sourceId = newSourceId();
      repeated += await sendPatiently(client, sourceId, face);
      sourceIds.push(sourceId);
      await sleep(300);
    }
  });
  try {
    await meanwhile();
  } finally {
    over = true;
    await Promise.all(traffic);
  }
  return { sourceIds, repeated };
}

/** Each of them passes, is decided once, and told of once: repeats of a delivery have the id of the event. */
export async function expectDecidedOnce(client: Client, sourceIds: readonly string[], events: Inside['events']) {
  const decide = async (sourceId: string) => {
    expect((await client.verdict(sourceId)).verdict?.outcome, sourceId).toBe('passed');
    const moves = (await client.history(sourceId)).filter(({ kind }) => kind === 'moved');
    expect(moves.filter(({ state }) => state === 'decided')).toHaveLength(1);
  };
  // A few at a time: every request that waits is a process of the emulator's.
  for (let from = 0; from < sourceIds.length; from += 4) await Promise.all(sourceIds.slice(from, from + 4).map(decide));
  const told = z.looseObject({ id: z.string(), type: z.string(), source_id: z.string() });
  const tellings = async () => {
    const ids = new Map<string, Set<string>>();
    for (const { detail } of await events()) {
      const { id, type, source_id } = told.parse(detail);
      if (type === 'verification.decided') ids.set(source_id, (ids.get(source_id) ?? new Set()).add(id));
    }
    return sourceIds.filter((sourceId) => ids.get(sourceId)?.size !== 1);
  };
  await expect.poll(tellings, { timeout: 300_000 }).toEqual([]);
}

/** As integrators do: the same request again, until it is answered. Says how often it was. */
async function sendPatiently(client: Client, sourceId: string, photo: Uint8Array): Promise<number> {
  for (let repeated = 0; ; repeated += 1) {
    try {
      const captures = { selfie: { content_type: 'image/jpeg' } };
      const request = { source_id: sourceId, check: 'spoof_detect', captures };
      const { status, body } = await client.call('POST', '/verifications', request);
      if (status === 200 && body.state !== 'awaiting_captures') return repeated;
      const sent = await put(uploadsView.parse(body), photo);
      if (sent.status === 200 || sent.status === 412) return repeated;
    } catch {
      // cut off or refused, which is what is counted
    }
    await sleep(200);
  }
}
