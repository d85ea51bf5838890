import { expect, it } from 'vitest';
import type { Backend } from './backend.ts';
import { begun, refused, type Scripted, scriptedBonafide, throttledByGateway, unavailable } from './bonafide-double.ts';

/** What a page got from its backend, and the requests that backend sent to Bonafide. */
export interface Begun {
  readonly status: number;
  readonly body: unknown;
  readonly asked: readonly string[];
}

/** A user who is logged in begins a verification on a backend whose Bonafide answers as the script says, then not at all. */
export type BeginWith = (script: readonly Scripted[]) => Promise<Begun>;

/** `started` runs the backend of a page against `bonafide`, and logs a user in. */
export function beginsWith(
  started: (
    bonafide: Awaited<ReturnType<typeof scriptedBonafide>>,
  ) => Promise<{ backend: Backend; headersOf: () => Promise<Record<string, string>> }>,
): BeginWith {
  return async (script) => {
    const bonafide = await scriptedBonafide(script);
    const { backend, headersOf } = await started(bonafide);
    try {
      const answer = await fetch(`${backend.url}/verification`, { method: 'POST', headers: await headersOf() });
      return { status: answer.status, body: await answer.json(), asked: bonafide.asked };
    } finally {
      await backend.stop();
      bonafide.stop();
    }
  };
}

/** What docs/integrate.md says of every backend: which failures it asks again after, and for how long. */
export function asksAgain(beginWith: BeginWith): void {
  it('is throttled, unavailable or silent for a moment, tries again', async () => {
    const script = [throttledByGateway, unavailable, undefined, begun('onboarding-ada', 'awaiting_captures')];
    const { status, asked } = await beginWith(script);
    expect(status).toBe(200);
    expect(asked).toHaveLength(4);
    expect(new Set(asked).size).toBe(1);
  });

  it('refuses, does not ask again', async () => {
    expect(await beginWith([refused])).toMatchObject({
      status: 502,
      body: { code: 'check_unavailable' },
      asked: { length: 1 },
    });
  });

  it('does not answer at all, gives up after five tries', async () => {
    expect(await beginWith([])).toMatchObject({ status: 502, body: { code: 'unreachable' }, asked: { length: 5 } });
  });
}
