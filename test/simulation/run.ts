import type { CaptureName } from '../../shared/domain/captures.ts';
import { capturesOf } from '../../shared/domain/captures.ts';
import { Fault } from '../../shared/domain/fault.ts';
import { EventRefused } from '../../shared/lifecycle/tell-disabled.ts';
import { idOf, legacyIdOf } from '../builders/deployment.ts';
import { type Circumstances, circumstancesOf, orderCircumstancesOf } from './circumstances.ts';
import { lossyNetwork, OutOfReach } from './network.ts';
import type { Plant } from './plants.ts';
import {
  type Decide,
  delivery as deliveryPlace,
  outside,
  type Place,
  type Process,
  type Side,
  start,
} from './processes.ts';
import { type Random, randomOf } from './random.ts';
import type { Referee, Tally, Violation } from './referee.ts';
import { unkindStrangers } from './strangers.ts';
import { simulatedVendors, type Webhook } from './vendors.ts';
import { type Delivery, declaredAs, simulatedWorld, type World } from './world.ts';

/** Sides of awaits at which a process was killed, over all runs: `coverageKey`s. */
export type Kills = Map<string, number>;

export const coverageKey = (place: Place, side: Side) => `${place} ${side}`;

export interface Ended {
  readonly violations: readonly Violation[];
  readonly tally: Tally & { readonly kills: number };
  readonly hooks: Referee['webhooks']['tally'];
}

interface Options {
  readonly seed: number;
  readonly run: number;
  readonly plant?: Plant | undefined;
  /** Orders alone: calls that bring a link. */
  readonly served?: boolean | undefined;
  readonly kills: Kills;
  /** Filled, where given, with what happened: a line each. */
  readonly trace?: string[] | undefined;
}

/** A delivery under way; `again`: it comes again until it is acknowledged. */
interface Underway {
  readonly process: Process;
  readonly delivery: Delivery;
  readonly again: boolean;
  /** It stands until it is resumed: the world goes on without it. */
  stalled: boolean;
}

/** Processes at the same time; more of them would only wait. */
const most = 6;
/** A run that has not come to rest by then never will: it is judged as it is. */
const drainTurns = 100_000;

