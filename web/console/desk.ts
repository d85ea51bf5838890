import type { ConsoleApi } from './api.ts';
import type { OutcomesFeed } from './feed.ts';
import type { Session } from './wire.ts';
import type { Words } from './words.ts';

/** A review that was begun: kept over an ended session, in memory alone. */
export interface Draft {
  readonly outcome: '' | 'passed' | 'failed';
  readonly reason: string;
  /** Of the verification as the reviewer saw it when they began. */
  readonly sequence: number;
}

/** What every view works with. */
export interface Desk {
  readonly api: ConsoleApi;
  readonly words: Words;
  readonly session: Session;
  /** By source_id. */
  readonly drafts: Map<string, Draft>;
  readonly feed: OutcomesFeed;
  /** True once the operator has gone from one view to another: the new one takes the focus. */
  readonly wentOn: boolean;
  /** Has a screen reader say it, and shows it for a while. */
  readonly say: (text: string) => void;
}
