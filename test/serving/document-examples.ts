import { readFileSync } from 'node:fs';

/** The programs in One Smart Lab's document (002), as its text has them: on one line, without semicolons. */

export const languages = ['curl', 'python', 'php'] as const;
export type Language = (typeof languages)[number];
export const services = ['photoverify', 'videoverify', 'spoofdetect'] as const;
export type Service = (typeof services)[number];

export interface Example {
  readonly service: Service;
  readonly language: Language;
  /** The document's own characters. */
  readonly text: string;
}

const documents = 'test/fixtures/vendors/documents';
export const documentText = (name: string): string => readFileSync(`${documents}/${name}`, 'utf8');

/** How the programs of each language begin; what follows is a line of the document. */
const beginnings: Readonly<Record<Language, RegExp>> = {
  curl: /^(id_card|photo)=\/path\/to/,
  python: /^import requests /,
  php: /^\$url = /,
};

/** The nine examples, in the document's order. */
export function examples(): readonly Example[] {
  const lines = documentText('002_98b693b978ad201f.txt').split('\n');
  const found: Example[] = [];
  let service: Service | undefined;
  for (const text of lines) {
    service = services.find((one) => text === `/${one}`) ?? service;
    const language = languages.find((one) => beginnings[one].test(text));
    if (service && language) found.push({ service, language, text });
  }
  return found;
}

/** What a program is run with in place of the document's placeholders. */
export interface Circumstances {
  readonly host: string;
  readonly key: string;
  readonly digits: string;
  readonly languageCode: string;
  /** Files by the name of the part. */
  readonly files: { readonly id_card: string; readonly photo: string; readonly video: string };
}

/** One kind of change: what stood there and what stands there now. */
export interface Edit {
  readonly from: string;
  readonly to: string;
}

const lost: Readonly<Record<Language, readonly (readonly [RegExp, string])[]>> = {
  curl: [
    [/ (?=(photo|video|server|audiochallenge|languageCode|api_key)=[/"h])/g, '\n'],
    [/ (?=curl -X)/g, '\n'],
    [/ \\ /g, ' \\\n'],
  ],
  python: [[/ (?=(data|files|r) ?= )| (?=print\()/g, '\n']],
  php: [
    [/^/, '<?php '],
    [/(?<=verify"|detect") (?=\$data)/g, '; '],
    [/\)$/, ');'],
  ],
};

/** The program as it can be run, and every change that made it so. */
export function runnable(example: Example, circumstances: Circumstances): { program: string; edits: readonly Edit[] } {
  const edits: Edit[] = [];
  let program = example.text;
  const change = (pattern: RegExp, to: (match: string, ...groups: string[]) => string) => {
    program = program.replaceAll(new RegExp(pattern, `${pattern.flags.replace('g', '')}g`), (match, ...groups) => {
      const replaced = to(match, ...groups);
      edits.push({ from: match, to: replaced });
      return replaced;
    });
  };
  for (const [pattern, replacement] of lost[example.language]) change(pattern, () => replacement);
  const { host, key, digits, languageCode, files } = circumstances;
  change(/https:\/\/api\.onesmartlab\.com/, () => host);
  change(/YOUR_API_KEY/, () => key);
  change(/YOUR_(6_DIGIT_)?AUDIO_?CHALLENGE/, () => digits);
  change(/YOUR_LANGUAGE_CODE/, () => languageCode);
  // The name of the part stands before its path, by whatever the language puts between.
  change(
    /\b(id_card|photo|video)\b(["' =:>]*(?:new \\CurlFile\(|open\()?["']?)\/path\/to\/[\w/.]+/,
    (_, part, between) => {
      const name = example.service === 'spoofdetect' ? 'photo' : (part as keyof typeof files);
      return `${part}${between}${files[name]}`;
    },
  );
  return { program, edits };
}
