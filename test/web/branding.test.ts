import { describe, expect, it } from 'vitest';
import { brandingOf, credentialOf, placeOf, returnAddress } from '../../web/capture/branding.ts';
import { isOfSecondDevice, seenOf } from '../../web/capture/connection.ts';

describe('branding', () => {
  it('is taken from what the server wrote, and colours go nowhere but into four properties', () => {
    const colours = {
      accent: '#0a7F41',
      text: 'red; --x: url(https://evil.example)',
      background: '#fff',
      other: '#000000',
    };
    const text = JSON.stringify({ name: 'Acme', logo_url: '/logos/acme/a', language: 'de', colours });
    expect(brandingOf(text)).toEqual({
      name: 'Acme',
      logoUrl: '/logos/acme/a',
      language: 'de',
      colours: { '--bonafide-accent': '#0a7F41' },
    });
  });

  it.each([null, '', 'null', '[]', '{"name":7,"colours":"#000000"}', '{'])('of %j is a page without any', (text) => {
    expect(brandingOf(text)).toEqual({ name: '', logoUrl: undefined, language: undefined, colours: {} });
  });
});

describe('the address of the page', () => {
  it('says whose verification it is, as it was encoded', () => {
    expect(placeOf('/capture/acme/a%3Ab.c')).toEqual({ tenant: 'acme', sourceId: 'a:b.c' });
    expect(placeOf('/stage/capture/acme/order-1')).toEqual({ tenant: 'acme', sourceId: 'order-1' });
    expect(placeOf('/capture/acme')).toBeUndefined();
    expect(placeOf('/capture/acme/%E0%A4%A')).toBeUndefined();
  });

  it('brings a token or a code behind the #, and nothing else', () => {
    expect(credentialOf('#ct_abc_1_x-Y')).toEqual({ token: 'ct_abc_1_x-Y' });
    expect(credentialOf('#h_abc-_1')).toEqual({ code: 'abc-_1' });
    for (const other of ['', '#', '#title', '#ct_<b>', '#h_ x']) expect(credentialOf(other), other).toBeUndefined();
  });
});

describe('the way back', () => {
  it('leads to addresses of the web alone', () => {
    expect(returnAddress('https://shop.example/done?a=1')).toBe('https://shop.example/done?a=1');
    for (const bad of ['javascript:alert(1)', 'data:text/html,x', ' ', undefined]) {
      expect(returnAddress(bad), bad).toBeUndefined();
    }
  });
});

describe('a second device', () => {
  const id = 'a'.repeat(26);
  const mac = '_-'.repeat(21).concat('x');
  const view = {
    source_id: 'order-1',
    livemode: true,
    check: 'photo_verify',
    state: 'awaiting_captures',
    round: 1,
    sequence: 1,
    verdict: null,
    missing: ['selfie', 'id_card'],
    rounds_left: 2,
    handed_off: true,
    created_at: '2026-01-01T00:00:00Z',
    updated_at: '2026-01-01T00:00:00Z',
  } as const;

  it('is known by its token, which has the number of its hand-off', () => {
    expect(isOfSecondDevice(`ct_${id}_1769904000_${mac}`)).toBe(false);
    expect(isOfSecondDevice(`ct_${id}_1769904000_1_${mac}`)).toBe(true);
  });

  it('of a test tenant’s verification is told that it is a test', () => {
    expect(seenOf({ ...view, missing: [...view.missing] }, false).journey.isTest).toBe(false);
    expect(seenOf({ ...view, livemode: false, missing: [...view.missing] }, false).journey.isTest).toBe(true);
  });

  it('does not watch itself', () => {
    const answer = { ...view, missing: [...view.missing] };
    expect(seenOf(answer, true).handedOff).toBe(false);
    expect(seenOf(answer, false).handedOff).toBe(true);
    expect(seenOf(answer, true).journey.missing).toEqual(['id_card', 'selfie']);
  });
});
