const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

export function element(name: string, text: string | number | boolean): string {
  return `<${name}>${String(text).replace(/[&<>"']/g, (character) => escapes[character] ?? '')}</${name}>`;
}

export function document(content: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${content}`;
}

/** The text of every `name` element in a flat request document; enough for the few bodies S3 clients send. */
export function texts(xml: string, name: string): string[] {
  const found = xml.matchAll(new RegExp(`<${name}(?:\\s[^>]*)?>(.*?)</${name}>`, 'gs'));
  return [...found].map((match) => match[1] ?? '');
}

export function unescapeXml(text: string): string {
  return text
    .replace(/&#x([0-9a-f]+);|&#(\d+);/gi, (_, hex, decimal) =>
      String.fromCodePoint(hex ? Number.parseInt(hex, 16) : Number(decimal)),
    )
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');
}
