import { createHash } from 'node:crypto';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readDelivery } from '../../shared/providers/identify/delivery.ts';
import * as identifyWire from '../../shared/providers/identify/wire.ts';
import * as onesmartlabWire from '../../shared/providers/onesmartlab/wire.ts';
import * as spoofsenseWire from '../../shared/providers/spoofsense/wire.ts';
import { answering, fixtureBytes, fixtureFolder, fixtureText } from './answering.ts';

const sums = fixtureText('SHA256SUMS')
  .trim()
  .split('\n')
  .map((line) => line.split(/\s+/) as [string, string]);

describe("The vendors' documents", () => {
  const documents = fixtureText('documents/SHA256SUMS')
    .trim()
    .split('\n')
    .map((line) => line.split(/\s+/));

  it.each(documents)('%s is %s, byte for byte', (sha256, file) => {
    expect(
      createHash('sha256')
        .update(fixtureBytes(`documents/${file}`))
        .digest('hex'),
    ).toBe(sha256);
  });

  it('are all four', () => {
    const files = readdirSync(new URL('documents/', fixtureFolder)).filter((file) => file !== 'SHA256SUMS');
    expect(files.toSorted()).toEqual(documents.map(([, file]) => file).toSorted());
    expect(files.map((file) => file.slice(0, 3)).toSorted()).toEqual(['000', '001', '002', '003']);
  });
});

