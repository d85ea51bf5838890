/**
 * How a digit string is verified against the network's output; the twin of `engine/training/digits/scoring.py`.
 *
 * CTC gives every string a probability, and those of all strings add up to 1. The expected string's alone says little:
 * it is small for long or unclear speech. Divided by that of all strings as long, it says how sure the network is of
 * these digits, given that so many were spoken, and cheating by one digit has to win against the digit that was said.
 */
export const digitCount = 10;
export const blank = 10;
export const classes = 11;

/** The network's output: ln P of each class, step after step. */
export interface LogProbabilities {
  readonly values: Float32Array;
  readonly steps: number;
}

/** ln(e^a + e^b), also where one of them is impossible. */
function logAdd(a: number, b: number): number {
  const [high, low] = a > b ? [a, b] : [b, a];
  return low === -Infinity ? high : high + Math.log1p(Math.exp(low - high));
}

/** ln P(digits): the forward algorithm of CTC (Graves 2006), over digits with blanks between and around them. */
export function stringLogProbability({ values, steps }: LogProbabilities, digits: readonly number[]): number {
  const symbols = [blank, ...digits.flatMap((digit) => [digit, blank])];
  let alpha = new Float64Array(symbols.length).fill(-Infinity);
  for (let step = 0; step < steps; step += 1) {
    const next = new Float64Array(symbols.length);
    for (const [state, symbol] of symbols.entries()) {
      let sum = step === 0 ? (state < 2 ? 0 : -Infinity) : (alpha[state] ?? 0);
      if (step > 0 && state > 0) sum = logAdd(sum, alpha[state - 1] ?? 0);
      // A digit may follow another without a blank, unless they are the same.
      if (step > 0 && state > 1 && symbol !== blank && symbol !== symbols[state - 2]) {
        sum = logAdd(sum, alpha[state - 2] ?? 0);
      }
      next[state] = sum + (values[step * classes + symbol] ?? 0);
    }
    alpha = next;
  }
  const [last = 0, beforeLast = -Infinity] = [alpha.at(-1), alpha.at(-2)];
  return digits.length === 0 ? last : logAdd(last, beforeLast);
}

/**
 * ln P(some string of `length` digits): all 10^length of them at once, by how many were begun and which came last.
 * In plain probabilities, scaled up at every step, since it only adds and multiplies: strings that are e^700 times less
 * likely than the likeliest count as impossible.
 */
export function lengthLogProbability({ values, steps }: LogProbabilities, length: number): number {
  // afterBlank[n]: n digits so far, a blank last. afterDigit[n * 10 + d]: n so far, d last.
  const afterBlank = new Float64Array(length + 1);
  const afterDigit = new Float64Array((length + 1) * digitCount);
  afterBlank[0] = 1;
  let scale = 0;
  for (let step = 0; step < steps; step += 1) {
    const probability = (symbol: number) => Math.exp(values[step * classes + symbol] ?? 0);
    let highest = 0;
    // Downwards: a count takes from the one below it, as that was a step ago.
    for (let count = length; count >= 0; count -= 1) {
      const own = count * digitCount;
      const ended = sumOf(afterDigit, own);
      for (let digit = 0; digit < digitCount; digit += 1) {
        const begun = count === 0 ? 0 : (afterBlank[count - 1] ?? 0) + sumOf(afterDigit, own - digitCount, digit);
        const next = ((afterDigit[own + digit] ?? 0) + begun) * probability(digit);
        afterDigit[own + digit] = next;
        highest = Math.max(highest, next);
      }
      const next = ((afterBlank[count] ?? 0) + ended) * probability(blank);
      afterBlank[count] = next;
      highest = Math.max(highest, next);
    }
    if (highest === 0) return -Infinity;
    for (const table of [afterBlank, afterDigit])
      for (const [index, value] of table.entries()) table[index] = value / highest;
    scale += Math.log(highest);
  }
  return scale + Math.log((afterBlank[length] ?? 0) + sumOf(afterDigit, length * digitCount));
}

/** Of the ten digits' probabilities from `start` on, all but one. Not total minus one: that loses the small ones. */
function sumOf(probabilities: Float64Array, start: number, without?: number): number {
  let sum = 0;
  for (let digit = 0; digit < digitCount; digit += 1) if (digit !== without) sum += probabilities[start + digit] ?? 0;
  return sum;
}

/** The likeliest class of each step, repeats joined and blanks dropped. */
export function greedyDigits({ values, steps }: LogProbabilities): number[] {
  const digits: number[] = [];
  let before = blank;
  for (let step = 0; step < steps; step += 1) {
    let best = blank;
    for (let symbol = 0; symbol < classes; symbol += 1) {
      if ((values[step * classes + symbol] ?? 0) > (values[step * classes + best] ?? 0)) best = symbol;
    }
    if (best !== before && best !== blank) digits.push(best);
    before = best;
  }
  return digits;
}
