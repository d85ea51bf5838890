import { createHash } from 'node:crypto';
import type { Engine } from '../../engine/engine.ts';
import type { Check } from '../../shared/domain/captures.ts';
import type { FaultCode } from '../../shared/domain/fault.ts';
import { builtinProvider } from '../../shared/providers/builtin/provider.ts';
import { connectors } from '../../shared/providers/connect.ts';
import type { Capabilities, Provider, Submission } from '../../shared/providers/provider.ts';
import { registry } from '../../shared/providers/registry.ts';
import { faceOnScreen, landscape, portrait } from '../../tools/samples.ts';
import { vendor } from '../../tools/vendor-simulator/behaviour.ts';
import type { VendorSimulator } from '../../tools/vendor-simulator/server.ts';
import { credentialsOf } from './credentials.ts';
import { jpeg, submissionOf } from './submission.ts';

/** The captures every provider is shown. */
export const faces = ['genuine', 'spoof', 'no_face', 'face_too_small'] as const;
export type Face = (typeof faces)[number];

/** `passed`, `failed: reason`, `recapture: reason`, or the fault where the vendor has no such answer. */
export type Expected = string | { fault: FaultCode };

const documented: Readonly<Record<Face, string>> = {
  genuine: 'passed',
  spoof: 'failed: presentation_attack_suspected',
  no_face: 'recapture: face_not_detected',
  face_too_small: 'recapture: face_too_small',
};

/** What a vendor's document has no answer for comes as an error of its own: then the next provider is asked. */
const undocumented: Readonly<Record<string, Partial<Record<Face, Expected>>>> = {
  identify: { no_face: { fault: 'provider_refused' }, face_too_small: { fault: 'provider_refused' } },
  onesmartlab: { face_too_small: { fault: 'provider_refused' } },
};

/** What a provider's vendor says of a face. */
export const expectedOf = (name: string, face: Face): Expected => undocumented[name]?.[face] ?? documented[face];

export interface World {
  readonly simulator: VendorSimulator;
  readonly engine: () => Promise<Engine>;
  readonly linkTo: (bytes: Uint8Array) => string;
}

export interface Changes {
  readonly timeoutSeconds?: number;
  readonly baseUrl?: string;
  readonly key?: string;
}

export interface Participant extends Capabilities {
  readonly expected: (face: Face) => Expected;
  readonly connect: (world: World, changes?: Changes) => Provider;
  /** A submission of this face, which the provider's other side will recognise. */
  readonly show: (face: Face, check: Check, world: World) => Promise<Submission>;
}

/** Every provider there is: a new vendor only has to be in the registry and in the simulator. */
export const participants: readonly Participant[] = [...registry.values()].map((capabilities) => ({
  ...capabilities,
  expected: (face) => expectedOf(capabilities.name, face),
  connect: (world, changes = {}) => connect(capabilities.name, world, changes),
  show: (face, check, world) => show(capabilities.name, face, check, world),
}));

function connect(name: string, { simulator, engine }: World, { timeoutSeconds, baseUrl, key }: Changes): Provider {
  if (name === 'builtin') return builtinProvider(engine);
  const connector = connectors.get(name);
  if (!connector) throw new Error(`${name} is in the registry, but nothing connects it`);
  const settings = { baseUrl: baseUrl ?? baseUrlOf(name, simulator), timeoutSeconds };
  return connector.connect(
    { settings: registry.get(name)?.remote ? settings : {}, credentials: credentialsOf(name, key ?? simulator.key) },
    { fetch: (url, init) => fetch(url, init), sleep: async () => undefined },
  );
}

const baseUrlOf = (name: string, { baseUrls }: VendorSimulator): string | undefined => {
  const simulated = vendor.safeParse(name);
  return simulated.success ? baseUrls[simulated.data] : undefined;
};

async function show(
  name: string,
  face: Face,
  check: Check,
  { simulator, linkTo }: Pick<World, 'simulator' | 'linkTo'>,
): Promise<Submission> {
  const selfie = name === 'builtin' ? await photographs[face]() : jpeg(face);
  simulator.knows(createHash('sha256').update(selfie).digest('hex'), face);
  const sourceId = name === 'sandbox' ? { sourceId: magic[face] } : {};
  return submissionOf(check, { selfie }, { linkCapture: async () => linkTo(selfie), ...sourceId });
}

const photographs: Readonly<Record<Face, () => Promise<Uint8Array>>> = {
  genuine: () => portrait(),
  spoof: faceOnScreen,
  no_face: landscape,
  face_too_small: () => portrait(512),
};

const magic: Readonly<Record<Face, string>> = {
  genuine: 'order-1.sandbox-passed',
  spoof: 'order-1.sandbox-failed',
  no_face: 'order-1.sandbox-recapture-face_not_detected',
  face_too_small: 'order-1.sandbox-recapture-face_too_small',
};