describe("The vendors' samples", () => {
  it.each(sums)('%s is %s, byte for byte', (sha256, file) => {
    expect(createHash('sha256').update(fixtureBytes(file)).digest('hex')).toBe(sha256);
  });

  it('are all of them in the list of sums and in the README', () => {
    const files = readdirSync(fixtureFolder, { recursive: true, encoding: 'utf8' }).filter((file) =>
      /^(?!documents).*\//.test(file),
    );
    expect(files.toSorted()).toEqual(sums.map(([, file]) => file).toSorted());
    const readme = fixtureText('README.md');
    for (const file of files) expect(readme).toContain(`\`${file}\``);
  });

  it('that are not JSON are those the README says', () => {
    const rows = fixtureText('README.md')
      .split('\n')
      .filter((line) => line.startsWith('| `'));
    for (const row of rows) {
      const [, names = '', json = ''] = row.split('|');
      for (const [, file = ''] of names.matchAll(/`([^`]+)`/g)) {
        expect({ file, json: isJson(fixtureText(file)) }).toEqual({ file, json: json.trim() === 'yes' });
      }
    }
  });

  it('are read by the schemas, in both directions', () => {
    const schemas = [
      ['identify/000-request.json', identifyWire.request],
      ['identify/000-received.json', identifyWire.received],
      ['spoofsense/001-no-face.json', spoofsenseWire.response],
      ['spoofsense/003-no-face.json', spoofsenseWire.response],
      ['spoofsense/001-bad-input.json', spoofsenseWire.response],
      ['spoofsense/003-bad-input.json', spoofsenseWire.response],
      ['spoofsense/003-face-too-small.json', spoofsenseWire.response],
      ['onesmartlab/002-photoverify.json', onesmartlabWire.photoVerified],
      ['onesmartlab/002-videoverify.json', onesmartlabWire.videoVerified],
      ['onesmartlab/002-spoofdetect.json', onesmartlabWire.spoofDetected],
    ] as const;
    for (const [file, schema] of schemas) {
      expect(schema.safeParse(JSON.parse(fixtureText(file))), file).toMatchObject({ success: true });
    }
  });
});

it.each(sums.map(([, file]) => [file]))('%s is put to an adapter, or compared with what we send', (file) => {
  const tests = globSync('test/providers/*.test.ts').map((test) => readFileSync(test, 'utf8'));
  expect(tests.some((text) => text.includes(`'${file}'`))).toBe(true);
});

describe('A sample a vendor really sends', () => {
  const cases: [
    file: string,
    provider: string,
    check: 'spoof_detect' | 'photo_verify' | 'video_verify',
    outcome: string,
  ][] = [
    ['spoofsense/001-live.json', 'spoofsense', 'spoof_detect', 'provider_unreadable'],
    ['spoofsense/003-live.json', 'spoofsense', 'spoof_detect', 'provider_unreadable'],
    ['spoofsense/001-spoof.json', 'spoofsense', 'spoof_detect', 'provider_unreadable'],
    ['spoofsense/003-spoof.json', 'spoofsense', 'spoof_detect', 'provider_unreadable'],
    ['spoofsense/001-no-face.json', 'spoofsense', 'spoof_detect', 'recapture face_not_detected'],
    ['spoofsense/003-no-face.json', 'spoofsense', 'spoof_detect', 'recapture face_not_detected'],
    ['spoofsense/001-bad-input.json', 'spoofsense', 'spoof_detect', 'recapture capture_unreadable'],
    ['spoofsense/003-bad-input.json', 'spoofsense', 'spoof_detect', 'recapture capture_unreadable'],
    ['spoofsense/003-face-too-small.json', 'spoofsense', 'spoof_detect', 'recapture face_too_small'],
    ['onesmartlab/002-error.json', 'onesmartlab', 'photo_verify', 'provider_unreadable'],
    ['onesmartlab/002-photoverify.json', 'onesmartlab', 'photo_verify', 'passed'],
    ['onesmartlab/002-videoverify.json', 'onesmartlab', 'video_verify', 'passed'],
    ['onesmartlab/002-spoofdetect.json', 'onesmartlab', 'spoof_detect', 'recapture face_too_large'],
    ['identify/000-received.json', 'identify', 'spoof_detect', 'accepted'],
  ];
  it.each(cases)('%s is understood', async (file, provider, check, outcome) => {
    expect((await answering(provider, check, { body: fixtureText(file) })).outcome).toBe(outcome);
  });

  it.each(['spoofsense/001-too-large.txt', 'spoofsense/003-too-large.txt'])(
    '%s, with 413, is understood',
    async (file) => {
      const { outcome } = await answering('spoofsense', 'spoof_detect', { status: 413, body: fixtureText(file) });
      expect(outcome).toBe('recapture capture_too_large');
    },
  );

  it('with its last brace put back is a verdict', async () => {
    const live = await answering('spoofsense', 'spoof_detect', { body: `${fixtureText('spoofsense/003-live.json')}}` });
    expect(live).toMatchObject({ outcome: 'passed', scores: { live: 0.9997915625572205 } });
    const spoof = await answering('spoofsense', 'spoof_detect', {
      body: `${fixtureText('spoofsense/001-spoof.json')}}`,
    });
    expect(spoof).toMatchObject({
      outcome: 'failed presentation_attack_suspected',
      scores: { live: 0.00045343424235454 },
    });
  });

  it('of a webhook, .91 and all, names its request and its verdict', () => {
    expect(readDelivery(fixtureText('identify/000-result.json'))).toEqual({
      reference: '<YOUR UNIQUE REQUEST ID>',
      answer: {
        kind: 'decided',
        finding: { outcome: 'passed', confidence: 0.91, reasons: [], scores: { live: 0.91 } },
      },
    });
  });

  it('of an error, with straight quotes, asks the next provider', async () => {
    const body = fixtureText('onesmartlab/002-error.json').replace(/[“”]/g, '"');
    expect((await answering('onesmartlab', 'photo_verify', { body })).outcome).toBe('provider_refused');
  });

  it("sends what the vendor's own sample request shows", async () => {
    const identify = await answering('identify', 'spoof_detect', { body: fixtureText('identify/000-received.json') });
    const sample = JSON.parse(fixtureText('identify/000-request.json'));
    const sent = JSON.parse(identify.sent);
    expect(Object.keys(sent)).toEqual(Object.keys(sample));
    expect(Object.keys(sent.payload)).toEqual(Object.keys(sample.payload));
    expect(sent.service).toBe(sample.service);
    const spoofsense = await answering('spoofsense', 'spoof_detect', { body: '{}' });
    const commented = fixtureText('spoofsense/001-request.json');
    const shown = [...commented.matchAll(/"(\w+)":/g)].map(([, name]) => name);
    expect(Object.keys(JSON.parse(spoofsense.sent))).toEqual(shown);
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
