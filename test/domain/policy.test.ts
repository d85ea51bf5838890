import { describe, expect, it } from 'vitest';
import {
  defaultPolicy,
  type PolicyInput,
  plan,
  planFor,
  policy,
  policyInput,
  policyMistakes,
  type Routable,
} from '../../shared/domain/policy.ts';
import { registry } from '../../shared/providers/registry.ts';

/** Every one of these can do spoof_detect. */
const live = [...registry.values()].flatMap((each) => (each.live ? [each.name] : []));
const { version: _, ...input } = defaultPolicy;
const mistakesIn = (overrides: Partial<PolicyInput>, tenant = {}) =>
  policyMistakes({ ...input, ...overrides }, registry, tenant);
const routes = (overrides: Partial<PolicyInput['routes']>) => ({ routes: { ...input.routes, ...overrides } });

it('a policy and a plan from before bare portraits and turns are read as they are, and a plan keeps what the policy says', () => {
  expect(policy.parse(defaultPolicy)).toEqual(defaultPolicy);
  for (const field of ['barePortraits', 'turn']) {
    expect(plan.parse(planFor(defaultPolicy, 'video_verify'))).not.toHaveProperty(field);
    const asking = policy.parse({ ...defaultPolicy, [field]: true });
    expect(plan.parse(planFor(asking, 'video_verify'))).toHaveProperty(field, true);
  }
});

describe('the capture page of a policy', () => {
  const read = (page: object) => policyInput.safeParse({ ...input, page });

  it('names origins, a name, a logo, colours and a language, or nothing', () => {
    const page = {
      returnOrigins: ['https://shop.example', 'https://shop.example:8443', 'http://localhost:3000', 'http://[::1]'],
      frameOrigins: ['https://xn--caf-dma.example', 'http://127.0.0.1:8080'],
      name: 'Acme',
      logo: 'a'.repeat(64),
      colours: { accent: '#1A2b3c', accentText: '#ffffff', background: '#000000', text: '#eeeeee' },
      language: 'ar',
    };
    expect(read(page).data?.page).toEqual(page);
    expect(read({}).data?.page).toEqual({ returnOrigins: [], frameOrigins: [] });
    expect(policyInput.parse(input)).not.toHaveProperty('page');
  });

  it.each([
    ...['https://shop.example/', 'https://shop.example/done', 'http://shop.example', 'https://*.shop.example', '*'],
    ...['https://SHOP.example', 'https://ada@shop.example', 'javascript:alert(1)', 'null', '', 'shop.example'],
    ...['https://shop.example;', "https://shop.example; script-src 'unsafe-inline'", 'https://shop.example\n'],
    ...['data:text/html,x', 'https://shop.example?', 'https://shop.example:443', 'http://127.0.0.1.evil.example'],
  ])('takes no origin like %j', (origin) => {
    for (const name of ['returnOrigins', 'frameOrigins']) expect(read({ [name]: [origin] }).success).toBe(false);
  });

  it.each([
    { name: 'a'.repeat(61) },
    { name: '' },
    { logo: 'logo.png' },
    { colours: { accent: 'red' } },
    { colours: { accent: '#12345' } },
    { colours: { accent: '#123456;' } },
    { colours: { border: '#123456' } },
    { language: 'fr' },
    { returnOrigin: [] },
  ])('is refused with %j', (page) => {
    expect(read(page).success).toBe(false);
  });
});

