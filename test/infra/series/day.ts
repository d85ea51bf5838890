import { randomOf } from '../../simulation/random.ts';
import type { Point, Series } from '../alarm-reader.ts';

/*
 * A day on which nothing is wrong: 1 verification a second at night, 100 at noon, one in a hundred of everything fails, one
 * vendor fails more and is asked again, one tenant's server is down, DynamoDB refuses for a moment while it splits.
 */

export const minutesOfDay = 24 * 60;

/** The vendor that fails one call in eight, from ten to four, and is asked again. */
const shakyVendor = 'onesmartlab';
const faultShare = 0.01;
/** The sweep's runs: by the clock, not by chance. */
const everyMinute = 1;

/** How often a function runs for a verification; what is not named here, as often as an erasure. */
const runsPerVerification: readonly (readonly [name: RegExp, runs: number])[] = [
  [/requestverification|noticecapture|analysecapture/, 1],
  [/announceevent|readverification/, 2],
  [/deliverwebhook/, 0.5],
  [/dispatchdispatch/, 0.1],
  [/./, 0.01],
];

/** Every one of these metrics over the day, each with chance of its own: the same each time. */
export function generatedDay(metrics: Iterable<string>): Series {
  return new Map([...metrics].map((metric, index) => [metric, seriesOf(metric, index)]));
}

/** Verifications a second: lowest at midnight, highest at noon. */
const rateAt = (minute: number): number => 100 ** ((1 - Math.cos((2 * Math.PI * minute) / minutesOfDay)) / 2);

function seriesOf(metric: string, run: number): Point[] {
  // Metrics of one function or provider go together: how many there are of what fails is the same in both.
  const subject = metric.split(' ').slice(2).join(' ');
  const seed = [...subject].reduce((sum, letter) => Math.imul(sum, 31) + letter.charCodeAt(0), 7);
  const whole = chance(seed, 0);
  const failing = chance(seed, 1);
  const own = chance(seed, run + 2);
  const [namespace = '', name = ''] = metric.split(' ');
  return Array.from({ length: minutesOfDay }, (_, minute): Point => {
    const perMinute = 60 * rateAt(minute);
    const share = (of: number, part = faultShare): Point => {
      const count = of === everyMinute ? 1 : whole.poisson(of);
      const failed = Math.min(count, failing.poisson(count * part));
      return { sum: failed, samples: count, maximum: failed > 0 ? 1 : 0 };
    };
    const runs = /sweepverifications/.test(subject)
      ? everyMinute
      : perMinute * (runsPerVerification.find(([part]) => part.test(subject))?.[1] ?? 0);
    const counts = (point: Point): Point => point && { ...point, sum: point.samples, maximum: 1 };
    switch (`${namespace} ${name}`) {
      case 'AWS/Lambda Invocations':
        return counts(share(subject === '' ? 7 * perMinute : runs));
      case 'AWS/Lambda Errors':
        return share(runs);
      case 'AWS/Lambda Throttles':
        return share(7 * perMinute);
      case 'AWS/Lambda IteratorAge':
        return of(own.below(30_000));
      case 'AWS/ApiGateway Count':
        return counts(share(2 * perMinute));
      case 'AWS/ApiGateway 5xx':
        return share(2 * perMinute);
      case 'AWS/SQS ApproximateAgeOfOldestMessage':
        return of(own.below(45));
      case 'AWS/SQS ApproximateNumberOfMessagesVisible':
        return of(0);
      case 'AWS/DynamoDB ReadThrottleEvents':
      case 'AWS/DynamoDB WriteThrottleEvents':
        return own.fraction() < 0.003 ? of(own.below(60)) : undefined;
      case 'AWS/Events FailedInvocations':
        return undefined;
      case 'AWS/Usage ResourceCount':
        return of(Math.round(1.5 * rateAt(minute)) + own.below(400)); // others share the account's thousand
      case 'Bonafide Decided': {
        const landed = whole.poisson(0.8 * perMinute);
        const decided = Math.round(landed * (1 - faultShare));
        return { sum: decided, samples: landed + decided, maximum: 1 };
      }
      case 'Bonafide ProviderFaults': {
        const shaky = subject.includes(shakyVendor) && minute >= 600 && minute < 960;
        return share(subject.includes('builtin') ? perMinute : 0.1 * perMinute, shaky ? 0.125 : faultShare);
      }
      case 'Bonafide OldestOverdueSeconds':
        return of(own.below(90));
      case 'Bonafide WebhooksFailed':
        return share(perMinute, minute >= 480 ? 0.05 : faultShare);
      case 'Bonafide TenantsFailing': {
        const began = own.poisson(0.01);
        return began === 0 ? undefined : { sum: began, samples: began, maximum: 1 };
      }
      default:
        throw new Error(`What ${metric} is on a good day is not said`);
    }
  });
}

const of = (value: number): Point => ({ sum: value, samples: 1, maximum: value });

function chance(seed: number, run: number) {
  const { fraction, below } = randomOf(seed, run);
  return {
    fraction,
    below,
    /** How many of something that happens so often on average. */
    poisson(mean: number): number {
      if (mean > 50) {
        const normal = Math.sqrt(-2 * Math.log(1 - fraction())) * Math.cos(2 * Math.PI * fraction());
        return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal));
      }
      let count = -1;
      for (let left = 1, limit = Math.exp(-mean); left > limit; left *= fraction()) count += 1;
      return count;
    },
  };
}
