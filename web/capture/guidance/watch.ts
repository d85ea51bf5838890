import type { Guide } from './guide.ts';
import type { Judgement } from './messages.ts';

/** Looks no oftener than this, and rests as long as a look took: half of a slow device is left for the preview. */
const periodMilliseconds = 100;

export interface WatchOptions {
  readonly signal: AbortSignal;
  /** After each look; times are of `performance.now()`. */
  readonly onJudged: (judgement: Judgement, atMilliseconds: number) => void;
}

/**
 * Looks at what a preview shows, again and again, while the page is visible and the video runs. Resolves when the signal
 * says so or guidance has ended.
 */
export async function watch(guide: Guide, video: HTMLVideoElement, { signal, onJudged }: WatchOptions): Promise<void> {
  let isOver = false;
  const over = guide.closed.then(() => {
    isOver = true;
  });
  const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  while (!isOver && !signal.aborted) {
    await Promise.race([over, stopped, nextFrame(video)]);
    if (isOver || signal.aborted) return;
    const from = performance.now();
    const frame = await createImageBitmap(video).catch(() => undefined); // a video that has just ended has none
    const judgement = frame && (await guide.look(frame));
    if (signal.aborted) return;
    const took = performance.now() - from;
    if (judgement) onJudged(judgement, performance.now());
    await Promise.race([over, stopped, after(Math.max(periodMilliseconds - took, took))]);
  }
}

const after = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

/** Firefox before 132 lacks requestVideoFrameCallback. Neither of the two is called while the page is hidden. */
function nextFrame(video: HTMLVideoElement): Promise<unknown> {
  return new Promise((resolve) => {
    if ('requestVideoFrameCallback' in video) video.requestVideoFrameCallback(resolve);
    else requestAnimationFrame(resolve);
  });
}