describe('a policy', () => {
  it('may name every provider for what it can do, and every threshold from end to end', () => {
    expect(mistakesIn({})).toEqual([]);
    expect(
      mistakesIn({
        routes: {
          spoof_detect: ['identify', 'spoofsense', 'onesmartlab', 'builtin'],
          photo_verify: ['onesmartlab', 'builtin'],
          video_verify: ['builtin', 'onesmartlab'],
        },
        thresholds: {
          builtin: { live: 0, match: 0.5, digits: 1, minimumFacePx: 128 },
          spoofsense: { live: 0.55 }, // read too where a request names the provider
          identify: {},
        },
      }),
    ).toEqual([]);
  });

  it.each([
    ['spoofsense', { live: -1 }, 'thresholds.spoofsense.live: must be from 0 to 1, not -1'],
    ['spoofsense', { live: 55 }, 'thresholds.spoofsense.live: must be from 0 to 1, not 55'],
    ['builtin', { minimumFacePx: 1 }, 'thresholds.builtin.minimumFacePx: must be from 64 to 512, not 1'],
    ['builtin', { match: 1.0001 }, 'thresholds.builtin.match: must be from 0 to 1, not 1.0001'],
    [
      'builtin',
      { liveness: 0.5 },
      'thresholds.builtin.liveness: builtin does not read it; it reads live, match, digits, minimumFacePx',
    ],
    [
      'builtin',
      { constructor: 0.5 },
      'thresholds.builtin.constructor: builtin does not read it; it reads live, match, digits, minimumFacePx',
    ],
    ['spoofsense', { match: 0.5 }, 'thresholds.spoofsense.match: spoofsense does not read it; it reads live'],
    ['onesmartlab', { live: 0.5 }, 'thresholds.onesmartlab.live: onesmartlab reads no thresholds; leave it out'],
    ['identify', { live: 0.5 }, 'thresholds.identify.live: identify reads no thresholds; leave it out'],
    ['sandbox', { live: 0.5 }, 'thresholds.sandbox.live: sandbox reads no thresholds; leave it out'],
    ['acme', {}, `thresholds.acme: there is no provider acme; there are ${[...registry.keys()].join(', ')}`],
    [
      'constructor',
      { live: 0.5 },
      `thresholds.constructor: there is no provider constructor; there are ${[...registry.keys()].join(', ')}`,
    ],
  ])('has no threshold of %s %j', (provider, chosen, mistake) => {
    expect(mistakesIn({ thresholds: { [provider]: chosen } })).toEqual([mistake]);
  });

  it.each([
    [
      'photo_verify',
      ['spoofsense'],
      'routes.photo_verify: spoofsense cannot do photo_verify; take builtin or onesmartlab',
    ],
    [
      'video_verify',
      ['builtin', 'identify'],
      'routes.video_verify: identify cannot do video_verify; take builtin or onesmartlab',
    ],
    [
      'spoof_detect',
      ['sandbox'],
      `routes.spoof_detect: sandbox decides nothing real, so only a test tenant may use it: take ${live.join(' or ')}, ` +
        'or make a test tenant: npm run admin -- tenant create NAME --test',
    ],
    ['spoof_detect', ['acme'], `routes.spoof_detect: there is no provider acme; take ${live.join(' or ')}`],
    [
      'photo_verify',
      ['constructor'],
      'routes.photo_verify: there is no provider constructor; take builtin or onesmartlab',
    ],
    ['spoof_detect', ['builtin', 'spoofsense', 'builtin'], 'routes.spoof_detect: builtin is named twice'],
  ] as const)('has for %s no route %j', (check, route, mistake) => {
    expect(mistakesIn(routes({ [check]: [...route] }))).toEqual([mistake]);
  });

  it('of a test tenant may name every provider there is', () => {
    expect(mistakesIn(routes({ spoof_detect: [...registry.keys()] }), { livemode: false })).toEqual([]);
  });

  it('is told every mistake at once', () => {
    const mistakes = mistakesIn({
      ...routes({ photo_verify: ['spoofsense', 'sandbox'] }),
      thresholds: { spoofsense: { live: 2, match: 1 } },
    });
    expect(mistakes).toHaveLength(4);
  });

  it('asks its thresholds of the registry, not of names it knows', () => {
    const vendor = { checks: ['spoof_detect' as const], live: true, thresholds: { risk: { from: 10, to: 20 } } };
    const policy = { ...input, routes: { ...input.routes, spoof_detect: ['vendor'] } };
    const known = new Map<string, Routable>([...registry, ['vendor', vendor]]);
    expect(policyMistakes({ ...policy, thresholds: { vendor: { risk: 15 } } }, known, {})).toEqual([]);
    expect(policyMistakes({ ...policy, thresholds: { vendor: { risk: 9 } } }, known, {})).toHaveLength(1);
  });

  it('has no field that no part of the product reads', () => {
    expect(policyInput.safeParse({ ...input, keep_captures: true }).success).toBe(false);
  });
});