/** One world, from the first request until nothing moves any more. Everything in it follows from seed and run. */
export async function simulate({ seed, run, plant, served, kills, trace }: Options): Promise<Ended> {
  const random = randomOf(seed, run);
  const circumstances = served ? orderCircumstancesOf(random) : circumstancesOf(random);
  const vendors = simulatedVendors(circumstances, random);
  const network = lossyNetwork(circumstances, random);
  const world = simulatedWorld({
    ...circumstances,
    vendors,
    strangers: unkindStrangers(random),
    network,
    random,
    plant,
    trace,
  });
  const { flying } = vendors;
  if (circumstances.openSeconds && circumstances.route[0]) {
    const openUntil = world.clock() / 1000 + circumstances.openSeconds;
    const state = { openUntil, probeUntil: 0, openings: 1, reason: 'before the run' };
    await world.breakers.open(circumstances.route[0].name, state);
  }
  const underway: Underway[] = [];
  let draining = false;
  let begun = 0;
  let killed = 0;

  const decide: Decide = (process, place, side) => {
    const chance = random.fraction();
    if (place === outside) return chance < 0.5 ? 'stand' : 'on';
    if (place === deliveryPlace && side === 'after') world.referee.ended(process);
    if (!draining && chance < circumstances.killing) {
      killed += 1;
      const key = coverageKey(place, side);
      kills.set(key, (kills.get(key) ?? 0) + 1);
      world.say?.(`killed ${side} ${place}: ${process.name}`);
      return 'die';
    }
    return chance < circumstances.killing + circumstances.standing ? 'stand' : 'on';
  };

  /** Where a process has come to: it is over, it stands, or it stalls and the world goes on without it. */
  function look(one: Underway): void {
    const { process, delivery, again } = one;
    if (process.killed) {
      if (again) world.queue.push(delivery);
      return;
    }
    if (process.ended) {
      const { failure } = process;
      if (failure === undefined) return;
      if (failure instanceof OutOfReach || failure instanceof EventRefused) world.queue.push(delivery);
      else if (!(failure instanceof Fault)) world.referee.wrong('verbs failed', `${delivery.name}: ${failure}`);
      else if (again && failure.retry) world.queue.push(delivery);
      return;
    }
    one.stalled = !draining && random.chance(circumstances.stalling);
    if (one.stalled) world.say?.(`stalled: ${process.name}`);
    underway.push(one);
  }

  async function begin(delivery: Delivery, { again }: { again: boolean }): Promise<void> {
    begun += 1;
    const process = await start(`#${begun} ${delivery.name}`, delivery.verb, decide);
    look({ process, delivery, again, stalled: false });
  }

  async function goOn(one: Underway | undefined): Promise<void> {
    if (!one) return;
    underway.splice(underway.indexOf(one), 1);
    if (one.stalled) world.say?.(`resumed: ${one.process.name}`);
    one.stalled = false;
    await one.process.step();
    look(one);
  }

  const actors: Actors = {
    begin,
    async goOn() {
      await goOn(
        oneOf(
          underway.filter(({ stalled }) => !stalled),
          random,
        ),
      );
    },
    async resume() {
      await goOn(
        oneOf(
          underway.filter(({ stalled }) => stalled),
          random,
        ),
      );
    },
    running: () => underway.some(({ stalled }) => !stalled),
    stalled: () => underway.some(({ stalled }) => stalled),
    crowded: () => underway.length >= most,
  };
  for (let tick = 0; tick < circumstances.ticks && world.referee.violations.length === 0; tick += 1) {
    world.advanceTo(world.clock() + random.below(200));
    await happen(world, flying, circumstances, random, actors);
  }
  draining = true;
  world.say?.('drained from here on');
  const { violations } = world.referee;
  let turns = 0;
  while (turns < drainTurns && violations.length === 0 && (await drain(world, flying, random, actors))) turns += 1;
  if (violations.length === 0) world.conclude();
  if (turns === drainTurns && violations.length === 0) world.referee.wrong('unfinished', 'something moves for ever');
  return { violations, tally: { ...world.referee.tally, kills: killed }, hooks: world.referee.webhooks.tally };
}

interface Actors {
  readonly begin: (delivery: Delivery, how: { again: boolean }) => Promise<void>;
  readonly goOn: () => Promise<void>;
  readonly resume: () => Promise<void>;
  readonly running: () => boolean;
  readonly stalled: () => boolean;
  readonly crowded: () => boolean;
}

/** One thing happens: a process goes a step, something is delivered, a client asks for something, time passes. */
async function happen(
  world: World,
  flying: Webhook[],
  circumstances: Circumstances,
  random: Random,
  actors: Actors,
): Promise<void> {
  if (actors.running() && random.chance(actors.crowded() ? 1 : 0.55)) return actors.goOn();
  const kind = random.fraction();
  if (kind < circumstances.leaping) return leap(world, random);
  if (actors.crowded()) return actors.resume();
  if (kind < 0.45) {
    const message = taken(world.queue, random);
    if (message) return actors.begin(message, { again: true });
  }
  if (kind < 0.6) {
    const webhook = taken(flying, random, ({ readyAt }) => readyAt <= world.clock());
    if (webhook) return actors.begin(world.webhook(webhook), { again: true });
  }
  if (kind < 0.64 && actors.stalled()) return actors.resume();
  if (kind < 0.68) return actors.begin({ name: 'sweep', verb: world.verbs.sweep }, { again: false });
  if (kind < 0.7)
    return actors.begin({ name: 'sweep deliveries', verb: world.verbs.sweepDeliveries }, { again: false });
  if (kind < 0.78 && world.isBehind())
    return actors.begin({ name: 'announce', verb: world.announce }, { again: false });
  if (circumstances.endpoints.length > 0 && random.chance(0.04)) {
    const what = random.pick<'disable' | 'enable' | 'remove'>(['disable', 'enable', 'enable', 'remove']);
    return world.hooks.administer(random.below(circumstances.endpoints.length), what);
  }
  if (world.hooks.latest().length > 0 && random.chance(0.15)) return sendAgain(world, random, actors);
  return askForSomething(world, circumstances, random, actors);
}

