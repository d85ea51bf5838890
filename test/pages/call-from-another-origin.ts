/**
 * `node test/pages/call-from-another-origin.ts ORIGIN ASKED`: a browser on a page of ORIGIN, whose script uploads a selfie
 * by form, and then asks for the verdict. Prints what came of it as JSON; `refused` is what scripts are told of an
 * answer that CORS keeps from them.
 * A program of its own, because `test:deployed` is compiled without a browser's types.
 */
import { portrait } from '../../tools/samples.ts';
import { openBrowser } from './browser.ts';

interface Asked {
  readonly url: string;
  readonly sourceId: string;
  readonly token: string;
  readonly form: { readonly url: string; readonly fields: Readonly<Record<string, string>> };
}

const [origin = '', asked = ''] = process.argv.slice(2);
const given: Asked = JSON.parse(asked);
const selfie = (await portrait()).toString('base64');
const browser = await openBrowser();
try {
  // An emulator's certificate is its own; the flag for the whole browser would excuse more.
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  await page.goto(origin);
  const became = await page.evaluate(
    async ({ url, sourceId, token, form, selfie }) => {
      const body = new FormData();
      for (const [name, value] of Object.entries(form.fields)) body.append(name, value);
      body.append('file', new Blob([Uint8Array.from(atob(selfie), (letter) => letter.charCodeAt(0))]));
      const upload = await fetch(form.url, { method: 'POST', body }).then(
        ({ status }) => status,
        () => 'refused',
      );
      const verification = `${url}/verifications/${sourceId}`;
      const read = async () => {
        const answer = await fetch(verification, { headers: { authorization: `Bearer ${token}` } });
        const { state } = await answer.json();
        return { read: answer.status, state };
      };
      let answered: { read: number | string; state?: string } = { read: 'refused' };
      for (let turn = 0; turn < 60; turn += 1) {
        answered = await read().catch(() => ({ read: 'refused' }));
        if (answered.read === 'refused' || answered.state === 'decided') break;
        await new Promise((done) => setTimeout(done, 1000));
      }
      // A tenant's key has no place in a browser: whatever it is, the header is not allowed.
      const withKey = await fetch(verification, { headers: { 'x-api-key': 'any' } }).then(
        ({ status }) => status,
        () => 'refused',
      );
      return { upload, ...answered, withKey };
    },
    { ...given, selfie },
  );
  console.log(JSON.stringify(became));
} finally {
  await browser.close();
}
process.exit();
