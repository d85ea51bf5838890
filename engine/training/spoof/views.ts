import { decodeImage } from '../../decode.ts';
import type { SpoofingModel } from '../../manifest.ts';
import { type Model, outputOf } from '../../model.ts';
import type { ModelPack } from '../../models.ts';
import { keptDecoders } from '../../photo.ts';
import { type FaceModels, lookAtPerson, type Timed } from '../../selfie.ts';
import { openSightModels, type Sight } from '../../sight.ts';
import { augment } from './augment.ts';
import type { Capture } from './provenance.ts';
import { type Random, recapture, simulatedSpecies } from './recapture.ts';

/** The captures are one's own. */
const decoders = keptDecoders();

/** What a head learns from: the features of one picture, and what it is. */
export interface View {
  readonly label: Capture['label'];
  readonly species: string;
  readonly source: string;
  readonly simulated: boolean;
  /** What the backbone makes of it; its length is that of the backbone's output. */
  readonly features: Float32Array;
}

/** Augmented twins of each capture, simulated attacks aside. */
const twins = 2;

/**
 * The views of one capture, of those that the quality gate takes: as it is, augmented, and, of a bona fide one, one
 * simulated attack of each species. The same capture and random numbers give the same views.
 */
export async function viewsOf(bytes: Uint8Array, capture: Capture, pack: ModelPack, random: Random): Promise<View[]> {
  const { label, species, source } = capture;
  const look = await lookingThrough(pack);
  const views: View[] = [];
  const add = (found: Look, what: Pick<View, 'label' | 'species' | 'simulated'>) => {
    if (found.features) views.push({ ...what, source, features: found.features });
  };
  const captured = await look(bytes);
  add(captured, { label, species, simulated: false });
  if (!captured.seen) return views;
  const { image, faces } = captured.seen;
  for (let twin = 0; twin < twins; twin += 1) {
    add(await look(await augment(image, random)), { label, species, simulated: false });
  }
  if (label === 'attack') return views;
  for (const simulated of simulatedSpecies) {
    const attack = await augment(recapture(image, faces[0], simulated, random), random);
    add(await look(attack), { label: 'attack', species: simulated, simulated: true });
  }
  return views;
}

interface Look {
  readonly seen?: Sight;
  /** Absent where the gate sends the capture back: the model is never asked about it. */
  readonly features?: Float32Array;
}

const untimed: Timed = (_, work) => work();

/** The engine's own eyes, with the backbone in the spoof model's place: what it is shown there is what it will be shown. */
async function lookingThrough(pack: ModelPack): Promise<(bytes: Uint8Array) => Promise<Look>> {
  const { spoofing } = pack.manifest;
  const [contract] = spoofing.models as [SpoofingModel];
  const backbone = await pack.open(contract);
  let features: Float32Array | undefined;
  const listening: Model<SpoofingModel> = {
    contract,
    run: async (paint) => {
      const outputs = await backbone.run(paint);
      // The first look is at the capture as it is; noisy ones are looked at again, smoothed.
      features ??= outputOf(outputs, contract.outputs.classes);
      return outputs;
    },
  };
  const models: FaceModels = { ...(await openSightModels(pack)), spoofModels: [listening] };
  return async (bytes) => {
    const decoded = await decodeImage(bytes, { decoders });
    if (decoded.kind !== 'decoded') return {};
    features = undefined;
    const { seen, live } = await lookAtPerson(decoded.capture, models, untimed, { compared: false, photo: false });
    return { seen, ...(live !== undefined && { features }) };
  };
}
