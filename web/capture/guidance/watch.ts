import type { Guide } from './guide.ts';
import type { Judgement } from './messages.ts';

/** Looks no oftener than this, and rests as long as a look took: half of a slow device is left for the preview. */
const periodMilliseconds = 100;

/**
 * What guidance says of a preview, look after look, while the page is visible and frames come. Ends with the signal, or
 * when guidance has ended: then one captures by hand.
 */
export async function* watch(
  guide: Guide,
  video: HTMLVideoElement,
  signal: AbortSignal,
): AsyncGenerator<Judgement, void> {
  const over = Promise.withResolvers<false>();
  const stop = () => over.resolve(false);
  guide.closed.then(stop, stop);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const orOver = (event: Promise<unknown>) => Promise.race([over.promise, event.then(() => true)]);
  try {
    while (await orOver(nextFrame(video))) {
      const from = performance.now();
      const frame = await createImageBitmap(video).catch(() => undefined); // a video that has just ended has none
      const judgement = frame && (await guide.look(frame));
      const took = performance.now() - from;
      if (signal.aborted) return;
      if (judgement) yield judgement;
      if (!(await orOver(after(Math.max(periodMilliseconds - took, took))))) return;
    }
  } finally {
    signal.removeEventListener('abort', stop);
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
