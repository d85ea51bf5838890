/** The script of a page that uploads with the client: a test calls it and reads what moved. */
import { bonafide } from '../../web/client/index.ts';

interface Given {
  readonly base: string;
  readonly token: string;
  readonly sourceId: string;
  readonly photo: string;
}

const moved: number[] = [];
Object.assign(globalThis, {
  moved,
  outcome: 'running',
  send: async ({ base, token, sourceId, photo }: Given) => {
    const bytes = await (await fetch(photo)).blob();
    // As a recorder names it: never what S3 was promised.
    const selfie = new Blob([bytes], { type: 'image/jpeg;quality=high' });
    Object.assign(globalThis, { outcome: 'running' });
    await bonafide({ base, token })
      .uploadCaptures(sourceId, { selfie }, { onProgress: ({ loaded }) => moved.push(loaded) })
      .then(
        () => Object.assign(globalThis, { outcome: 'stored' }),
        (error: Error) => Object.assign(globalThis, { outcome: String(error) }),
      );
  },
});