/** What a tenant does that missed events: a replay of the last hours, its end, or one delivery by hand. */
function sendAgain(world: World, random: Random, { begin }: Actors): Promise<void> {
  const { id = '' } = oneOf(world.hooks.made, random) ?? {};
  const window = { since: new Date(world.clock() - 3_600_000 * random.below(9)).toISOString(), until: '2100' };
  const [latest] = world.hooks.latest();
  const asks = {
    replay: () => world.verbs.replay(id, { ...window, failedOnly: random.chance(0.3) }),
    cancel: () => world.verbs.cancelReplay(id),
    resend: () => world.verbs.resend(latest ?? ''),
    read: () => world.verbs.readEvents(),
  };
  const what = random.pick<keyof typeof asks>(['replay', 'replay', 'replay', 'cancel', 'resend', 'resend', 'read']);
  return begin({ name: `${what} ${id}`, verb: asks[what] }, { again: false });
}

/** Over a lease, over a challenge, over a webhook's deadline, over everything. */
function leap(world: World, random: Random): void {
  const seconds = random.pick([3, 30, 80, 125, 185, 1000, 4000]);
  world.advanceTo(world.clock() + seconds * 1000);
  world.say?.(`${seconds} s pass`);
}

/** What the tenant's server and the person's client do: mostly what makes sense, sometimes anything. */
async function askForSomething(
  world: World,
  { subjects, check, contentType, legacy, served }: Circumstances,
  random: Random,
  { begin }: Actors,
): Promise<void> {
  const source = subjects[random.below(subjects.length)] ?? 'u-1';
  const { latest } = world.referee;
  const record = latest.get(idOf(source)) ?? latest.get(legacyIdOf(source));
  const names: readonly CaptureName[] = capturesOf[check];
  const requests = {
    request: () => world.request(source, check, declaredAs(contentType, names)),
    requestBefore: () => world.requestBefore(source, check, declaredAs(contentType, names)),
    reopen: () => world.reopen(source, random.chance(0.2) ? declaredAs('jpeg', names) : undefined),
    handOff: () => world.handOff(source),
    claim: () => world.claim(source, random.pick([-1, -1, 0])),
    takeBack: () => world.takeBack(source),
    retry: () => world.verbs.retry(source),
    review: () =>
      world.verbs.review(
        source,
        (record?.sequence ?? 1) - (random.chance(0.1) ? 1 : 0),
        random.pick(['passed', 'failed']),
        random.pick(['one', 'another']),
      ),
    erase: () => world.verbs.erase(source),
    wait: () => world.verbs.wait(source, 3),
    serve: () => world.verbs.serve(source, check),
    order: () => world.verbs.order(source),
    orderOther: () => world.verbs.order(source, 'https://images.example/another'),
  };
  const ask = (what: keyof typeof requests) =>
    begin({ name: `${what} ${source}`, verb: requests[what] }, { again: false });
  if (served) {
    if (!record || random.chance(0.3)) return ask(random.chance(0.85) ? 'order' : 'orderOther');
    if (record.state === 'decided' && random.chance(0.1)) return ask('review');
    return random.chance(0.06) ? ask('erase') : ask('wait');
  }
  if (!record && check === 'spoof_detect' && random.chance(0.1)) return ask('order');
  if (!record && check !== 'video_verify' && random.chance(0.1)) return ask('serve');
  if (!record) return ask(legacy && random.chance(0.7) ? 'requestBefore' : 'request');
  const upload = (missing: readonly CaptureName[], round: number) =>
    world.upload(source, random.chance(0.6) ? 'PUT' : 'POST', round, oneOf(missing, random) ?? 'selfie', {
      id: record.verificationId,
      choose: (known) => (random.chance(0.6) ? known.at(-1) : oneOf(known, random)),
    });

  if (legacy && random.chance(0.06)) return ask('requestBefore');
  if (random.chance(0.12)) return ask(random.pick(['request', 'reopen', 'retry', 'claim', 'takeBack', 'wait', 'wait']));
  if (random.chance(0.02)) return ask('erase');
  if (random.chance(0.06)) return upload(names, 1 + random.below(record.round));
  switch (record.state) {
    case 'awaiting_captures':
      if (random.chance(record.handOff?.state === 'offered' ? 0.4 : 0.2)) {
        if (record.handOff?.state !== 'offered') return ask(random.pick(['handOff', 'handOff', 'handOff', 'takeBack']));
        await ask(random.pick(['claim', 'claim', 'claim', 'handOff', 'takeBack']));
        return ask('claim'); // who has photographed the code comes while the person does
      }
      if (check === 'video_verify' && random.chance(0.2)) {
        await ask(random.pick(['request', 'reopen']));
        return ask('reopen'); // tapped twice: the second may come while the first is under way
      }
      return upload(random.chance(0.85) ? record.missing : names, record.round);
    case 'decided':
      if (random.chance(0.08)) return ask('review');
      return record.verdict.outcome === 'recapture' ? ask('reopen') : undefined;
    case 'errored':
      return random.chance(0.5) ? ask('retry') : undefined;
    default:
      return undefined;
  }
}

