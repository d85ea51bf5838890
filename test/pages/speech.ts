/** A microphone that hears what a test says when it says it. The one of a file begins when it is opened, wherever digits are. */
import { readFile } from 'node:fs/promises';
import type { BrowserContext, Page } from 'playwright-core';
import { said, speech } from '../engine/videos.ts';

/** What the voices of the fixtures say; requests ask for one of them as their `challenge`. */
const voices = {
  [said]: speech,
  '528806': () => readFile(new URL('../fixtures/digits/528806-8khz.wav', import.meta.url)),
} as const;
export type Digits = keyof typeof voices;
export { said };

declare global {
  interface Window {
    bonafideTestMedia?: {
      /** Plays once, when the page asks the person to speak. */
      playWhenAsked(base64: string): void;
      /** How many cameras are on. */
      open(): number;
    };
  }
}

/** Before any page of the context is opened: its microphone becomes a Web Audio track, silent until `sayWhenAsked`. */
export async function giveVoice(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    const media = navigator.mediaDevices;
    if (!media) return; // an insecure page has none
    const tracks: MediaStreamTrack[] = [];
    const open = media.getUserMedia.bind(media);
    let sound: { context: AudioContext; destination: MediaStreamAudioDestinationNode } | undefined;
    media.getUserMedia = async (constraints) => {
      const stream = await open(constraints);
      tracks.push(...stream.getVideoTracks());
      const [microphone] = stream.getAudioTracks();
      if (!microphone) return stream;
      const audio = new AudioContext();
      sound = { context: audio, destination: audio.createMediaStreamDestination() };
      quietRoom(sound);
      microphone.stop();
      stream.removeTrack(microphone);
      for (const track of sound.destination.stream.getAudioTracks()) stream.addTrack(track);
      return stream;
    };
    /** A microphone always gives samples: without any, recorders of MP4 never start. */
    function quietRoom({ context, destination }: NonNullable<typeof sound>): void {
      const noise = new AudioBuffer({ length: context.sampleRate, sampleRate: context.sampleRate });
      noise.copyToChannel(
        Float32Array.from({ length: noise.length }, () => 0.001 * (Math.random() - 0.5)),
        0,
      );
      const source = new AudioBufferSourceNode(context, { buffer: noise, loop: true });
      source.connect(destination);
      source.start();
    }
    window.bonafideTestMedia = {
      open: () => tracks.filter(({ readyState }) => readyState === 'live').length,
      playWhenAsked: (base64) => {
        const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
        const play = async () => {
          if (!sound) throw new Error('the page has not opened a microphone');
          const source = sound.context.createBufferSource();
          source.buffer = await sound.context.decodeAudioData(bytes.buffer);
          source.connect(sound.destination);
          source.start();
        };
        document.addEventListener('bonafide-speak', play, { once: true });
      },
    };
  });
}

/** Whether a camera of the page is on. */
export const cameraIsOn = async (page: Page): Promise<boolean> =>
  (await page.evaluate(() => window.bonafideTestMedia?.open() ?? 0)) > 0;

/** Says the digits when the page shows the first one; they take 3.7 s. */
export async function sayWhenAsked(page: Page, digits: Digits = said): Promise<void> {
  const wav = (await voices[digits]()).toString('base64');
  await page.evaluate((base64) => window.bonafideTestMedia?.playWhenAsked(base64), wav);
}
