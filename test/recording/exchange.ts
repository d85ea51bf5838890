/** One HTTP exchange as `preload.ts` writes it down. */
export interface Exchange {
  readonly at: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: Body | undefined;
  readonly response:
    | { readonly status: number; readonly headers: Headers; readonly body: Body | undefined }
    /** The connection ended before the response did: the status sent until then, if any. */
    | { readonly hungUpAfter: number | undefined };
}

/** Names in lower case. */
export type Headers = Readonly<Record<string, string>>;

/** A text as it is; other bytes by length and hash; a form by its fields. */
export type Body =
  | string
  | {
      readonly bytes: number;
      readonly hash: string;
      readonly filename?: string | undefined;
      readonly type?: string | undefined;
    }
  | { readonly parts: Readonly<Record<string, Body>> };
