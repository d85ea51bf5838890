import * as fc from 'fast-check';
import * as z from 'zod';
import { jsonObject, readJson, sameJson } from './json.ts';
import type { ServedApi } from './served-api.ts';

export interface Call {
  readonly method: string;
  readonly path: string;
  /** JSON text, or a value to write as JSON. */
  readonly body?: unknown;
  /** The tenant's key unless said otherwise. */
  readonly headers?: Record<string, string>;
}

let sources = 0;
export const selfie = { selfie: { content_type: 'image/jpeg' } };
export const good = () => ({ source_id: `property-${++sources}`, check: 'spoof_detect', captures: selfie });
export const problem = z.object({ errors: z.array(z.object({ field: z.string() })) });
const view = z.object({ metadata: z.unknown() });
const largestBodyBytes = 16 * 1024;

/** Calls of an API that is served in this process. */
export function callsOf(api: ServedApi) {
  async function send({ method, path, body, headers = { 'x-api-key': api.apiKey } }: Call) {
    const answer = await fetch(api.url + path, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { status: answer.status, text: await answer.text() };
  }

  /** `kept`, `refused`, or what was wrong with the answer. `metadata` is JSON text and sent as it is. */
  async function outcomeOf(metadata: string): Promise<string> {
    const request = good();
    const body = `${JSON.stringify(request).slice(0, -1)},"metadata":${metadata}}`;
    const created = await send({ method: 'POST', path: '/verifications', body });
    if (created.status === 413 && Buffer.byteLength(body) > largestBodyBytes) return 'refused';
    if (created.status === 422) {
      const fields = problem.parse(JSON.parse(created.text)).errors.map(({ field }) => field);
      return fields.length > 0 && fields.every((field) => /^\/?metadata\b/.test(field))
        ? 'refused'
        : `names ${fields.join(', ')}`;
    }
    if (created.status !== 201) return `POST is answered ${created.status}: ${created.text}`;
    const read = await send({ method: 'GET', path: `/verifications/${request.source_id}` });
    if (read.status !== 200) return `GET is answered ${read.status}: ${read.text}`;
    return sameJson(view.parse(readJson(read.text)).metadata, readJson(metadata))
      ? 'kept'
      : `comes back in ${read.text}`;
  }

  /** How many of so many random objects were kept, how many refused, and how many values were in them. */
  async function manyMetadata(runs: number) {
    const counts = { kept: 0, refused: 0, values: 0 };
    await fc.assert(
      fc.asyncProperty(jsonObject, async (metadata) => {
        const outcome = await outcomeOf(metadata);
        if (outcome !== 'kept' && outcome !== 'refused') throw new Error(outcome);
        counts[outcome] += 1;
        counts.values += Object.keys(JSON.parse(metadata)).length;
      }),
      { numRuns: runs, seed: 1 },
    );
    return counts;
  }

  return { send, outcomeOf, manyMetadata };
}
