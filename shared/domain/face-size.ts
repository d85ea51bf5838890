/**
 * Width and height that a face has at the least, in pixels of the capture, where the policy does not say: what the built-in
 * engine asks for, and what a page is told before the picture is taken.
 */
export const defaultMinimumFacePx = 112;