/** One more thing towards rest; false where there is none left. In any order, but nothing is lost or killed any more. */
async function drain(world: World, flying: Webhook[], random: Random, actors: Actors): Promise<boolean> {
  world.advanceTo(world.clock()); // what waited for this time
  const due = nextDue(world);
  const nextWebhook = Math.min(...flying.map(({ readyAt }) => readyAt));
  const possible: (() => Promise<void>)[] = [];
  if (actors.running()) possible.push(actors.goOn, actors.goOn, actors.goOn);
  if (!actors.crowded()) {
    if (world.queue.length > 0) possible.push(() => beginIf(taken(world.queue, random)));
    if (world.isBehind()) possible.push(() => beginIf({ name: 'announce', verb: world.announce }));
    if (due !== undefined && due <= world.clock())
      possible.push(() => beginIf({ name: 'sweep', verb: world.verbs.sweep }));
    if (world.hooks.isDue())
      possible.push(() => beginIf({ name: 'sweep deliveries', verb: world.verbs.sweepDeliveries }));
    const webhook = () => taken(flying, random, ({ readyAt }) => readyAt <= world.clock());
    if (nextWebhook <= world.clock()) {
      possible.push(async () => {
        const one = webhook();
        if (one) await actors.begin(world.webhook(one), { again: true });
      });
    }
  }
  if (possible.length === 0 || random.chance(0.1)) {
    // Only time moves it, or a process that was thought dead.
    if (due !== undefined && due > world.clock()) possible.push(async () => world.advanceTo(due));
    const nextHook = world.hooks.nextDue();
    if (nextHook !== undefined && nextHook > world.clock()) possible.push(async () => world.advanceTo(nextHook));
    if (nextWebhook > world.clock() && nextWebhook < Number.POSITIVE_INFINITY) {
      possible.push(async () => world.advanceTo(nextWebhook));
    }
    if (actors.stalled()) possible.push(actors.resume);
  }
  const next = oneOf(possible, random);
  if (!next) return false;
  world.advanceTo(world.clock() + random.below(200));
  await next();
  return true;

  async function beginIf(delivery: Delivery | undefined): Promise<void> {
    if (delivery) await actors.begin(delivery, { again: true });
  }
}

/** Milliseconds: the earliest deadline of any record. */
function nextDue(world: World): number | undefined {
  let earliest: number | undefined;
  for (const record of world.referee.latest.values()) {
    if (!('dueAt' in record) || record.dueAt === undefined) continue;
    earliest = Math.min(earliest ?? Number.POSITIVE_INFINITY, record.dueAt * 1000);
  }
  return earliest;
}

function oneOf<T>(from: readonly T[], random: Random): T | undefined {
  return from[random.below(from.length)];
}

/** One of those that may be taken, whichever: what came first need not go first. */
function taken<T>(from: T[], random: Random, may: (one: T) => boolean = () => true): T | undefined {
  const possible = from.filter(may);
  const one = oneOf(possible, random);
  if (one !== undefined) from.splice(from.indexOf(one), 1);
  return one;
}
