import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { capturesOf, check, typesOf } from '../../shared/domain/captures.ts';
import { Fault, faults } from '../../shared/domain/fault.ts';
import { readReference } from '../../shared/domain/reference.ts';
import { finding } from '../../shared/domain/verdict.ts';
import { deliveries } from '../../shared/providers/deliveries.ts';
import { greyPicture } from '../../shared/providers/grey-picture.ts';
import type { Provider, Submission } from '../../shared/providers/provider.ts';
import { type Fault as VendorFault, vendor } from '../../tools/vendor-simulator/behaviour.ts';
import { startVendorSimulator } from '../../tools/vendor-simulator/server.ts';
import { shippedEngine } from '../engine/engine.ts';
import { type Expected, faces, participants, type World } from './participants.ts';
import { jpeg, referenceSecret, startOurSide, submissionOf, verificationId } from './submission.ts';
import { transport } from './transport.ts';

let world: World;
let ours: Awaited<ReturnType<typeof startOurSide>>;

beforeAll(async () => {
  ours = await startOurSide();
  const simulator = await startVendorSimulator({ webhooks: { contract: `${ours.url}/webhooks/contract` } });
  const engine = shippedEngine();
  world = { simulator, engine: () => engine, linkTo: ours.serve };
});

afterAll(async () => {
  await world.simulator.stop();
  await ours.stop();
});

beforeEach(() => {
  world.simulator.reset();
  ours.posts.length = 0;
});

/** What a submission comes to in the end, whichever way it is answered. */
async function outcomeOf(provider: Provider, submission: Submission): Promise<Expected> {
  try {
    const answer = await provider.submit(submission);
    if (answer.kind === 'decided') return outcomeText(answer);
    await world.simulator.settled();
    const delivered = deliveries.get(provider.name)?.(ours.posts.at(-1)?.text ?? '');
    if (!delivered) throw new Error(`${provider.name} accepted, and no webhook was understood`);
    expect(readReference(referenceSecret, delivered.reference)).toEqual({ verificationId, attempt: 1 });
    return delivered.answer.kind === 'fault' ? { fault: delivered.answer.code } : outcomeText(delivered.answer);
  } catch (error) {
    if (error instanceof Fault) return { fault: error.code };
    throw error;
  }
}

function outcomeText(answer: { finding: unknown }): string {
  const { outcome, reasons } = finding.parse(answer.finding);
  return reasons.length === 0 ? outcome : `${outcome}: ${reasons.join(', ')}`;
}

