import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { type Verification, verification } from '../../../shared/domain/verification.ts';
import { rowOf } from '../../../shared/stores/verifications.ts';
import { idOf } from '../../builders/deployment.ts';
import { recordOfEachState } from '../records.ts';
import { type Crossing, each, startCrossing, theirSchema, type Version, versions } from '../releases.ts';
import { changeIn } from '../stream.ts';
import { makeTenant } from '../tenants.ts';
import { actorOf, mayAsk, takingTurns, type Variant, variantsOf } from '../variants.ts';
import { invented, inventedIn, withWord } from '../words.ts';

/*
 * Records of every state, with every word of ours in every place, and one that no version knows for those that read what
 * later ones wrote: read, listed, worked on, announced and erased by the functions of either release.
 */

interface Stored extends Variant<Verification> {
  readonly sourceId: string;
  readonly key: string;
  /** A word that decides, and that no version knows: it is shown, and no version acts on it. */
  readonly isUndecidable: boolean;
}

let crossing: Crossing;
let stored: Stored[];
/** Of what both releases know, and of what only a tolerant one is asked. */
let keys: { readonly known: string; readonly later: string };
/** Each that was worked on: the row before and after. */
const worked: { readonly one: Stored; readonly index: number; readonly change: object }[] = [];

beforeAll(async () => {
  crossing = await startCrossing();
  keys = { known: await makeTenant(crossing, { id: 'known' }), later: await makeTenant(crossing, { id: 'later' }) };
  const theirs = await theirSchema(crossing, 'shared/domain/verification.ts', 'verification');
  const records = await recordOfEachState({ tenant: 'known', idOf, sourceIdOf: (state) => state, now: new Date() });
  const variants = records.flatMap((record) => {
    const asked = { ...record, ...(record.state === 'queued' && { provider: 'sandbox' }) };
    return [...variantsOf(record.state, asked, { ours: verification, theirs }), ...ofUnions(asked)];
  });
  stored = takingTurns(variants).map((variant, index) => {
    const sourceId = `crossing-${index}`;
    const tenant = variant.isNew ? 'later' : 'known';
    const own = { tenant, verificationId: idOf(sourceId, tenant), ...('sourceId' in variant.row && { sourceId }) };
    const isUndecidable =
      variant.isInvented && variant.place !== 'fields' && !/^(history|attempts|verdict|fault)/.test(variant.place);
    return { ...variant, row: { ...variant.row, ...own }, sourceId, key: keys[tenant], isUndecidable };
  });
  await each(stored, ({ row }) => crossing.write('verifications', rowOf(row)));
  for (const key of Object.values(keys)) await crossing.call('current', { key }, '/events'); // they are kept from now on
  console.log(`${stored.length} records, crossed with ${crossing.last.commit}`);
});
afterAll(() => crossing?.end());

/** Words that say which of several shapes a part has stand in no place of their own. */
function* ofUnions(record: Verification): Generator<Variant<Verification>> {
  const paths = [['state'], ...('handOff' in record ? [['handOff', 'state']] : [])];
  for (const path of paths) {
    const place = path.join('.');
    const what = `${record.state} ${place} ${invented}`;
    yield { what, row: withWord(record, path, invented), place, word: invented, isInvented: true, isNew: true };
  }
}

const rowNow = ({ row }: Stored) => crossing.read('verifications', { verificationId: row.verificationId });

/** Every record is read by its source_id, with its history, and is in a list; its word is passed on as it is. */
async function refusedBy(version: Version, wanted: readonly Stored[] = stored): Promise<string[]> {
  const refused: string[] = [];
  const asked = wanted.filter((one) => mayAsk(crossing, version, one));
  await each(asked, async ({ sourceId, key, what, word, place, isInvented, row }) => {
    const whole = await crossing.call(version, { key }, `/verifications/${sourceId}`);
    const history = place.startsWith('history')
      ? await crossing.call(version, { key }, `/verifications/${sourceId}/history`)
      : { status: 200, text: '' };
    if (whole.status !== 200 || history.status !== 200) refused.push(`${what}: ${whole.status} ${history.status}`);
    const isErased = row.state === 'erased' || whole.text.includes('"erased"');
    const isShown = /^(verdict|fault|attempts|history)/.test(place) && !isErased;
    if (isInvented && isShown && !`${whole.text}${history.text}`.includes(word)) refused.push(`${what}: not passed on`);
  });
  for (const key of crossing.isTolerant(version) ? [keys.known, keys.later] : [keys.known]) {
    for (let cursor: string | null = ''; cursor !== null; ) {
      const path = `/verifications?state=all&limit=100${cursor && `&cursor=${cursor}`}`;
      const page = await crossing.call(version, { key }, path);
      if (page.status !== 200) return [...refused, `list: ${page.status} ${page.text}`];
      cursor = z.object({ next_cursor: z.string().nullable() }).parse(JSON.parse(page.text)).next_cursor;
    }
  }
  return refused;
}

