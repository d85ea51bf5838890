/** Row by row: (x, y) goes to ((m0 x + m1 y + m2) / w, (m3 x + m4 y + m5) / w), w = m6 x + m7 y + m8. How a plane looks from elsewhere. */
export type Homography = readonly [number, number, number, number, number, number, number, number, number];

export function product(one: Homography, other: Homography): Homography {
  const [a, b, c, d, e, f, g, h, i] = one;
  const [A, B, C, D, E, F, G, H, I] = other;
  return [
    a * A + b * D + c * G,
    a * B + b * E + c * H,
    a * C + b * F + c * I,
    d * A + e * D + f * G,
    d * B + e * E + f * H,
    d * C + e * F + f * I,
    g * A + h * D + i * G,
    g * B + h * E + i * H,
    g * C + h * F + i * I,
  ];
}

export function inverse([a, b, c, d, e, f, g, h, i]: Homography): Homography {
  const [first, second, third] = [e * i - f * h, f * g - d * i, d * h - e * g];
  const determinant = a * first + b * second + c * third;
  return [
    first / determinant,
    (c * h - b * i) / determinant,
    (b * f - c * e) / determinant,
    second / determinant,
    (a * i - c * g) / determinant,
    (c * d - a * f) / determinant,
    third / determinant,
    (b * g - a * h) / determinant,
    (a * e - b * d) / determinant,
  ];
}