async function faultOf(provider: Provider, submission: Submission): Promise<Fault> {
  const error = await provider.submit(submission).then(
    (answer) => new Error(`answered ${JSON.stringify(answer)}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Fault)) throw error;
  return error;
}

const all = participants.map((participant) => [participant.name, participant] as const);

describe.each(all)('%s', (_, participant) => {
  it('declares what it can do in terms of the captures its checks need', () => {
    expect(participant.checks.length).toBeGreaterThan(0);
    for (const one of participant.checks) {
      expect(participant.timeoutSeconds[one]).toBeGreaterThan(0);
      for (const capture of capturesOf[one]) {
        const accepted = participant.accepts[capture] ?? [];
        expect(accepted.length).toBeGreaterThan(0);
        expect(typesOf[capture]).toEqual(expect.arrayContaining([...accepted]));
      }
    }
  });

  it.each(faces)('answers a capture that is %s', async (face) => {
    const submission = await participant.show(face, 'spoof_detect', world);
    expect(await outcomeOf(participant.connect(world), submission)).toEqual(participant.expected(face));
  });

  it('can be set no threshold it does not read, and reads none that cannot be set', async () => {
    const reading = new Set<string>();
    const thresholds = new Proxy<Record<string, number>>(
      {},
      {
        get: (_target, name) => void reading.add(String(name)),
      },
    );
    for (const one of participant.checks) {
      const shown = await participant.show('genuine', one, world);
      await outcomeOf(participant.connect(world), { ...shown, thresholds });
    }
    if (participant.remote) expect([...reading].toSorted()).toEqual(Object.keys(participant.thresholds).toSorted());
    for (const name of reading) expect(Object.keys(participant.thresholds)).toContain(name);
  });

  it('refuses the checks it did not declare, without a call', async () => {
    for (const one of check.options.filter((option) => !participant.checks.includes(option))) {
      expect((await faultOf(participant.connect(world), submissionOf(one))).code).toBe('provider_refused');
    }
    expect(world.simulator.received()).toEqual([]);
  });
});

describe.each(all.filter(([name]) => name !== 'sandbox'))('%s, which looks at captures', (_, participant) => {
  it('lets a capture that is gone be what it is', async () => {
    const gone = () => Promise.reject(new Fault('capture_missing', 'gone'));
    const submission = submissionOf('spoof_detect', {}, { openCapture: gone, streamCapture: gone, linkCapture: gone });
    expect((await faultOf(participant.connect(world), submission)).code).toBe('capture_missing');
  });
});

/** Time of tests: how long a provider is waited for is a setting. */
const impatient = { timeoutSeconds: 0.4 };
const slow: readonly (VendorFault | undefined)[] = ['hang', 'slow_body'];

const remote = participants
  .filter((participant) => participant.remote)
  .flatMap((participant) => participant.checks.map((one) => [participant.name, one, participant] as const));

describe.each(remote)('%s, which is remote, at %s', (name, one, participant) => {
  const submission = () =>
    submissionOf(one, {}, { linkCapture: async () => ours.serve(jpeg()), reference: async () => 'reference-of-ours' });

  it.each(transport)('faults where the vendor %s', async (_what, behaviour, code) => {
    world.simulator.script(vendor.parse(name), [behaviour]);
    const timesOut = behaviour.latencyMilliseconds !== undefined || slow.includes(behaviour.fault);
    const fault = await faultOf(participant.connect(world, timesOut ? impatient : {}), submission());
    expect(fault.code).toBe(code);
    expect(faults[code].attempt).toBeDefined();
    expectDiscreet(fault);
    expect(world.simulator.received()).toHaveLength(1); // calling again is not an adapter's business
    expect(world.simulator.redirected()).toBe(0);
  });

  it('faults where no server listens', async () => {
    const fault = await faultOf(participant.connect(world, { baseUrl: await deadAddress() }), submission());
    expect(fault.code).toBe('provider_unreachable');
    expectDiscreet(fault);
  });

  it('faults where its key is not taken, and does not tell the key', async () => {
    const fault = await faultOf(participant.connect(world, { key: 'a-key-that-is-wrong' }), submission());
    expect(fault.code).toBe('provider_unauthorized');
    expectDiscreet(fault);
  });

  it('sends the vendor exactly the bytes of the captures', async () => {
    const selfie = jpeg('exactly this');
    const sent = submissionOf(one, { selfie }, { linkCapture: async () => ours.serve(selfie) });
    await participant.connect(world).submit(sent);
    await world.simulator.settled();
    const [received] = world.simulator.received();
    const expected = await Promise.all(
      capturesOf[one].map(async (capture) => {
        const opened = await sent.openCapture(capture);
        return opened.kind === 'bytes' ? sha256Of(opened.bytes) : undefined;
      }),
    );
    expect(
      Object.values(received?.captures ?? {})
        .map(({ sha256 }) => sha256)
        .toSorted(),
    ).toEqual(expected.toSorted());
  });
});

const withCredentials = participants
  .filter((participant) => participant.remote)
  .map((participant) => [participant.name, participant] as const);

describe.each(withCredentials)('%s, which has credentials,', (name, participant) => {
  it('can be asked with one call and no capture whether its key is taken', async () => {
    const { probe } = participant.connect(world);
    expect(probe?.costs).toMatch(/^It is sent /);
    await probe?.run();
    await world.simulator.settled();
    const [received, ...others] = world.simulator.received();
    expect(others).toEqual([]);
    expect(received).toMatchObject({ authentic: true });
    const pictures = Object.values(received?.captures ?? {}).map(({ sha256 }) => sha256);
    expect(pictures.filter((sha256) => sha256 !== sha256Of(greyPicture()))).toEqual([]);
    expect(ours.posts).toEqual([]);
  });

  it('says by the same faults why its key is not known to be taken', async () => {
    const probing = async (connected: Provider) => {
      const thrown: unknown = await connected.probe?.run().catch((error: unknown) => error);
      if (!(thrown instanceof Fault)) throw new Error(`${name} took it`);
      expectDiscreet(thrown);
      return thrown.code;
    };
    expect(await probing(participant.connect(world, { key: 'a-key-that-is-wrong' }))).toBe('provider_unauthorized');
    expect(await probing(participant.connect(world, { baseUrl: await deadAddress() }))).toBe('provider_unreachable');
    for (const [, behaviour, code] of transport.filter(([, { fault }]) => fault && !slow.includes(fault))) {
      world.simulator.script(vendor.parse(name), [behaviour]);
      expect(await probing(participant.connect(world)), behaviour.fault).toBe(code);
    }
  });
});

/** No key, URL, signature, reference or word of the vendor's in what reaches logs and callers. */
function expectDiscreet(fault: Fault): void {
  expect(fault.cause).toBeUndefined();
  const ourSecrets = [world.simulator.key, 'a-key-that-is-wrong', '127.0.0.1', 'signature', 'reference-of-ours'];
  for (const word of [...ourSecrets, 'nginx', 'Forbidden', 'hello']) expect(fault.message).not.toContain(word);
}

const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A port that no server listens on any more. */
async function deadAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}`;
}

it('takes every provider through the suite', () => {
  const names = participants.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['builtin', 'identify', 'spoofsense', 'onesmartlab', 'sandbox']));
});

it('knows how the webhook of every provider is read that answers by one', () => {
  const answering = participants.filter(({ answersBy }) => answersBy === 'webhook');
  expect([...deliveries.keys()]).toEqual(answering.map(({ name }) => name));
});
