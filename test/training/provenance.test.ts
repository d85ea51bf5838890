import { describe, expect, it } from 'vitest';
import { readProvenance } from '../../engine/training/spoof/provenance.ts';

const header = 'file,label,species,subject,source,device,instrument,lighting,consent';
const right = [
  'a.jpg,bona_fide,,01,office,Pixel 8,,window,form 01',
  'b.jpg,attack,replay,01,office,Pixel 8,iPad 9,window,form 01',
  'c/c.png,bona_fide,,02,home,webcam C920,,lamp,form 02',
];

const read = (rows: readonly string[], digestOf = async (file: string): Promise<string | undefined> => file) =>
  readProvenance([header, ...rows].join('\n'), digestOf);

describe('provenance.csv', () => {
  it('is read, its columns in any order, with a byte order mark and CRLF', async () => {
    expect(await read(right)).toHaveLength(3);
    const turned = [header, ...right].map((line) => line.split(',').reverse().join(','));
    const [capture] = await readProvenance(`\uFEFF${turned.join('\r\n')}\r\n`, async (file) => file);
    expect(capture).toMatchObject({
      file: 'a.jpg',
      label: 'bona_fide',
      subject: '01',
      source: 'office',
      consent: 'form 01',
    });
  });

  it.each([
    ['a column that is missing', header.replace(',consent', ''), 'the column consent is missing'],
    ['a column that is unknown', `${header},age`, 'the column "age" is unknown'],
    ['an empty file', '', 'the column file is missing'],
  ])('refuses %s', async (_, columns, said) => {
    await expect(readProvenance(`${columns}\n`, async () => '')).rejects.toThrow(said);
  });

  it.each([
    [
      'an unknown species',
      'd.jpg,attack,hologram,03,lab,d,i,l,c',
      'line 5: species is none of print, replay, photographed_portrait, mask',
    ],
    ['an attack without a species', 'd.jpg,attack,,03,lab,d,i,l,c', 'line 5: species is none of'],
    ['an attack without an instrument', 'd.jpg,attack,print,03,lab,d,,l,c', 'line 5: instrument is empty'],
    ['a bona fide capture with a species', 'd.jpg,bona_fide,print,03,lab,d,,l,c', 'line 5: species must be empty'],
    ['another label', 'd.jpg,live,,03,lab,d,,l,c', 'line 5: label is neither bona_fide nor attack'],
    ['a capture without consent', 'd.jpg,bona_fide,,03,lab,d,,l,', 'line 5: consent is empty'],
    ['a person without a number', 'd.jpg,bona_fide,,,lab,d,,l,c', 'line 5: subject is empty'],
    ['a file outside the folder', '../d.jpg,bona_fide,,03,lab,d,,l,c', 'line 5: file is not a JPEG'],
    ['a file that is no picture', 'd.mov,bona_fide,,03,lab,d,,l,c', 'line 5: file is not a JPEG'],
    ['a comma within a cell', 'd.jpg,bona_fide,,03,lab,d,,l,"a, b"', 'line 5: 10 cells where there are 9 columns'],
    ['a person in two sources', 'd.jpg,bona_fide,,01,lab,d,,l,c', 'subject 01 is in the sources office and lab'],
    ['a file that is listed twice', 'a.jpg,bona_fide,,01,office,d,,l,c', 'a.jpg is listed twice'],
  ])('refuses %s', async (_, row, said) => {
    await expect(read([...right, row])).rejects.toThrow(said);
  });

  it('refuses files that are missing, and one picture under two names', async () => {
    const digests: Readonly<Record<string, string>> = { 'a.jpg': 'same', 'b.jpg': 'same' };
    const refused = read(right, async (file) => digests[file]);
    await expect(refused).rejects.toThrow('b.jpg is the same picture as a.jpg\nthere is no file c/c.png');
  });

  it('refuses captures of one source: none is left to measure on', async () => {
    await expect(read(right.slice(0, 2))).rejects.toThrow('bona fide captures of two sources are the least, found 1');
  });

  it('says every mistake at once, the first twenty in words', async () => {
    const mistaken = Array.from({ length: 25 }, (_, index) => `${index}.jpg,live,,n${index},lab,d,,l,c`);
    const refused = read([...right, ...mistaken]);
    await expect(refused).rejects.toThrow(/line 5: .*line 24: .*… and 5 more$/s);
  });
});
