import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';

/** A program or library that was compiled into a package's binary. */
export interface Work {
  readonly name: string;
  readonly version: string;
  /** SPDX, or the name the work gives its licence. */
  readonly licence: string;
  /** Where its source is. */
  readonly source: string;
}

/** A package whose licence asks for its source to be offered, by the build that is shipped. */
export interface CopyleftPackage {
  readonly name: string;
  /** Checked against the lockfile: an update has to look at the rest of the row again. */
  readonly version: string;
  /** Files of `engine/licences`, without `.txt`. */
  readonly texts: readonly string[];
  /** What was compiled, and how the source for it is found. */
  readonly build: string;
  readonly source: string;
  /** The compiled files, in the package. */
  readonly binaries: readonly string[];
  readonly works: readonly Work[];
}

/**
 * Versions as the binary itself reports them (FFmpeg, libvpx, zlib), else as the Dockerfile pins them that names the
 * same four; x264 and LAME were built from branches.
 */
const ffmpeg: CopyleftPackage = {
  name: '@ffmpeg/core',
  version: '0.12.10',
  texts: ['GPL-2.0', 'LGPL-2.1'],
  build:
    'Emscripten 3.1.40, configured with `--enable-gpl` and the libraries below (`ffmpeg -version` prints all of it). The build is `make prd` of the repository; its Dockerfile of commit e0d4c62a229ba58ea0c6e6b881e289f2fefe97c4 names every source.',
  source: 'https://github.com/ffmpegwasm/ffmpeg.wasm',
  binaries: ['dist/umd/ffmpeg-core.js', 'dist/umd/ffmpeg-core.wasm'],
  works: [
    work('FFmpeg', '5.1.4', 'GPL-2.0-or-later', 'https://github.com/FFmpeg/FFmpeg/tree/n5.1.4'),
    work('x264', '4-cores', 'GPL-2.0-or-later', 'https://github.com/ffmpegwasm/x264/tree/4-cores'),
    work('x265', '3.4', 'GPL-2.0-or-later', 'https://github.com/ffmpegwasm/x265/tree/3.4'),
    work('LAME', 'master', 'LGPL-2.0-or-later', 'https://github.com/ffmpegwasm/lame/tree/master'),
    work('FriBidi', '1.0.9', 'LGPL-2.1-or-later', 'https://github.com/fribidi/fribidi/tree/v1.0.9'),
    work('libvpx', '1.13.1', 'BSD-3-Clause', 'https://github.com/ffmpegwasm/libvpx/tree/v1.13.1'),
    work('Ogg', '1.3.4', 'BSD-3-Clause', 'https://github.com/ffmpegwasm/Ogg/tree/v1.3.4'),
    work('Theora', '1.1.1', 'BSD-3-Clause', 'https://github.com/ffmpegwasm/theora/tree/v1.1.1'),
    work('Vorbis', '1.3.3', 'BSD-3-Clause', 'https://github.com/ffmpegwasm/vorbis/tree/v1.3.3'),
    work('Opus', '1.3.1', 'BSD-3-Clause', 'https://github.com/ffmpegwasm/opus/tree/v1.3.1'),
    work('zlib', '1.2.11', 'Zlib', 'https://github.com/ffmpegwasm/zlib/tree/v1.2.11'),
    work('libwebp', '1.3.2', 'BSD-3-Clause', 'https://github.com/ffmpegwasm/libwebp/tree/v1.3.2'),
    work('FreeType', '2.10.4', 'FTL', 'https://github.com/ffmpegwasm/freetype2/tree/VER-2-10-4'),
    work('HarfBuzz', '5.2.0', 'MIT', 'https://github.com/harfbuzz/harfbuzz/tree/5.2.0'),
    work('libass', '0.15.0', 'ISC', 'https://github.com/libass/libass/tree/0.15.0'),
    work('zimg', '3.0.5', 'WTFPL', 'https://github.com/sekrit-twc/zimg/tree/release-3.0.5'),
  ],
};

