/** What a person does on the capture page, by what the page says in English. */
import type { Locator, Page } from 'playwright-core';
import { en } from '../../web/capture/texts/en.ts';
import type { Camera, FeedOptions } from './feeds.ts';
import { textsOf } from './looks.ts';
import { type Digits, sayWhenAsked } from './speech.ts';

export type Text = keyof typeof en;

/** A text as the page shows it: what stands in braces may be anything. */
export const shown = (text: Text): RegExp => new RegExp(`^\\s*${escaped(en[text]).replace(/\\\{\w+\\\}/g, '.+')}\\s*$`);
const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

export const button = (page: Page, text: Text): Locator => page.getByRole('button', { name: shown(text) });
export const press = (page: Page, text: Text): Promise<void> => button(page, text).click();

/** Waits until one of the texts is seen, and says which. */
export async function sees<T extends Text>(page: Page, ...texts: readonly T[]): Promise<T> {
  const looks = texts.map(async (text) => {
    await page.getByText(shown(text)).first().waitFor({ state: 'visible', timeout: 150_000 });
    return text;
  });
  return Promise.any(looks).catch(async () => {
    const instead = (await textsOf(page).catch(() => ['a page that is closed'])).join(' · ');
    throw new Error(`none of ${texts.join(', ')} was seen, but “${instead}”`);
  });
}

/** The photo of the ID card, taken by hand; the camera shows `next` from then on. */
export async function photographsCard(page: Page, camera: Camera, next: FeedOptions = {}): Promise<void> {
  await sees(page, 'id_card_title');
  await press(page, 'take');
  await sees(page, 'review_title_id_card');
  await camera.show(next); // a picture is reviewed with the camera off
  await press(page, 'keep');
}

/** The photo of the face, taken by the page itself when it is good. */
export const isTaken = (page: Page): Promise<Text> =>
  sees(page, 'uploading_title_selfie', 'waiting_title', 'passed_title');

/** The photo of the face by the button, however good. */
export async function photographsFace(page: Page): Promise<void> {
  await sees(page, 'selfie_title');
  await press(page, 'take');
  await sees(page, 'review_title_selfie');
  await press(page, 'keep');
}

/** Ready to speak, and says the digits when they are shown. */
export async function saysDigits(page: Page, digits?: Digits): Promise<void> {
  await sees(page, 'video_title');
  await sayWhenAsked(page, digits);
  await press(page, 'ready');
}
