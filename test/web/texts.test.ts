import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { recaptureReasons } from '../../shared/domain/verdict.ts';
import { en } from '../../web/capture/texts/en.ts';
import { filled, languageOf, languages, textsIn, wordsFor } from '../../web/capture/texts/texts.ts';
import { rowsUnder } from '../docs/markdown.ts';

const placeholders = (text: string) => [...text.matchAll(/\{[a-z]+\}/g)].map(([name]) => name).sort();

describe.each(languages)('the texts in %s', (language) => {
  it('are all there, none of them empty', async () => {
    const texts = await textsIn(language);
    expect(Object.keys(texts)).toEqual(Object.keys(en));
    for (const text of Object.values(texts)) expect(text.trim()).not.toBe('');
  });

  it('have the values of the English ones', async () => {
    const texts = await textsIn(language);
    for (const [key, text] of Object.entries(en)) {
      expect(placeholders(texts[key as keyof typeof en]), key).toEqual(placeholders(text));
    }
  });

  it('say that the digits are English ones, and say so nowhere in English', async () => {
    const texts = await textsIn(language);
    const names = { en: /English/, de: /Englisch/, es: /inglés/, ar: /الإنجليزية/ };
    for (const key of ['intro_video', 'by_file_text', 'video_in_english'] as const) {
      const isSaid = names[language].test(texts[key]);
      expect(isSaid, key).toBe(language !== 'en' || key === 'video_in_english');
    }
  });
});

describe('words for a reason', () => {
  it('are those of docs/reasons.md', async () => {
    const texts = await textsIn('en');
    const page = readFileSync('docs/reasons.md', 'utf8');
    const rows = rowsUnder(page, '| reason | meaning | given by | words for the person |');
    for (const reason of recaptureReasons) {
      const row = rows.find(([first]) => first === `\`${reason}\``);
      expect(row?.at(-1), reason).toBe(wordsFor(texts, reason));
    }
  });

  it('are those for any reason, where it is newer than the page', async () => {
    const texts = await textsIn('en');
    expect(wordsFor(texts, 'of_tomorrow')).toBe(texts.reason_unknown);
    expect(wordsFor(texts, '__proto__')).toBe(texts.reason_unknown);
  });
});

describe('the language', () => {
  it('is the first wanted one that there is, by its first part', () => {
    expect(languageOf(['pt-BR', 'de-AT', 'es'])).toBe('de');
    expect(languageOf([undefined, null, '', 'ar_EG'])).toBe('ar');
    expect(languageOf(['fr'])).toBe('en');
  });
});

describe('a value in a text', () => {
  it('is put in as it is, and nothing of it is read as a text', () => {
    expect(filled('Back to {name}', { name: '{name} <b>$&</b>' })).toBe('Back to {name} <b>$&</b>');
    expect(filled('{left} of {count}', { left: 1 })).toBe('1 of {count}');
  });
});
