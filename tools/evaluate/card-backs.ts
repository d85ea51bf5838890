/** Backs of ID cards, drawn: bars, guilloche and an emblem, in which a detector of faces sees faces. They show no person. */
import sharp from 'sharp';
import { mulberry32 } from './random.ts';

const width = 1000;
const height = 630;

/** One of as many backs as there are seeds. */
export async function cardBack(seed: number): Promise<Buffer> {
  const random = mulberry32(seed);
  const between = (low: number, high: number) => low + (high - low) * random();
  const ink = new Float32Array(width * height);
  const darken = (x: number, y: number, amount: number) => {
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    const index = Math.floor(y) * width + Math.floor(x);
    ink[index] = Math.min(1, (ink[index] ?? 0) + amount);
  };
  const fill = (left: number, top: number, across: number, down: number, amount: number) => {
    for (let y = top; y < top + down; y += 1) for (let x = left; x < left + across; x += 1) darken(x, y, amount);
  };

  guilloche();
  emblem(between(150, 850), between(150, 450), between(50, 130));
  if (random() < 0.5) emblem(between(150, 850), between(150, 450), between(30, 80));
  if (random() < 0.7) bars(between(30, 500), between(20, 420), between(200, 450), between(50, 110));
  if (random() < 0.4) fill(0, between(20, 80), width, between(60, 100), 0.85);
  print(between(30, 600), between(150, 300));
  if (random() < 0.6) machineReadable();

  const paper = [between(170, 245), between(170, 245), between(170, 245)];
  const colour = [between(10, 120), between(10, 120), between(10, 120)];
  const pixels = Uint8Array.from({ length: 3 * ink.length }, (_, index) => {
    const amount = ink[Math.floor(index / 3)] ?? 0;
    return (paper[index % 3] ?? 0) * (1 - amount) + (colour[index % 3] ?? 0) * amount;
  });
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .blur(between(0.6, 2.5))
    .jpeg({ quality: Math.round(between(60, 92)) })
    .toBuffer();

  /** Waves across the card, and rosettes. */
  function guilloche() {
    const waves = Math.round(between(6, 30));
    const [period, swing] = [between(60, 300), between(10, 60)];
    for (let wave = 0; wave < waves; wave += 1) {
      for (let x = 0; x < width; x += 0.5) {
        const y = (wave + 0.5) * (height / waves) + swing * Math.sin((2 * Math.PI * x) / period + wave * 0.7);
        for (const thickness of [0, 1]) darken(x, y + thickness, 0.12);
      }
    }
    for (let rosette = 0; rosette < 2; rosette += 1) {
      const [x, y, radius, lobes] = [
        between(0, width),
        between(0, height),
        between(40, 140),
        Math.round(between(5, 16)),
      ];
      for (let angle = 0; angle < 2 * Math.PI; angle += 0.001) {
        for (const share of [0.4, 0.6, 0.8, 1]) {
          const r = radius * share * (1 + 0.25 * Math.sin(lobes * angle + share * 9));
          darken(x + r * Math.cos(angle), y + r * Math.sin(angle), 0.2);
        }
      }
    }
  }

  /** A shield, and on it whatever it is, the same on both its sides: that is what makes it look like a face. */
  function emblem(x0: number, y0: number, size: number) {
    const tall = between(1.1, 1.5);
    const shade = between(0.1, 0.5);
    const charges = Array.from({ length: Math.round(between(3, 7)) }, () => ({
      round: random() < 0.5,
      u: random() < 0.4 ? 0 : between(0.2, 0.7),
      v: between(-0.8, 0.8),
      across: between(0.05, 0.35),
      down: between(0.05, 0.3),
      amount: between(-0.3, 0.6),
    }));
    for (let y = -tall * size; y <= tall * size; y += 1) {
      for (let x = -size; x <= size; x += 1) {
        const [u, v] = [Math.abs(x) / size, y / size / tall];
        const fromCentre = u ** 2 + Math.max(v, 0) ** 2;
        if (fromCentre > 1) continue;
        const covers = charges.filter(({ round, ...charge }) => {
          const [right, below] = [(u - charge.u) / charge.across, (v - charge.v) / charge.down];
          return round ? right ** 2 + below ** 2 < 1 : Math.abs(right) < 1 && Math.abs(below) < 1;
        });
        const edge = fromCentre > 0.88 || v < -0.94 ? 0.4 : 0;
        darken(x0 + x, y0 + y, Math.max(0, shade + edge + covers.reduce((sum, { amount }) => sum + amount, 0)));
      }
    }
  }

  function bars(left: number, top: number, across: number, down: number) {
    for (let x = 0; x < across; ) {
      const wide = Math.round(between(1, 6));
      fill(left + x, top, wide, down, 0.9);
      x += wide + Math.round(between(1, 6));
    }
  }

  /** Lines of small print. */
  function print(left: number, top: number) {
    for (let line = 0; line < 7; line += 1) {
      for (let x = left; x < left + 300; x += between(8, 14))
        fill(x, top + line * 24, between(3, 9), between(7, 13), 0.7);
    }
  }

  function machineReadable() {
    for (let line = 0; line < 3; line += 1) {
      for (let column = 0; column < 30; column += 1) {
        const [left, top] = [40 + column * 30, 470 + line * 48];
        fill(left, top, between(5, 18), 4, 0.9);
        fill(left + between(0, 12), top, 4, between(10, 24), 0.9);
      }
    }
  }
}