/** What can be done to a record in its state without a capture: whether a version did it, or left it alone. */
async function workOn(version: Version, { row, sourceId, key }: Stored): Promise<boolean | undefined> {
  const post = async (path: string, body?: object) => {
    const { status, text } = await crossing.call(version, { key }, `/verifications/${sourceId}/${path}`, body, 'POST');
    if (status >= 300 && status !== 503) throw new Error(`${sourceId}: ${path} was answered ${status} ${text}`);
    return status < 300;
  };
  const { verificationId: verification_id, sequence } = row;
  if (row.state === 'awaiting_captures') return post('hand-off');
  if (row.state === 'queued') {
    return crossing.take(version, 'dispatch-verification', JSON.stringify({ verification_id, sequence }));
  }
  if (row.state === 'decided') {
    return post('review', { sequence, outcome: 'passed', reason: 'looked', reviewer: 'crossing' });
  }
  return undefined;
}

describe('what either release stored', () => {
  it.each(versions)('is refused nowhere by the %s one', async (version) => {
    expect(await refusedBy(version)).toEqual([]);
  });

  it('is handed off, decided and reviewed by either without losing a word, a field or a line; what decides and is unknown is left alone', async () => {
    const wrong: string[] = [];
    await each(stored, async (one, index) => {
      const { what, isUndecidable } = one;
      const before = await rowNow(one);
      const done = await workOn(actorOf(crossing, one, index, 0), one);
      if (done === undefined) return;
      const after = await rowNow(one);
      if (done === isUndecidable) wrong.push(`${what}: ${done ? 'acted on' : 'left alone'}`);
      if (isUndecidable) return expect(after, what).toEqual(before);
      // A hand-off is a new one each time, and takes the place of the one before.
      const [had, has] = [before, after].map((row) => inventedIn({ ...row, handOff: undefined }));
      if (had !== has) wrong.push(`${what}: lost`);
      const lines = z.array(z.unknown());
      const kept = lines.parse(after.history).slice(0, lines.parse(before.history).length);
      expect(kept, what).toEqual(before.history);
      worked.push({ one, index, change: changeIn(before, after) });
    });
    expect(wrong).toEqual([]);
  });

  it.each(versions)('is refused nowhere by the %s one after that', async (version) => {
    const changed = worked.map(({ one }) => one);
    expect(await refusedBy(version, changed)).toEqual([]);
  });

  it('is announced by the release that did not work on it, and the events are read by either', async () => {
    const failed: string[] = [];
    await each(worked, async ({ one, index, change }) => {
      const Records = [change];
      const answer = await crossing.invoke(actorOf(crossing, one, index, 1), 'announce-event', { Records });
      if (JSON.stringify(answer) !== '{"batchItemFailures":[]}') failed.push(one.what);
    });
    expect(failed).toEqual([]);
    for (const version of versions) {
      for (const type of ['verification.decided', 'verification.superseded']) {
        const { status, text } = await crossing.call(version, { key: keys.known }, `/events?types=${type}`);
        expect(status, text).toBe(200);
        expect(text).toContain(`"${type}"`);
      }
    }
  });

  it('is erased by either, and nothing of it is left', async () => {
    const left: string[] = [];
    await each(stored, async (one, index) => {
      const { what, place, key, sourceId, isInvented, row } = one;
      const path = `/verifications/${sourceId}`;
      const { status } = await crossing.call(actorOf(crossing, one, index, 1), { key }, path, undefined, 'DELETE');
      const isErased = !(isInvented && /^(state|credit)$/.test(place));
      if (status !== (isErased ? 200 : 503)) left.push(`${what}: ${status}`);
      const kept = place === 'check' || row.state === 'erased'; // a tombstone says what was checked
      if (isErased && !kept && inventedIn(await rowNow(one)) > 0) left.push(`${what}: left`);
    });
    expect(left).toEqual([]);
  });

  it.each(versions)('is refused nowhere by the %s one once it is erased', async (version) => {
    const some = stored.filter((_, index) => index % 5 === 0); // a tombstone keeps nothing of most words
    expect(await refusedBy(version, some)).toEqual([]);
  });
});
