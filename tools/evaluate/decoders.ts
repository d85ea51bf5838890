import { keptDecoders } from '../../engine/photo.ts';

/** The captures are the operator's own: a decoder for each would take most of the time. */
export const decoders = keptDecoders();
