/** One tab of a browser captures for a verification: two would overwrite each other's digits and captures. */

export interface Hold {
  readonly release: () => void;
}

export interface Holding {
  readonly name: string;
  /** Takes it from a tab that holds it. */
  readonly steal: boolean;
  /** Another tab took it over. */
  readonly onLost: () => void;
}

/** Undefined where another tab holds it. */
export async function hold(holding: Holding): Promise<Hold | undefined> {
  if (!navigator.locks) return typeof BroadcastChannel === 'function' ? byChannel(holding) : { release: () => {} };
  const held = await byLock(holding);
  if (held) return held;
  // What a page that was reloaded, or an element that was moved, held a moment ago may not be free yet.
  await new Promise((resolve) => setTimeout(resolve, answerMilliseconds));
  return byLock(holding);
}

/** How long another tab may take to say that it is there, or one that has gone to be gone. */
const answerMilliseconds = 250;

function byLock({ name, steal, onLost }: Holding): Promise<Hold | undefined> {
  return new Promise((resolve) => {
    let isReleased = false;
    let release = () => {};
    const held = new Promise<void>((resolveHeld) => {
      release = () => {
        isReleased = true;
        resolveHeld();
      };
    });
    navigator.locks
      .request(name, steal ? { steal } : { ifAvailable: true }, (lock) => {
        resolve(lock ? { release } : undefined);
        return lock ? held : undefined;
      })
      .catch((error: unknown) => {
        // Forbidden, as in a frame whose storage is: then there is no other tab to meet.
        resolve({ release });
        const isStolen = error instanceof DOMException && error.name === 'AbortError';
        if (isStolen && !isReleased) onLost();
      });
  });
}

/** Without Web Locks (Safari before 15.4, insecure pages): each tab says that it holds, and gives way when told to. */
function byChannel({ name, steal, onLost }: Holding): Promise<Hold | undefined> {
  const channel = new BroadcastChannel(name);
  const release = () => channel.close();
  return new Promise((resolve) => {
    channel.postMessage(steal ? 'mine' : 'free?');
    const free = setTimeout(
      () => {
        channel.onmessage = ({ data }) => {
          if (data === 'free?') channel.postMessage('held');
          if (data !== 'mine') return;
          release();
          onLost();
        };
        resolve({ release });
      },
      steal ? 0 : answerMilliseconds,
    );
    channel.onmessage = ({ data }) => {
      if (data !== 'held' || steal) return;
      clearTimeout(free);
      release();
      resolve(undefined);
    };
  });
}
