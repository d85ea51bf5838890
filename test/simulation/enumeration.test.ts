import { afterAll, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../shared/domain/endpoint.ts';
import { checkReceipt, receiptKeyOf } from '../../shared/domain/receipt.ts';
import type { Ordered } from '../../shared/lifecycle/order.ts';
import { receiptSecret } from '../builders/deployment.ts';
import { awaits, type Decide, delivery, outside, type Process, type Side, start } from './processes.ts';
import { drain, type Script, type ScriptedWorld, scriptedWorld, violations } from './scripted.ts';
import { busy, gone, image, kindStrangers, nothing, received, type Strangers, silent } from './strangers.ts';

/** Every await a process has stood at, on either side, in this run of the tests. */
const reached = new Map<string, Set<Side>>();

/** Where a process is stopped, once or at every place of the name, and how. */
interface Stop {
  /** The n-th stop of the process (each await has two), or the side after the await whose text has this. */
  readonly at: number | { readonly after: string };
  readonly how: 'kill' | 'stall';
}

/** Nothing but the one stop, where there is one. */
function stopping(stop?: Stop): Decide {
  let stops = 0;
  return (_, place, side) => {
    if (place === outside) return 'on';
    reached.set(place, (reached.get(place) ?? new Set()).add(side));
    const number = stops;
    stops += 1;
    const at = stop?.at;
    const here = typeof at === 'object' ? side === 'after' && place.includes(at.after) : at === number;
    if (!here) return 'on';
    return stop?.how === 'kill' ? 'die' : 'stand';
  };
}

/** Awaits that reach outside the process; the others only wait for one of these, and add no order of their own. Of webhooks, what is written alone: a read goes with the write before it. */
const effects =
  /await (\w+\.)*((verifications|captures|sightings|breakers|uploads|opened|orders|fetcher|dependencies)\.|(put|send|post)\(|endpoints\.change|deliveries\.(begin|go)|keptEvents\.(keep|empty|noLonger)|webhooks\.send)/;

/** Stands before every effect, and before it begins. */
function stepping(): Decide {
  const passing = stopping();
  return (process, place, side) => {
    passing(process, place, side);
    return side === 'before' && (place === delivery || effects.test(place)) ? 'stand' : 'on';
  };
}

/** One thing that happens; `all` stands for delivering everything that waits by then. */
interface Action {
  readonly name: string;
  readonly does: (at: ScriptedWorld) => unknown;
}

const client = (
  name: 'request' | 'requestBefore' | 'reopen' | 'handOff' | 'claim' | 'takeBack' | 'retry' | 'erase' | 'wait',
): Action => ({ name, does: (at) => at[name]() });
const request = client('request');
const requestBefore = client('requestBefore');
const reopen = client('reopen');
const handOff = client('handOff');
const claim = client('claim');
/** With a code that was claimed, ended, followed by another one, or is too old: the n-th, or the last. */
const deadClaim = (choose: number): Action => ({
  name: 'claim',
  async does(at) {
    const refused = await at.claim(choose).then(
      () => 'taken',
      (error) => error.code,
    );
    if (refused !== 'hand_off_invalid') throw new Error(`The code is ${refused}`);
  },
});
const takeBack = client('takeBack');
const isTakenBack: Action = {
  name: 'look',
  async does(at) {
    const record = await at.read();
    const { state } = (record && 'handOff' in record && record.handOff) || {};
    if (state !== 'taken_back') throw new Error(`The hand-off is ${state}`);
  },
};
const retry = client('retry');
const erase = client('erase');
const wait = client('wait');
/** Erases what was read beforehand: so old a read races more, and leaves fewer orders to play than one that may be younger. */
const eraseRead: Action = { name: 'erase', does: (at) => at.eraseRead() };
const review = (says: 'passed' | 'failed'): Action => ({ name: 'review', does: (at) => at.review(says) });
const serve = (check: 'spoof_detect' | 'photo_verify'): Action => ({ name: 'serve', does: (at) => at.serve(check) });
const order: Action = { name: 'order', does: (at) => at.order() };
/** An order that is refused, for this. */
const refusedOrder = (because: 'credits' | 'payload', ...given: Parameters<ScriptedWorld['order']>): Action => ({
  name: 'order',
  async does(at) {
    const refused: Ordered = await at.order(...given);
    if (refused.kind !== 'refused' || refused.because !== because) throw new Error(JSON.stringify(refused));
  },
});
/** Taken a second time, it costs nothing. */
const sameOrder = (creditsLeft: number): Action => ({
  name: 'order',
  async does(at) {
    const again = await at.order();
    if (again.kind !== 'accepted' || again.creditsLeft !== creditsLeft) throw new Error(JSON.stringify(again));
  },
});
/** No image is ever there. */
const noImage: Strangers = { ...kindStrangers, get: () => nothing };
const requestVideo: Action = { name: 'request', does: (at) => at.request('video_verify') };
const requestPhotos: Action = { name: 'request', does: (at) => at.request('photo_verify') };
/** The receipt, as soon as there is one: killed or refused, it is asked for again. */
const receipt: Action = { name: 'receipt', does: (at) => at.receipt() };
const sweep: Action = { name: 'sweep', does: (at) => at.sweep() };
/** Everything that waits on a queue, and S3's events among it, is lost. */
const lose: Action = { name: 'lose', does: (at) => at.lose() };
const announce: Action = { name: 'announce', does: (at) => at.announce() };
/** Overwrites what is there: each upload is a version of its own. */
const upload = (name: 'selfie' | 'id_card', round = 1): Action => ({
  name: 'upload',
  does: (at) => at.upload(name, round),
});
/** A video that says the n-th digits its client was told in the round; the last where it is not said. */
const video = (says = -1, round = 1): Action => ({
  name: 'upload',
  does: (at) => at.upload('video', round, says),
});
const webhook = (attempt: number, provider: string, says: 'passed' | 'failed' | 'provider_refused'): Action => ({
  name: 'webhook',
  does: (at) => at.webhook(attempt, provider, says),
});
const later = (seconds: number): Action => ({ name: 'later', does: (at) => at.advance(seconds) });
const requestOfSubject = (from: string): Action => ({ name: 'request', does: (at) => at.requestOfSubject(from) });
const uploadFrom = (from: string): Action => ({ name: 'upload', does: (at) => at.uploadFrom(from) });
const refusedOfSubject = (from: string): Action => ({
  name: 'request',
  async does(at) {
    const refused = await at.requestOfSubject(from).then(
      () => 'begun',
      (error) => error.code,
    );
    if (refused !== 'subject_locked') throw new Error(`${from} is ${refused}`);
  },
});
const sweepDeliveries: Action = { name: 'sweep deliveries', does: (at) => at.sweepDeliveries() };
const administer = (index: number, what: 'disable' | 'enable' | 'remove'): Action => ({
  name: what,
  does: (at) => at.hooks.administer(index, what),
});
const replay = (index: number, failedOnly = false): Action => ({
  name: 'replay',
  does: (at) => at.replay(index, failedOnly),
});
const cancelReplay = (index: number): Action => ({ name: 'cancel', does: (at) => at.cancelReplay(index) });
const resend: Action = { name: 'resend', does: (at) => at.resend() };
const readEvents: Action = { name: 'read events', does: (at) => at.readEvents() };
const seeAsOperator: Action = { name: 'see as operator', does: (at) => at.seeAsOperator() };
const seeDeliveries: Action = { name: 'see deliveries', does: (at) => at.seeDeliveries() };
/** What each endpoint answers to its first tries, the last for ever. */
const answering = (...answers: readonly (readonly ReturnType<Strangers['receives']>[])[]): Strangers => {
  const asked = new Map<string, number>();
  const receives: Strangers['receives'] = (endpointId) => {
    const turn = asked.get(endpointId) ?? 0;
    asked.set(endpointId, turn + 1);
    const own = answers['abcdefgh'.indexOf(endpointId.charAt(3))] ?? [];
    return own[Math.min(turn, own.length - 1)] ?? received;
  };
  return { ...kindStrangers, receives };
};
const twoEndpoints: readonly Partial<Endpoint>[] = [
  { body: 'full' },
  { types: ['verification.decided', 'endpoint.disabled'] },
];

/** The longest waiting message is delivered. */
const takeNow: Action = {
  name: 'message',
  async does(at) {
    await at.queue[0]?.verb(); // killed, it stays on the queue
    at.queue.shift();
  },
};

/** A selfie is judged; its moves are announced, so that the queue holds what its endpoints are sent; or are sent again. */
const decided: readonly Action[] = [request, upload('selfie'), takeNow, takeNow];
const toldOf: readonly Action[] = [...decided, announce];
const underReplay: readonly Action[] = [...toldOf, takeNow, takeNow, takeNow, later(90), replay(0)];
/** The image of an order is fetched and judged, and its result is to be posted. */
const orderJudged: readonly Action[] = [order, takeNow, takeNow, takeNow, announce];
/** Everything that waits on a queue is delivered. */
const deliver: Action = { name: 'deliver', does: () => undefined };

interface Story {
  readonly scripts: Record<string, Script>;
  readonly takesNothing?: readonly string[];
  readonly keepCaptures?: boolean;
  readonly legacy?: boolean;
  readonly strangers?: Strangers;
  readonly endpoints?: readonly Partial<Endpoint>[];
  readonly actions: readonly Action[];
  /** How it ends when nothing goes wrong. */
  readonly ends: string;
}

/** The image of an order is stored, and the worker dead before the record knows of it. */
const storedAndDead: Stop = { at: { after: 'storeCapture' }, how: 'kill' };

const stories: Record<string, Story> = {
  'a selfie passes': {
    scripts: { builtin: ['passed'] },
    actions: [request, upload('selfie'), deliver, wait, announce],
    ends: 'decided',
  },
  'two captures land': {
    scripts: { builtin: ['failed'] },
    actions: [requestPhotos, upload('selfie'), upload('id_card'), deliver, announce],
    ends: 'decided',
  },
  'three rounds of recapture': {
    scripts: { builtin: ['recapture'] },
    actions: [1, 2, 3].flatMap((round) => [round === 1 ? request : reopen, upload('selfie', round), deliver, announce]),
    ends: 'decided',
  },
  'a fault, then the second call': {
    scripts: { builtin: ['provider_failed', 'passed'] },
    actions: [request, upload('selfie'), deliver, announce],
    ends: 'decided',
  },
  'failover to the next provider': {
    scripts: { first: ['provider_timed_out'], second: ['passed'] },
    actions: [request, upload('selfie'), deliver, announce],
    ends: 'decided',
  },
  'a provider that does not take the capture is skipped': {
    scripts: { first: ['passed'], second: ['failed'] },
    takesNothing: ['second'],
    actions: [request, upload('selfie'), deliver, announce],
    ends: 'decided',
  },
  'a provider whose breaker is open is skipped, and none is left': {
    scripts: { builtin: ['passed'] },
    actions: [
      request,
      upload('selfie'),
      {
        name: 'open',
        does: (at) => at.openBreaker('builtin'),
      },
      deliver,
      announce,
    ],
    ends: 'errored',
  },
  'refused credentials open the breaker, a later probe closes it': {
    scripts: {
      first: ['provider_unauthorized', 'provider_unauthorized', 'passed'],
      second: ['provider_failed', 'provider_failed', 'provider_failed'],
    },
    actions: [request, upload('selfie'), deliver, later(3600), retry, deliver, announce],
    ends: 'decided',
  },
  'a capture handed over, claimed, handed over again and taken back': {
    scripts: { builtin: ['recapture', 'passed'] },
    actions: [
      request,
      handOff,
      claim,
      handOff,
      deadClaim(0),
      upload('selfie'),
      deliver,
      claim,
      takeBack,
      deadClaim(-1),
      handOff,
      later(600),
      deadClaim(-1),
      takeBack,
      reopen,
      upload('selfie', 2),
      deliver,
      announce,
    ],
    ends: 'decided',
  },
  'a spent route, and a retry': {
    scripts: { builtin: ['provider_failed', 'provider_failed', 'passed'] },
    actions: [request, upload('selfie'), deliver, retry, deliver, announce],
    ends: 'decided',
  },
  'five failures of a subject, and what it asks for then': {
    scripts: { builtin: ['failed'] },
    actions: [
      ...['visit-7', 'visit-8', 'visit-9', 'visit-10', 'visit-11'].flatMap((from) => [
        requestOfSubject(from),
        uploadFrom(from),
        deliver,
      ]),
      later(180), // what a killed worker left undecided is taken over first
      sweep,
      deliver,
      requestOfSubject('visit-7'),
      refusedOfSubject('visit-12'),
      announce,
    ],
    ends: 'decided',
  },
  'a video that says living digits': {
    scripts: { builtin: ['passed'] },
    actions: [requestVideo, later(170), reopen, video(0), upload('id_card'), deliver, announce],
    ends: 'decided',
  },
  'a video stored after its digits had died, and the next round in time': {
    scripts: { builtin: ['passed'] },
    actions: [
      requestVideo,
      later(200),
      video(),
      upload('id_card'),
      deliver,
      reopen,
      video(-1, 2),
      upload('id_card', 2),
      deliver,
      announce,
    ],
    ends: 'decided',
  },
  'dead digits issued anew, and said in time': {
    scripts: { builtin: ['passed'] },
    actions: [requestVideo, later(200), reopen, later(170), video(), upload('id_card'), deliver, announce],
    ends: 'decided',
  },
  'dead digits issued anew while a video that says them is under way': {
    scripts: { builtin: ['passed'] },
    actions: [requestVideo, later(179), video(), later(20), reopen, upload('id_card'), deliver, announce],
    ends: 'decided',
  },
  'a webhook that never comes, then failover': {
    scripts: { first: ['accepted'], second: ['failed'] },
    actions: [request, upload('selfie'), deliver, later(3600), sweep, deliver, announce],
    ends: 'decided',
  },
  'a webhook decides, comes again, and brings an error in the end': {
    scripts: { first: ['accepted'] },
    actions: [
      request,
      upload('selfie'),
      deliver,
      webhook(1, 'first', 'passed'),
      deliver,
      webhook(1, 'first', 'failed'),
      deliver,
      webhook(1, 'first', 'provider_refused'),
      deliver,
      announce,
    ],
    ends: 'decided',
  },
  'a webhook brings an error, the next provider decides, the first one after all': {
    scripts: { first: ['accepted'], second: ['failed'] },
    actions: [
      request,
      upload('selfie'),
      deliver,
      webhook(1, 'first', 'provider_refused'),
      deliver,
      webhook(1, 'first', 'passed'),
      deliver,
      announce,
    ],
    ends: 'decided',
  },
  'a webhook for an erased verification': {
    scripts: { first: ['accepted'] },
    actions: [request, upload('selfie'), deliver, erase, webhook(1, 'first', 'passed'), deliver, announce],
    ends: 'erased',
  },
  'captures that never come': {
    scripts: { builtin: ['passed'] },
    actions: [requestPhotos, upload('selfie'), deliver, later(86_400), sweep, announce],
    ends: 'expired',
  },
  'captures for a retry that never comes go after a day': {
    scripts: { builtin: ['provider_refused'] },
    actions: [request, upload('selfie'), deliver, later(86_400), sweep, announce],
    ends: 'errored',
  },
  'captures that are kept go after a day, those of an earlier round with them': {
    scripts: { builtin: ['recapture', 'passed'] },
    keepCaptures: true,
    actions: [request, upload('selfie'), deliver, reopen, upload('selfie', 2), deliver, later(86_400), sweep, announce],
    ends: 'decided',
  },
  'a next round whose capture never comes, with an earlier one that is kept': {
    scripts: { builtin: ['recapture'] },
    keepCaptures: true,
    actions: [request, upload('selfie'), deliver, reopen, later(86_400), sweep, announce],
    ends: 'expired',
  },
  'a selfie whose event was lost is found, and a late event of it changes nothing': {
    scripts: { builtin: ['passed'] },
    actions: [request, upload('selfie'), later(3600), sweep, deliver, announce],
    ends: 'decided',
  },
  'two captures whose events were lost, one of them there twice': {
    scripts: { builtin: ['failed'] },
    actions: [
      ...[requestPhotos, upload('id_card'), later(10), upload('id_card'), upload('selfie'), lose],
      ...[later(3600), sweep, deliver, announce],
    ],
    ends: 'decided',
  },
  'the event of one of two captures was lost': {
    scripts: { builtin: ['passed'] },
    actions: [
      ...[requestPhotos, upload('selfie'), deliver, upload('id_card'), lose],
      ...[later(3600), sweep, deliver, announce],
    ],
    ends: 'decided',
  },
  'the event of one of two captures was lost, and the other never came': {
    scripts: { builtin: ['passed'] },
    actions: [requestPhotos, upload('selfie'), lose, later(3600), sweep, announce, deliver],
    ends: 'expired',
  },
  'digits said in time, and the events lost': {
    scripts: { builtin: ['passed'] },
    actions: [requestVideo, later(170), video(), upload('id_card'), lose, later(3600), sweep, deliver, announce],
    ends: 'decided',
  },
  'the events of a next round were lost': {
    scripts: { builtin: ['recapture', 'passed'] },
    actions: [
      ...[request, upload('selfie'), deliver, reopen, upload('selfie', 2), lose],
      ...[later(3600), sweep, deliver, announce],
    ],
    ends: 'decided',
  },
  'a lost message': {
    scripts: { builtin: ['passed'] },
    actions: [
      request,
      upload('selfie'),
      {
        name: 'lose',
        does: async (at) => {
          await at.queue[0]?.verb();
          at.queue.shift();
          at.lose();
        },
      },
      later(3600),
      sweep,
      deliver,
      announce,
    ],
    ends: 'decided',
  },
  'a call of a vendor’s API': {
    scripts: { builtin: ['passed'] },
    actions: [serve('photo_verify'), deliver, announce],
    ends: 'decided',
  },
  'a call of a vendor’s API, and no further round': {
    scripts: { builtin: ['recapture'] },
    actions: [
      serve('spoof_detect'),
      deliver,
      {
        name: 'reopen',
        async does(at) {
          const refused = await at.reopen().then(
            () => 'reopened',
            (error) => error.code,
          );
          if (!['state_conflict', 'verification_unknown'].includes(refused)) throw new Error(`It is ${refused}`);
        },
      },
      announce,
    ],
    ends: 'decided',
  },
  'an order': {
    scripts: { builtin: ['passed'] },
    actions: [order, deliver, announce, deliver, sameOrder(0), wait],
    ends: 'decided',
  },
  'an order whose captures are kept': {
    scripts: { builtin: ['passed'] },
    keepCaptures: true,
    actions: [order, deliver, announce, deliver, later(86_400), sweep],
    ends: 'decided',
  },
  'orders that are refused': {
    scripts: { builtin: ['passed'] },
    actions: [
      refusedOrder('payload', 'visit-7', undefined, 'unknown'),
      order,
      refusedOrder('credits', 'visit-8'),
      refusedOrder('credits', 'visit-7', 'https://images.example/another'),
      refusedOrder('credits', 'visit-9', undefined, 'unknown'),
      deliver,
      announce,
    ],
    ends: 'decided',
  },
  'an order that was refunded, and other orders': {
    scripts: { builtin: ['provider_refused'] },
    actions: [
      order,
      deliver,
      announce,
      deliver,
      order,
      { name: 'order', does: (at) => at.order('visit-7', 'https://images.example/another') },
    ],
    ends: 'errored',
  },
  'an order whose result is not handed on for a day, which the sweep then does': {
    scripts: { builtin: ['provider_refused'] },
    actions: [order, deliver, later(86_400), sweep, deliver, announce],
    ends: 'errored',
  },
  'an order whose image is there at the third try': {
    scripts: { builtin: ['recapture'] },
    get strangers() {
      let tries = 0;
      return { ...kindStrangers, get: () => (++tries % 3 === 0 ? image : nothing) };
    },
    actions: [order, deliver, announce, deliver],
    ends: 'decided',
  },
  'an order whose image is never there': {
    scripts: { builtin: ['passed'] },
    strangers: noImage,
    actions: [order, deliver, announce, deliver],
    ends: 'expired',
  },
  'an order whose link leads to no image': {
    scripts: { builtin: ['passed'] },
    strangers: { ...kindStrangers, get: () => ({ kind: 'fetched', bytes: new Uint8Array(9) }) },
    actions: [order, deliver, announce, deliver],
    ends: 'expired',
  },
  'an order whose message is lost': {
    scripts: { builtin: ['passed'] },
    actions: [order, lose, later(180), sweep, deliver, announce],
    ends: 'decided',
  },
  'an order whose messages are all lost': {
    scripts: { builtin: ['passed'] },
    actions: [order, lose, later(3600), sweep, announce, deliver],
    ends: 'expired',
  },
  'an order whose webhook takes the result at the third try': {
    scripts: { builtin: ['failed'] },
    get strangers() {
      let tries = 0;
      return { ...kindStrangers, takes: () => ++tries % 3 === 0 };
    },
    actions: [order, deliver, announce, deliver],
    ends: 'decided',
  },
  'an order whose webhook never takes the result': {
    scripts: { builtin: ['passed'] },
    strangers: { ...kindStrangers, takes: () => false },
    actions: [order, deliver, announce, deliver],
    ends: 'decided',
  },
  'an order that is reviewed before its webhook takes the result, which is the first verdict’s': {
    scripts: { builtin: ['failed'] },
    get strangers() {
      let tries = 0;
      return { ...kindStrangers, takes: () => ++tries % 3 === 0 };
    },
    actions: [order, takeNow, takeNow, takeNow, announce, takeNow, review('passed'), deliver, announce, deliver],
    ends: 'decided',
  },
  'a failure that a reviewer lets pass': {
    scripts: { builtin: ['failed'] },
    actions: [request, upload('selfie'), deliver, announce, review('passed'), announce],
    ends: 'decided',
  },
  'a recapture that a reviewer decides, which opens no round': {
    scripts: { builtin: ['recapture'] },
    actions: [
      request,
      upload('selfie'),
      deliver,
      review('failed'),
      {
        name: 'reopen',
        async does(at) {
          const refused = await at.reopen().then(
            () => 'reopened',
            (error) => error.code,
          );
          if (refused !== 'state_conflict') throw new Error(`It is ${refused}`);
        },
      },
      announce,
    ],
    ends: 'decided',
  },
  'an order erased before its image is fetched': {
    scripts: { builtin: ['passed'] },
    actions: [order, erase, deliver, announce, deliver],
    ends: 'erased',
  },
  'an order erased before what is owed of it was handed on, which the sweep does': {
    scripts: { builtin: ['provider_refused'] },
    actions: [order, deliver, erase, later(180), sweep, deliver, later(180), sweep, announce, deliver],
    ends: 'erased',
  },
  'events at two endpoints': {
    scripts: { builtin: ['passed'] },
    endpoints: twoEndpoints,
    actions: [request, upload('selfie'), deliver, announce, deliver],
    ends: 'decided',
  },
  'an event that is taken at the third try': {
    scripts: { builtin: ['passed'] },
    endpoints: [{}],
    get strangers() {
      return answering([busy, nothing, received]);
    },
    actions: [request, upload('selfie'), deliver, announce, deliver, later(60), deliver, later(400), deliver],
    ends: 'decided',
  },
  'an event that is never taken': {
    scripts: { builtin: ['passed'] },
    endpoints: [{ types: ['verification.queued'] }],
    strangers: answering([busy]),
    actions: [request, upload('selfie'), deliver, announce, deliver, later(30 * 3600), sweepDeliveries, deliver],
    ends: 'decided',
  },
  'an endpoint that is silent, then answers': {
    scripts: { builtin: ['passed'] },
    endpoints: [{}],
    get strangers() {
      return answering([silent, silent, received]);
    },
    actions: [
      request,
      upload('selfie'),
      deliver,
      announce,
      deliver,
      ...Array.from({ length: 4 }, () => [later(400), sweepDeliveries, deliver]).flat(),
    ],
    ends: 'decided',
  },
  'an endpoint that is gone, which the other is told': {
    scripts: { builtin: ['passed'] },
    endpoints: twoEndpoints,
    strangers: answering([gone]),
    actions: [request, upload('selfie'), deliver, announce, deliver],
    ends: 'decided',
  },
  'an endpoint that takes nothing for five days, which the other is told': {
    scripts: { builtin: ['passed'] },
    endpoints: twoEndpoints,
    strangers: answering([busy]),
    actions: [
      request,
      announce,
      upload('selfie'),
      takeNow,
      announce,
      deliver,
      later(5 * 86_400),
      sweepDeliveries,
      deliver,
      announce,
      deliver,
    ],
    ends: 'decided',
  },
  'an endpoint that is disabled, enabled again and deleted while events wait': {
    scripts: { builtin: ['passed'] },
    endpoints: [{}, {}],
    get strangers() {
      return answering([busy, received], [busy]);
    },
    actions: [
      request,
      upload('selfie'),
      deliver,
      announce,
      deliver,
      administer(0, 'disable'),
      administer(1, 'remove'),
      later(60),
      deliver,
      administer(0, 'enable'),
      later(400),
      sweepDeliveries,
      deliver,
    ],
    ends: 'decided',
  },
  'an erasure while events wait': {
    scripts: { builtin: ['passed'] },
    endpoints: [{ body: 'full', metadata: true }, { types: ['verification.erased'] }],
    get strangers() {
      return answering([busy, busy, busy, received], [busy, received]);
    },
    actions: [
      request,
      upload('selfie'),
      deliver,
      announce,
      deliver,
      erase,
      announce,
      deliver,
      later(60),
      deliver,
      later(400),
      sweepDeliveries,
      deliver,
    ],
    ends: 'erased',
  },
  'events that are replayed': {
    scripts: { builtin: ['passed'] },
    endpoints: twoEndpoints,
    actions: [
      request,
      upload('selfie'),
      deliver,
      announce,
      deliver,
      later(90),
      replay(0),
      deliver,
      replay(1),
      deliver,
      later(90),
      deliver,
    ],
    ends: 'decided',
  },
  'a replay of what was kept in the last minute, and of what failed': {
    scripts: { builtin: ['passed'] },
    endpoints: [{}],
    get strangers() {
      return answering([received, busy, busy, received]);
    },
    actions: [
      request,
      upload('selfie'),
      deliver,
      announce,
      takeNow,
      takeNow,
      replay(0, true),
      deliver,
      later(90),
      deliver,
    ],
    ends: 'decided',
  },
  'a replay that is cancelled, and the next one': {
    scripts: { builtin: ['passed'] },
    endpoints: [{}],
    actions: [
      request,
      upload('selfie'),
      deliver,
      announce,
      deliver,
      later(90),
      replay(0),
      takeNow,
      cancelReplay(0),
      replay(0),
      deliver,
      later(90),
      deliver,
    ],
    ends: 'decided',
  },
  'a replay to an endpoint that is disabled meanwhile, and enabled again': {
    scripts: { builtin: ['passed'] },
    endpoints: [{}],
    actions: [
      request,
      upload('selfie'),
      deliver,
      announce,
      deliver,
      later(90),
      replay(0),
      administer(0, 'disable'),
      administer(0, 'enable'),
      deliver,
      later(90),
      deliver,
    ],
    ends: 'decided',
  },
  'a replay beside an erasure': {
    scripts: { builtin: ['passed'] },
    endpoints: [{ body: 'full' }],
    actions: [request, upload('selfie'), deliver, announce, later(90), erase, replay(0), takeNow, announce, deliver],
    ends: 'erased',
  },
  'a delivery that is sent again by hand, and what its tenant reads': {
    scripts: { builtin: ['passed'] },
    endpoints: twoEndpoints,
    get strangers() {
      return answering([busy, busy, received]);
    },
    actions: [
      request,
      seeDeliveries,
      upload('selfie'),
      deliver,
      announce,
      deliver,
      resend,
      deliver,
      seeDeliveries,
      later(400),
      deliver,
      resend,
      deliver,
      readEvents,
    ],
    ends: 'decided',
  },
  'a selfie that a reviewer looks at before it is judged': {
    scripts: { builtin: ['passed'] },
    actions: [request, upload('selfie'), deliver, seeAsOperator, deliver],
    ends: 'decided',
  },
  'a result that is sent again by hand while it waits': {
    scripts: { builtin: ['passed'] },
    get strangers() {
      let posts = 0;
      return { ...kindStrangers, takes: () => ++posts > 1 };
    },
    actions: [order, takeNow, takeNow, takeNow, announce, takeNow, seeDeliveries, resend, deliver],
    ends: 'decided',
  },
  'an order that is erased while its result waits': {
    scripts: { builtin: ['passed'] },
    strangers: { ...kindStrangers, takes: () => false },
    actions: [order, takeNow, takeNow, takeNow, announce, takeNow, takeNow, erase, announce, deliver],
    ends: 'erased',
  },
  'an overwrite between event and analysis': {
    scripts: { builtin: ['passed'] },
    actions: [request, upload('selfie'), upload('selfie'), deliver, announce],
    ends: 'decided',
  },
  'erasure while captures are awaited': {
    scripts: { builtin: ['passed'] },
    actions: [request, erase, upload('selfie'), deliver, announce],
    ends: 'erased',
  },
  'erasure of a decided verification, uploads after it': {
    scripts: { builtin: ['recapture'] },
    actions: [
      request,
      upload('selfie'),
      deliver,
      reopen,
      upload('selfie', 2),
      erase,
      deliver,
      upload('selfie', 2),
      deliver,
      announce,
    ],
    ends: 'erased',
  },
  'an erasure, its receipt, an upload after it, and the receipt that lists that too': {
    scripts: { first: ['recapture'] },
    actions: [
      request,
      upload('selfie'),
      deliver,
      reopen,
      upload('selfie', 2),
      erase,
      receipt,
      upload('selfie', 2),
      upload('selfie', 1),
      deliver,
      receipt,
      announce,
    ],
    ends: 'erased',
  },
  'erasure half done, finished by the sweep': {
    scripts: { builtin: ['passed'] },
    actions: [
      request,
      upload('selfie'),
      takeNow,
      {
        name: 'tombstone',
        does: (at) => at.halfErase(),
      },
      later(120),
      sweep,
      deliver,
      announce,
    ],
    ends: 'erased',
  },
  'a record from before ids had a key': {
    scripts: { builtin: ['recapture'] },
    legacy: true,
    actions: [
      requestBefore,
      request,
      upload('selfie'),
      deliver,
      wait,
      reopen,
      request,
      upload('selfie', 2),
      deliver,
      erase,
      announce,
    ],
    ends: 'erased',
  },
  'a source_id that a version from before the key and this one made a record of': {
    scripts: { builtin: ['passed'] },
    legacy: true,
    actions: [request, requestBefore, upload('selfie'), deliver, erase, announce],
    ends: 'erased',
  },
};

type Deliver = (at: ScriptedWorld) => Promise<void>;

const inOrder: Deliver = async (at) => {
  for (let next = at.queue.shift(); next; next = at.queue.shift()) await next.verb();
};
const doubled: Deliver = async (at) => {
  for (let next = at.queue.shift(); next; next = at.queue.shift()) {
    await next.verb();
    await next.verb();
  }
};
/** Every message once more after everything else: as late as a repeat can be. */
const doubledLate: Deliver = async (at) => {
  const delivered: (typeof at.queue)[number][] = [];
  for (let next = at.queue.shift(); next; next = at.queue.shift()) {
    delivered.push(next);
    await next.verb();
  }
  for (const again of delivered) await again.verb();
  await inOrder(at);
};
const reversed: Deliver = async (at) => {
  for (let next = at.queue.pop(); next; next = at.queue.pop()) await next.verb();
};
const together: Deliver = async (at) => {
  while (at.queue.length > 0) await Promise.all(at.queue.splice(0).flatMap((one) => [one.verb(), one.verb()]));
};
const deliveries: Record<string, Deliver> = { inOrder, doubled, doubledLate, reversed, together };

/** What a client may be answered when it asks for something twice, or too late. */
const refusals = ['Fault'];

async function tell(story: Story, delivers: Deliver, twice = false): Promise<ScriptedWorld> {
  const at = scriptedWorld(story);
  for (const { name, does } of story.actions) {
    if (name === 'deliver') await delivers(at);
    else {
      for (let time = 0; time < (twice ? 2 : 1); time += 1) {
        try {
          await does(at);
        } catch (error) {
          if (!(error instanceof Error && refusals.includes(error.name) && (twice || time > 0))) throw error;
        }
      }
    }
  }
  return at;
}

/** What is wrong in the end, the receipt of an erased verification with it. */
async function wrongOf(at: ScriptedWorld): Promise<string[]> {
  const wrong = violations(at);
  const tombstone = await at.read();
  if (tombstone?.state !== 'erased') return wrong;
  const bytes = Buffer.from(JSON.stringify(await at.receipt()));
  const keys = [receiptKeyOf(receiptSecret)];
  if (checkReceipt(bytes, keys).kind !== 'valid') wrong.push('the receipt does not verify');
  const flipped = Math.floor((bytes.length * tombstone.verificationId.charCodeAt(0)) / 256);
  bytes[flipped] = (bytes[flipped] ?? 0) ^ 1;
  if (checkReceipt(bytes, keys).kind === 'valid')
    wrong.push(`the receipt verifies with bit 0 of byte ${flipped} flipped`);
  return wrong;
}

describe.each(Object.entries(stories))('%s', (_, story) => {
  it.each(Object.entries(deliveries))('ends right with deliveries %s', async (how, delivers) => {
    const at = await tell(story, delivers);
    await drain(at);
    expect(await wrongOf(at)).toEqual([]);
    if (how !== 'reversed' || !_.startsWith('an overwrite')) expect((await at.read())?.state).toBe(story.ends);
  });

  it('ends right when the client says everything twice', async () => {
    const at = await tell(story, doubled, true);
    await drain(at);
    expect(await wrongOf(at)).toEqual([]);
  });

  it('survives a kill on either side of every await', async () => {
    // Every verb of the story, in order, as a process; at most one of them is killed in one telling.
    let kills = 0;
    for (let victim = 0; ; victim += 1) {
      let beyond = false;
      for (let stopAt = 0; ; stopAt += 1) {
        const outcome = await tellWithKill(story, victim, { at: stopAt, how: 'kill' });
        if (outcome === 'no such verb') {
          beyond = true;
          break;
        }
        expect(outcome.wrong, `verb ${victim} (${outcome.name}) killed at its stop ${stopAt}`).toEqual([]);
        if (!outcome.killed) break;
        kills += 1;
      }
      if (beyond) break;
    }
    expect(kills).toBeGreaterThan(5);
  });
});

/** A verb may refuse with a Fault; anything else it throws is a bug. */
function refuseBugs({ failure }: Process): void {
  if (failure && !(failure instanceof Error && failure.name === 'Fault')) throw failure;
}

/** Tells the story with its n-th verb killed at one stop: what was being delivered comes again, a client asks again. */
async function tellWithKill(story: Story, victim: number, stop: Stop) {
  const at = scriptedWorld(story);
  let verbs = 0;
  let killed = false;
  let victimName = '';
  const survives = async (name: string, does: () => unknown): Promise<boolean> => {
    const mine = verbs === victim;
    verbs += 1;
    if (mine) victimName = name;
    const process = await start(name, async () => does(), stopping(mine ? stop : undefined));
    refuseBugs(process);
    if (process.killed) killed = true;
    return !process.killed;
  };
  for (const action of story.actions) {
    if (action.name === 'deliver') {
      for (let next = at.queue.shift(); next; next = at.queue.shift()) {
        if (!(await survives(next.name, next.verb))) at.queue.push(next);
      }
    } else if (!(await survives(action.name, () => action.does(at)))) {
      await survives(action.name, () => action.does(at)); // the client, the schedule or the stream asks again
    }
  }
  if (victim >= verbs) return 'no such verb' as const;
  await drain(at);
  return { killed, name: victimName, wrong: await wrongOf(at) };
}

describe('two at the same time, in every order of their steps', () => {
  interface Pair {
    readonly scripts: Record<string, Script>;
    readonly strangers?: Strangers;
    readonly endpoints?: readonly Partial<Endpoint>[];
    readonly before: readonly Action[];
    readonly one: Action;
    readonly two: Action;
    /** What happens when both have ended. */
    readonly after?: readonly Action[];
    /** How many there are at least: fewer, and an effect is no longer seen as one (`effects`). */
    readonly orders: number;
  }
  const pairs: Record<string, Pair> = {
    'the same landing twice': {
      scripts: { builtin: ['passed'] },
      before: [request, upload('selfie')],
      one: take(0),
      two: take(0),
      orders: 20,
    },
    'both captures': {
      scripts: { builtin: ['passed'] },
      before: [requestPhotos, upload('selfie'), upload('id_card')],
      one: take(0),
      two: take(1),
      orders: 6,
    },
    'two versions of one capture': {
      scripts: { builtin: ['passed'] },
      before: [request, upload('selfie'), upload('selfie')],
      one: take(0),
      two: take(1),
      orders: 26,
    },
    'the same message twice': {
      scripts: { builtin: ['passed'] },
      before: [request, upload('selfie'), takeNow],
      one: take(0),
      two: take(0),
      orders: 412,
    },
    'an attempt and an erasure': {
      scripts: { builtin: ['passed'] },
      before: [request, upload('selfie'), takeNow],
      one: take(0),
      two: eraseRead,
      orders: 277,
    },
    'a landing and an erasure': {
      scripts: { builtin: ['passed'] },
      before: [request, upload('selfie')],
      one: take(0),
      two: eraseRead,
      orders: 50,
    },
    'a landing and its expiry': {
      scripts: { builtin: ['passed'] },
      before: [request, upload('selfie'), later(86_400)],
      one: take(0),
      two: sweep,
      orders: 16,
    },
    'two requests': { scripts: { builtin: ['passed'] }, before: [], one: request, two: request, orders: 20 },
    'two that ask for dead digits anew': {
      scripts: { builtin: ['passed'] },
      before: [requestVideo, upload('id_card'), takeNow, later(200)],
      one: reopen,
      two: reopen,
      after: [video(1)],
      orders: 62,
    },
    'dead digits asked for anew and the video that says them': {
      scripts: { builtin: ['passed'] },
      before: [requestVideo, upload('id_card'), takeNow, later(179), video(), later(20)],
      one: take(0),
      two: reopen,
      orders: 56,
    },
    'two reopenings': {
      scripts: { builtin: ['recapture'] },
      before: decided,
      one: reopen,
      two: reopen,
      orders: 18,
    },
    'two that claim one code': {
      scripts: { builtin: ['passed'] },
      before: [request, handOff],
      one: claim,
      two: claim,
      orders: 20,
    },
    'a claim and its end': {
      scripts: { builtin: ['passed'] },
      before: [request, handOff],
      one: claim,
      two: takeBack,
      after: [isTakenBack],
      orders: 6,
    },
    'a claim and another hand-off': {
      scripts: { builtin: ['passed'] },
      before: [request, handOff],
      one: { name: 'claim', does: (at) => at.claim(0) },
      two: handOff,
      after: [claim, deadClaim(0)],
      orders: 6,
    },
    'two hand-offs': {
      scripts: { builtin: ['passed'] },
      before: [request],
      one: handOff,
      two: handOff,
      after: [takeBack, deadClaim(0), deadClaim(1)],
      orders: 2,
    },
    'a claim and a landing': {
      scripts: { builtin: ['passed'] },
      before: [request, handOff, upload('selfie')],
      one: take(0),
      two: claim,
      after: [takeBack, isTakenBack],
      orders: 6,
    },
    'a claim and an erasure': {
      scripts: { builtin: ['passed'] },
      before: [request, handOff],
      one: claim,
      two: eraseRead,
      after: [deadClaim(0)],
      orders: 6,
    },
    'two retries': {
      scripts: { builtin: ['capture_missing', 'passed'] },
      before: decided,
      one: retry,
      two: retry,
      orders: 6,
    },
    'two reviews': {
      scripts: { builtin: ['failed'] },
      before: decided,
      one: review('passed'),
      two: review('failed'),
      orders: 2,
    },
    'a review and the next round': {
      scripts: { builtin: ['recapture', 'passed'] },
      before: decided,
      one: review('passed'),
      two: reopen,
      orders: 2,
    },
    'a review and an erasure': {
      scripts: { builtin: ['failed'] },
      before: decided,
      one: review('passed'),
      two: erase,
      orders: 2,
    },
    'two sweeps over a lost message': {
      scripts: { builtin: ['passed'] },
      before: [request, upload('selfie'), takeNow, { name: 'lose', does: (at) => void at.queue.pop() }, later(3600)],
      one: sweep,
      two: sweep,
      orders: 6,
    },
    'the sweep finds a capture whose event comes': {
      scripts: { builtin: ['passed'] },
      before: [requestPhotos, upload('selfie'), upload('id_card'), later(3600)],
      one: sweep,
      two: take(0),
      orders: 6,
    },
    'the sweep finds a capture while the event of a later version comes': {
      scripts: { builtin: ['passed'] },
      before: [request, upload('selfie'), lose, upload('selfie'), later(3600)],
      one: sweep,
      two: take(0),
      orders: 6,
    },
    'two sweeps over captures whose events were lost': {
      scripts: { builtin: ['passed'] },
      before: [requestPhotos, upload('selfie'), upload('id_card'), lose, later(3600)],
      one: sweep,
      two: sweep,
      orders: 6,
    },
    'two sweeps over one capture of two': {
      scripts: { builtin: ['passed'] },
      before: [requestPhotos, upload('selfie'), lose, later(3600)],
      one: sweep,
      two: sweep,
      orders: 6,
    },
    'the sweep finds a capture, and its verification is erased': {
      scripts: { builtin: ['passed'] },
      before: [request, upload('selfie'), lose, later(3600)],
      one: sweep,
      two: eraseRead,
      orders: 6,
    },
    'the sweep finds a video, and its round is issued again': {
      scripts: { builtin: ['passed'] },
      before: [requestVideo, later(100), video(), upload('id_card'), lose, later(3600)],
      one: sweep,
      two: reopen,
      orders: 2,
    },
    'the sweep finds a capture that is handed over': {
      scripts: { builtin: ['passed'] },
      before: [request, upload('selfie'), lose, later(3600)],
      one: sweep,
      two: handOff,
      orders: 2,
    },
    'the sweep finds the image of an order, and it is fetched': {
      scripts: { builtin: ['passed'] },
      before: [
        order,
        { name: 'fetch', does: (at) => start('fetch', async () => at.queue[0]?.verb(), stopping(storedAndDead)) },
        ...[lose, later(3600)],
      ],
      one: sweep,
      two: { name: 'fetch', does: async (at) => at.verbs.fetch((await at.read())?.verificationId ?? '') },
      orders: 2,
    },
    'two announcers': {
      scripts: { builtin: ['passed'] },
      before: decided,
      one: announce,
      two: announce,
      orders: 6,
    },
    'two of the same order': { scripts: { builtin: ['passed'] }, before: [], one: order, two: order, orders: 6 },
    'an order and another body': {
      scripts: { builtin: ['passed'] },
      before: [],
      one: order,
      two: { name: 'order', does: (at) => at.order('visit-7', 'https://images.example/another') },
      orders: 6,
    },
    'two fetches of an image': {
      scripts: { builtin: ['passed'] },
      before: [order],
      one: take(0),
      two: take(0),
      orders: 100,
    },
    'a fetch and the event of what it stored': {
      scripts: { builtin: ['passed'] },
      before: [order, { name: 'fetch', does: (at) => at.queue[0]?.verb() }],
      one: take(0),
      two: take(1),
      orders: 1,
    },
    'a fetch and an erasure': {
      scripts: { builtin: ['passed'] },
      before: [order],
      one: take(0),
      two: eraseRead,
      orders: 50,
    },
    'a fetch in vain and an erasure': {
      scripts: { builtin: ['passed'] },
      strangers: noImage,
      before: [order],
      one: take(0),
      two: eraseRead,
      orders: 50,
    },
    'two deliveries of a result': {
      scripts: { builtin: ['provider_refused'] },
      before: orderJudged,
      one: take(1),
      two: take(1),
      orders: 50,
    },
    'two deliveries in vain': {
      scripts: { builtin: ['passed'] },
      strangers: { ...kindStrangers, takes: () => false },
      before: orderJudged,
      one: take(1),
      two: take(1),
      orders: 50,
    },
    'two deliveries in vain after a first': {
      scripts: { builtin: ['passed'] },
      get strangers() {
        let tries = 0;
        return { ...kindStrangers, takes: () => ++tries > 3 };
      },
      before: [
        order,
        takeNow,
        takeNow,
        takeNow,
        announce,
        { name: 'deliver', does: (at) => at.queue.splice(1, 1)[0]?.verb() },
      ],
      one: take(1),
      two: take(1),
      orders: 50,
    },
    'a refund and an erasure': {
      scripts: { builtin: ['provider_refused'] },
      before: orderJudged,
      one: take(1),
      two: eraseRead,
      orders: 50,
    },
    'two deliveries of one event': {
      scripts: { builtin: ['passed'] },
      endpoints: [{ types: ['verification.decided'] }],
      before: toldOf,
      one: take(0),
      two: take(0),
      orders: 20,
    },
    'two deliveries of one event in vain': {
      scripts: { builtin: ['passed'] },
      endpoints: [{ types: ['verification.decided'] }],
      get strangers() {
        return answering([busy, busy, received]);
      },
      before: toldOf,
      one: take(0),
      two: take(0),
      orders: 20,
    },
    'two events at an endpoint that is silent': {
      scripts: { builtin: ['passed'] },
      endpoints: [{ types: ['verification.dispatched', 'verification.decided'] }],
      get strangers() {
        return answering([silent, silent, received]);
      },
      before: toldOf,
      one: take(0),
      two: take(1),
      orders: 20,
    },
    'two events at an endpoint that is gone': {
      scripts: { builtin: ['passed'] },
      endpoints: [{ types: ['verification.dispatched', 'verification.decided'] }],
      strangers: answering([gone]),
      before: toldOf,
      one: take(0),
      two: take(1),
      orders: 20,
    },
    'an event and the erasure of what it tells of': {
      scripts: { builtin: ['passed'] },
      endpoints: [{ types: ['verification.decided', 'verification.erased'] }],
      before: [...toldOf, erase],
      one: take(0),
      two: announce,
      orders: 20,
    },
    'an event and its endpoint disabled': {
      scripts: { builtin: ['passed'] },
      endpoints: [{ types: ['verification.decided'] }],
      before: toldOf,
      one: take(0),
      two: administer(0, 'disable'),
      orders: 2,
    },
    'two replays that are begun at once': {
      scripts: { builtin: ['passed'] },
      endpoints: [{}],
      before: [...toldOf, later(90)],
      one: replay(0),
      two: replay(0),
      orders: 6,
    },
    'a page of a replay that came twice': {
      scripts: { builtin: ['passed'] },
      endpoints: [{}],
      before: underReplay,
      one: take(0),
      two: take(0),
      orders: 20,
    },
    'a page of a replay and its end by the tenant': {
      scripts: { builtin: ['passed'] },
      endpoints: [{}],
      before: underReplay,
      one: take(0),
      two: cancelReplay(0),
      orders: 10,
    },
    'an event and the same sent again by hand': {
      scripts: { builtin: ['passed'] },
      endpoints: [{ types: ['verification.decided'] }],
      get strangers() {
        return answering([busy, received]);
      },
      before: [...toldOf, takeNow, later(60), takeNow, resend],
      one: take(0),
      two: take(1),
      orders: 20,
    },
    'two announcers of an erasure': {
      scripts: { builtin: ['passed'] },
      endpoints: [{ types: ['verification.erased'] }],
      before: [request, upload('selfie'), takeNow, announce, erase],
      one: announce,
      two: announce,
      orders: 20,
    },
    'two results, in vain, of an order that is erased': {
      scripts: { builtin: ['passed'] },
      get strangers() {
        let tries = 0;
        return { ...kindStrangers, takes: () => ++tries % 3 === 0 };
      },
      before: orderJudged,
      one: take(1),
      two: erase,
      orders: 20,
    },
    'two erasures': {
      scripts: { builtin: ['passed'] },
      before: [request, upload('selfie')],
      one: eraseRead,
      two: eraseRead,
      orders: 60,
    },
  };

  /** The n-th message that waits, without taking it off the queue: it will come again. */
  function take(index: number): Action {
    return { name: `message ${index}`, does: (at) => at.queue[index]?.verb() };
  }

  it.each(Object.entries(pairs))('%s', async (_, pair) => {
    const { before, one, two, after = [], orders: expected } = pair;
    let orders = 0;
    // Depth first over who steps next: a prefix decides, then the first runs on.
    const open: (0 | 1)[][] = [[]];
    for (let prefix = open.pop(); prefix; prefix = open.pop()) {
      const at = scriptedWorld(pair);
      for (const action of before) await action.does(at);
      const processes = [
        await start(one.name, async () => one.does(at), stepping()),
        await start(two.name, async () => two.does(at), stepping()),
      ];
      const taken: (0 | 1)[] = [];
      while (processes.some((process) => !process.ended)) {
        const wanted = prefix[taken.length] ?? 0;
        const other = wanted === 0 ? 1 : 0;
        const next = processes[wanted]?.ended ? other : wanted;
        if (taken.length >= prefix.length && !processes[0]?.ended && !processes[1]?.ended) {
          open.push([...taken, 1]); // here the second might have gone first
        }
        taken.push(next);
        await processes[next]?.step();
      }
      orders += 1;
      for (const process of processes) refuseBugs(process);
      for (const action of after) await action.does(at);
      await drain(at);
      expect(violations(at), `in the order ${taken.join('')}`).toEqual([]);
      if (orders > 20_000) throw new Error('more orders than this test was made for');
    }
    expect(orders).toBeGreaterThanOrEqual(expected);
  });
});

describe('a zombie that returns after its lease', () => {
  /** After the provider has answered and before that is recorded. */
  const answered = { after: 'opened.submit' };
  const scripts = (zombie: Script[number], takeover: Script[number]) => ({ builtin: [zombie, takeover] });

  /** Runs the first attempt until one of its stops and leaves it there. */
  async function stalled(at: ScriptedWorld, stop: Stop['at']) {
    await request.does(at);
    await upload('selfie').does(at);
    await at.queue.shift()?.verb();
    const message = at.queue.shift();
    return start('zombie', async () => message?.verb(), stopping({ at: stop, how: 'stall' }));
  }

  /** Lets the takeover ask for a recapture, and opens the round that follows. */
  async function nextRound(at: ScriptedWorld): Promise<boolean> {
    at.advance(3600);
    await at.sweep();
    await inOrder(at);
    const record = await at.read();
    const wanted = record?.state === 'decided' && record.verdict.outcome === 'recapture';
    if (wanted) await reopen.does(at);
    return wanted;
  }

  const meanwhile: Record<string, (at: ScriptedWorld) => Promise<unknown>> = {
    'nothing else': async () => undefined,
    'the lease died': async (at) => at.advance(3600),
    'the sweep sent for a takeover': async (at) => {
      at.advance(3600);
      await at.sweep();
    },
    'a takeover answered': async (at) => {
      at.advance(3600);
      await at.sweep();
      await inOrder(at);
    },
    'a takeover answered and the next round opened': nextRound,
    'the next round was queued': async (at) => {
      if (!(await nextRound(at))) return;
      at.upload('selfie', 2);
      await at.queue.shift()?.verb();
    },
    'the next round was being analysed': async (at) => {
      if (!(await nextRound(at))) return;
      at.upload('selfie', 2);
      await at.queue.shift()?.verb();
      const message = at.queue.shift();
      await start('next round', async () => message?.verb(), stopping({ at: answered, how: 'kill' }));
    },
    'the verification was erased': (at) => at.erase(),
    'everything came to rest': drain,
  };

  it.each(
    Object.keys(meanwhile).flatMap((event) =>
      (['passed', 'recapture', 'accepted', 'provider_failed', 'provider_refused'] as const).map((said) => ({
        event,
        said,
      })),
    ),
  )('saying $said after $event, from every await', async ({ event, said }) => {
    for (let stop = 0; stop < 100; stop += 1) {
      const at = scriptedWorld({ scripts: scripts(said, 'recapture') });
      const zombie = await stalled(at, stop);
      const finished = zombie.ended;
      await meanwhile[event]?.(at);
      const before = await at.read();
      const callsBefore = at.calls.length;
      await zombie.step();
      expect(zombie).toMatchObject({ ended: true, failure: undefined });
      const after = await at.read();
      const openRound = before && (before.state === 'queued' || before.state === 'dispatched') && before.round === 1;
      if (!openRound) {
        expect(after?.sequence, `stop ${stop}: nothing of the zombie counts`).toBe(before?.sequence);
        if (before?.state === 'erased') expect(after?.history).toEqual(before.history);
      }
      // Fenced by its own claim: once another worker has claimed, a fault or `accepted` moves nothing.
      const takenOver = before?.state === 'dispatched' && before.attempt > 1;
      if (takenOver && !['passed', 'recapture'].includes(said)) expect(after).toEqual(before);
      expect(at.calls.length - callsBefore).toBeLessThanOrEqual(1);
      await drain(at);
      expect(violations(at), `stop ${stop}`).toEqual([]);
      if (finished) return;
    }
    throw new Error('The attempt has more stops than expected');
  });

  it('wins its round while the takeover is still being answered, whose answer is then noted', async () => {
    const at = scriptedWorld({ scripts: scripts('passed', 'failed') });
    const zombie = await stalled(at, answered);
    at.advance(3600);
    await at.sweep();
    const message = at.queue.shift();
    const takeover = await start('takeover', async () => message?.verb(), stopping({ at: answered, how: 'stall' }));
    expect(takeover.ended).toBe(false);
    expect(await at.read()).toMatchObject({ state: 'dispatched', attempt: 2 });
    await zombie.step();
    expect(await at.read()).toMatchObject({ state: 'decided', verdict: { outcome: 'passed' } });
    await takeover.step();
    const record = await at.read();
    expect(record).toMatchObject({ state: 'decided', verdict: { outcome: 'passed' } });
    expect(record?.history.at(-1)).toMatchObject({ kind: 'noted', code: 'answer_contradictory', attempt: 2 });
    await drain(at);
    expect(violations(at)).toEqual([]);
  });
});

afterAll(() => {
  const missed = awaits.filter((place) => reached.get(place)?.size !== 2);
  console.log(`awaits reached / existing: ${awaits.length - missed.length} / ${awaits.length}`);
  for (const place of missed) console.log(`  not reached: ${place}`);
  expect(missed).toEqual([]);
  expect(awaits.length).toBeGreaterThan(0);
});
