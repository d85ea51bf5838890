import sharp from 'sharp';
import { expect, it } from 'vitest';
import { sniffContentType } from '../../shared/domain/captures.ts';
import { greyPicture } from '../../shared/providers/grey-picture.ts';

it('is a picture that every decoder reads, of nothing', async () => {
  const picture = greyPicture();
  expect(sniffContentType(picture)).toBe('image/png');
  const { data, info } = await sharp(picture, { failOn: 'warning' }).raw().toBuffer({ resolveWithObject: true });
  expect(info).toMatchObject({ width: 64, height: 64 });
  expect(new Set(data)).toEqual(new Set([0x80]));
});
