/** What the page of `guidance-page.ts` runs: the tests call it by `window.guidance`. */
import { guidanceAssets } from '../../web/capture/guidance/assets.ts';
import { type Guide, openGuide } from '../../web/capture/guidance/guide.ts';
import type { Judgement } from '../../web/capture/guidance/messages.ts';
import { type Hint, steady } from '../../web/capture/guidance/steady.ts';
import { watch } from '../../web/capture/guidance/watch.ts';

/** A look at one picture, and the JPEG that would be uploaded of it, in base64. */
export interface Looked {
  readonly judgement: Judgement | undefined;
  readonly milliseconds: number;
  readonly jpeg?: string;
}

/** What was said while a camera ran. */
export interface Watched {
  /** Each hint once for every time it came up, with the milliseconds since the first look. */
  readonly hints: readonly { readonly hint: Hint; readonly at: number }[];
  /** How many frames were looked at, and what the page painted meanwhile. */
  readonly looks: number;
  readonly framesPerSecond: number;
  /** The first reason of the frame that was looked at last, or good, and its JPEG in base64. */
  readonly lastReason: string | undefined;
  readonly lastJpeg: string | undefined;
  /** After how many milliseconds it was to be taken; absent where it never was. */
  readonly takenAt: number | undefined;
}

export interface GuidanceTest {
  readonly open: (options?: {
    readonly base?: string;
    readonly minimumFacePx?: number;
    readonly timeoutSeconds?: number;
    readonly abortAfter?: number;
  }) => Promise<boolean>;
  readonly look: (url: string, options?: { readonly jpeg?: boolean }) => Promise<Looked>;
  /** Until the picture is to be taken, or for so many looks. */
  readonly watch: (mostLooks: number) => Promise<Watched>;
  readonly close: () => void;
  readonly violations: readonly string[];
}
declare global {
  interface Window {
    guidance: GuidanceTest;
  }
}

let guide: Guide | undefined;
const violations: string[] = [];
document.addEventListener('securitypolicyviolation', (event) =>
  violations.push(`${event.effectiveDirective} ${event.blockedURI}`),
);

async function base64Of(blob: Blob | undefined): Promise<string | undefined> {
  if (!blob) return undefined;
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = '';
  for (let from = 0; from < bytes.length; from += 32_768)
    text += String.fromCharCode(...bytes.subarray(from, from + 32_768));
  return btoa(text);
}

window.guidance = {
  violations,
  open: async ({ abortAfter, ...options } = {}) => {
    const ended = new AbortController();
    if (abortAfter !== undefined) setTimeout(() => ended.abort(), abortAfter);
    guide = await openGuide({ assets: guidanceAssets(), signal: ended.signal, ...options });
    return guide !== undefined;
  },
  look: async (url, { jpeg = false } = {}) => {
    const frame = await createImageBitmap(await (await fetch(url)).blob());
    const from = performance.now();
    const judgement = await guide?.look(frame);
    const milliseconds = performance.now() - from;
    const picture = jpeg ? await base64Of(await guide?.picture()) : undefined;
    return { judgement, milliseconds, ...(picture !== undefined && { jpeg: picture }) };
  },
  watch: async (mostLooks) => {
    const video = document.querySelector('video');
    if (!guide || !video) throw new Error('no guide');
    const stream = await navigator.mediaDevices.getUserMedia({
      video: { width: { ideal: 720 }, height: { ideal: 1280 } },
    });
    video.srcObject = stream;
    await video.play();
    const ended = new AbortController();
    const advise = steady();
    const hints: { hint: Hint; at: number }[] = [];
    const from = performance.now();
    let [painted, looks] = [0, 0];
    let lastReason: string | undefined;
    let takenAt: number | undefined;
    const count = () => {
      painted += 1;
      if (!ended.signal.aborted) requestAnimationFrame(count);
    };
    requestAnimationFrame(count);
    for await (const { reasons } of watch(guide, video, ended.signal)) {
      const at = performance.now();
      const { hint, take } = advise(reasons, at);
      looks += 1;
      lastReason = reasons[0] ?? 'good';
      if (hint && hint !== hints.at(-1)?.hint) hints.push({ hint, at: at - from });
      if (take) takenAt = at - from;
      if (take || looks === mostLooks) break;
    }
    ended.abort();
    const framesPerSecond = (1000 * painted) / (performance.now() - from);
    const lastJpeg = await base64Of(await guide.picture());
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
    return { hints, looks, framesPerSecond, lastReason, lastJpeg, takenAt };
  },
  close: () => guide?.close(),
};