/** Versions as the binary reports them. */
const libheif: CopyleftPackage = {
  name: 'libheif-js',
  version: '1.23.2',
  texts: ['LGPL-3.0', 'GPL-3.0'],
  build:
    'Emscripten; the package takes the release v1.23.2 of https://github.com/catdad-experiments/libheif-emscripten, whose workflow compiles the sources below.',
  source: 'https://github.com/catdad-experiments/libheif-js',
  binaries: ['libheif-wasm/libheif.js', 'libheif-wasm/libheif.wasm'],
  works: [
    work('libheif', '1.23.2', 'LGPL-3.0-or-later', 'https://github.com/strukturag/libheif/tree/v1.23.2'),
    work('libde265', '1.0.15', 'LGPL-3.0-or-later', 'https://github.com/strukturag/libde265/tree/v1.0.15'),
  ],
};

/** Published as its source is, without types and line breaks. */
const mediabunny: CopyleftPackage = {
  name: 'mediabunny',
  version: '1.61.0',
  texts: ['MPL-2.0'],
  build: '`npm ci && npm run build` of the repository at that tag; the npm package holds the source, too, in `src/`.',
  source: 'https://github.com/Vanilagy/mediabunny/tree/v1.61.0',
  binaries: ['dist/bundles/mediabunny.min.cjs'],
  works: [work('mediabunny', '1.61.0', 'MPL-2.0', 'https://github.com/Vanilagy/mediabunny/tree/v1.61.0')],
};

/** By the names of the package's versions.json; licences as its README says they are used. */
const worksInLibvips: ReadonlyMap<string, Pick<Work, 'name' | 'licence' | 'source'>> = new Map(
  Object.entries({
    aom: { name: 'aom', licence: 'BSD-2-Clause', source: 'https://aomedia.googlesource.com/aom' },
    archive: { name: 'libarchive', licence: 'BSD-2-Clause', source: 'https://github.com/libarchive/libarchive' },
    cairo: { name: 'cairo', licence: 'MPL-1.1', source: 'https://gitlab.freedesktop.org/cairo/cairo' },
    cgif: { name: 'cgif', licence: 'MIT', source: 'https://github.com/dloebl/cgif' },
    emscripten: { name: 'Emscripten', licence: 'MIT', source: 'https://github.com/emscripten-core/emscripten' },
    exif: { name: 'libexif', licence: 'LGPL-3.0-or-later', source: 'https://github.com/libexif/libexif' },
    expat: { name: 'expat', licence: 'MIT', source: 'https://github.com/libexpat/libexpat' },
    ffi: { name: 'libffi', licence: 'MIT', source: 'https://github.com/libffi/libffi' },
    fontconfig: {
      name: 'fontconfig',
      licence: 'fontconfig License',
      source: 'https://gitlab.freedesktop.org/fontconfig/fontconfig',
    },
    freetype: { name: 'freetype', licence: 'FTL', source: 'https://github.com/freetype/freetype' },
    fribidi: { name: 'fribidi', licence: 'LGPL-3.0-or-later', source: 'https://github.com/fribidi/fribidi' },
    glib: { name: 'glib', licence: 'LGPL-3.0-or-later', source: 'https://download.gnome.org/sources/glib' },
    harfbuzz: { name: 'harfbuzz', licence: 'MIT', source: 'https://github.com/harfbuzz/harfbuzz' },
    heif: { name: 'libheif', licence: 'LGPL-3.0-or-later', source: 'https://github.com/strukturag/libheif' },
    highway: { name: 'highway', licence: 'BSD-3-Clause', source: 'https://github.com/google/highway' },
    imagequant: { name: 'libimagequant', licence: 'BSD-2-Clause', source: 'https://github.com/lovell/libimagequant' },
    lcms: { name: 'lcms', licence: 'MIT', source: 'https://github.com/mm2/Little-CMS' },
    mozjpeg: { name: 'mozjpeg', licence: 'IJG', source: 'https://github.com/mozilla/mozjpeg' },
    pango: { name: 'pango', licence: 'LGPL-3.0-or-later', source: 'https://download.gnome.org/sources/pango' },
    pixman: { name: 'pixman', licence: 'MIT', source: 'https://gitlab.freedesktop.org/pixman/pixman' },
    png: { name: 'libpng', licence: 'libpng-2.0', source: 'https://github.com/pnggroup/libpng' },
    'proxy-libintl': {
      name: 'proxy-libintl',
      licence: 'LGPL-3.0-or-later',
      source: 'https://github.com/frida/proxy-libintl',
    },
    resvg: { name: 'resvg', licence: 'MIT', source: 'https://github.com/linebender/resvg' },
    rsvg: { name: 'librsvg', licence: 'LGPL-3.0-or-later', source: 'https://gitlab.gnome.org/GNOME/librsvg' },
    tiff: { name: 'libtiff', licence: 'libtiff', source: 'https://gitlab.com/libtiff/libtiff' },
    uhdr: { name: 'libultrahdr', licence: 'MIT', source: 'https://github.com/google/libultrahdr' },
    vips: { name: 'libvips', licence: 'LGPL-3.0-or-later', source: 'https://github.com/libvips/libvips' },
    webp: { name: 'libwebp', licence: 'BSD-3-Clause', source: 'https://chromium.googlesource.com/webm/libwebp' },
    xml2: { name: 'libxml2', licence: 'MIT', source: 'https://gitlab.gnome.org/GNOME/libxml2' },
    'zlib-ng': { name: 'zlib-ng', licence: 'Zlib', source: 'https://github.com/zlib-ng/zlib-ng' },
  }),
);

