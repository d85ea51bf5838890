import { expect, it } from 'vitest';
import { idCard } from '../../engine/people.ts';
import { said, video } from '../../engine/videos.ts';
import { clientOf, newSourceId, type Target } from '../../journeys/client.ts';

/** In `.ci/run nightly` alone: a video takes the engine seconds of two processors. */
export function videoJourneys(target: () => Target): void {
  it.runIf(process.env.DEPLOYED === 'all')('a video that says the digits, and a card, become a verdict', async () => {
    const client = clientOf(target());
    const sourceId = newSourceId();
    const captures = { video: { content_type: 'video/mp4' }, id_card: { content_type: 'image/jpeg' } };
    const { uploads } = await client.request(sourceId, { check: 'video_verify', challenge: said, captures });
    const files = { video: await video(), id_card: await idCard() };
    for (const name of ['video', 'id_card'] as const) {
      const { url, headers } = uploads[name]?.put ?? { url: '', headers: {} };
      expect((await fetch(url, { method: 'PUT', headers, body: Buffer.from(files[name]) })).status).toBe(200);
    }
    const { verdict } = await client.verdict(sourceId);
    expect(verdict).toMatchObject({ outcome: 'passed', provider: 'builtin' });
    expect(Object.keys(verdict?.scores ?? {}).sort()).toEqual(['digits', 'live', 'match', 'sync']);
  });
}
