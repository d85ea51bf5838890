import type { recaptureReasons } from '../../../shared/domain/verdict.ts';
import type { Interruption, Trouble } from '../states.ts';
import { en } from './en.ts';

/** Keys that follow from lists elsewhere: a new reason, trouble or interruption without words does not compile. */
type Needed = `reason_${(typeof recaptureReasons)[number]}` | Trouble | `interrupted_${Interruption}`;

type Key = keyof typeof en;
type Unwritten = Exclude<Needed, Key>;

/** All that the element says, by key. A missing key does not compile. `{name}` in a text stands for a value. */
export type Texts = { readonly [key in Key]: string } & { readonly [key in Unwritten]: string };
export type TextKey = Key;

/** Languages that the element speaks by itself. */
export const languages = ['en', 'de', 'es', 'ar'] as const;
export type Language = (typeof languages)[number];

/** English is always there; the other languages are loaded when they are spoken. */
const catalogues: Record<Language, () => Promise<Texts>> = {
  en: async () => english,
  de: async () => (await import('./de.ts')).de,
  es: async () => (await import('./es.ts')).es,
  ar: async () => (await import('./ar.ts')).ar,
};

export const english: Texts = en;

export const textsIn = (language: Language): Promise<Texts> => catalogues[language]();

export const isRightToLeft = (language: Language): boolean => language === 'ar';

/** The first of the wanted languages (`de-AT`, `pt`) that the element speaks, else English. */
export function languageOf(wanted: readonly (string | null | undefined)[]): Language {
  for (const one of wanted) {
    const [primary] = (one ?? '').toLowerCase().split(/[-_]/);
    const found = languages.find((language) => language === primary);
    if (found) return found;
  }
  return 'en';
}

/** The text with its values put in; what has no value stays as it is written. */
export function filled(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{([a-z]+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** Words for a reason; one that is newer than these texts has the words for unknown ones. */
export function wordsFor(texts: Texts, reason: string): string {
  const key = `reason_${reason}`;
  return isTextKey(key) ? texts[key] : texts.reason_unknown;
}

export const isTextKey = (key: string): key is TextKey => Object.hasOwn(en, key);