const sharpWasm = '@img/sharp-wasm32';
type Versions = Readonly<Record<string, string>>;

const libvips = (name: string, versions: Versions): CopyleftPackage => ({
  name,
  version: '1.3.4',
  texts: ['LGPL-3.0', 'GPL-3.0', 'MPL-1.1'],
  build:
    'The scripts in `build/` of the tag v1.3.4 fetch, patch and compile the sources below, as one shared library. Works under the LGPL are used under its version 3.',
  source: 'https://github.com/lovell/sharp-libvips/tree/v1.3.4',
  binaries: [`lib/libvips-cpp.so.${versions.vips}`],
  works: worksIn(name, versions),
});

const sharpAsWasm = (versions: Versions): CopyleftPackage => ({
  name: sharpWasm,
  version: '0.35.5',
  texts: ['LGPL-3.0', 'GPL-3.0'],
  build:
    '`build/wasm.sh` of https://github.com/lovell/sharp-libvips, tag v1.3.4, fetches and compiles the sources below; the tag v0.35.5 of sharp links them with its own code (Apache-2.0). Works under the LGPL are used under its version 3.',
  source: 'https://github.com/lovell/sharp/tree/v0.35.5',
  binaries: ['js', 'wasm'].map((kind) => `lib/sharp-wasm32-0.35.5.node.${kind}`),
  works: worksIn(sharpWasm, versions),
});

const worksIn = (name: string, versions: Versions): readonly Work[] =>
  Object.entries(versions).map(([key, version]) => {
    const known = worksInLibvips.get(key);
    if (!known) throw new Error(`${name} contains ${key}, of which tools/release/copyleft.ts knows no licence`);
    return { ...known, version };
  });

function work(name: string, version: string, licence: string, source: string): Work {
  return { name, version, licence, source };
}

/** The copyleft packages of the assets in `directory`, which are for one architecture. */
export async function copyleftPackages(directory: string, architecture: string): Promise<readonly CopyleftPackage[]> {
  const native = `@img/sharp-libvips-linux-${architecture}`;
  const versionsOf = async (name: string): Promise<Versions> => {
    const text = await readFile(path.join(directory, 'node_modules', name, 'versions.json'), 'utf8');
    return z.record(z.string(), z.string()).parse(JSON.parse(text));
  };
  return [
    ffmpeg,
    libheif,
    mediabunny,
    libvips(native, await versionsOf(native)),
    sharpAsWasm(await versionsOf(sharpWasm)),
  ];
}
