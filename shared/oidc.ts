import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import * as client from 'openid-client';
import * as z from 'zod';
import { epochSeconds, signInSeconds } from './domain/times.ts';

/**
 * Signs operators in at an identity provider: OpenID Connect, authorization code with PKCE, state and nonce. The issuer
 * is reached by `fetch` and not through `fetching.ts`: the operator of the deployment names it in CDK context, and no
 * caller can name another.
 */
export interface IdentityProvider {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: () => Promise<string>;
  /** Whether it may be spoken to without TLS: on the machine of a developer alone. */
  readonly loopback: boolean;
  readonly now: () => Date;
  readonly randomBytes: (size: number) => Buffer;
}

/** What the browser carries, sealed, from the beginning of a sign-in to its end. */
const begun = z.object({ state: z.string(), nonce: z.string(), verifier: z.string(), until: z.int() });

/** Claims of a person, from the ID token or, where that is short, from the provider's userinfo. */
const claims = z.object({
  email: z.string().max(254).optional(),
  email_verified: z.union([z.boolean(), z.literal('true').transform(() => true)]).optional(), // some send a text
});

/** Where the provider sends the browser back to. It must be registered there, to the letter. */
const callbackOf = (origin: string): string => `${origin}/console/callback`;

export function identityProvider({ issuer, clientId, clientSecret, loopback, now, randomBytes }: IdentityProvider) {
  let discovered: Promise<client.Configuration> | undefined;

  /** What the provider says of itself: asked once per process, and again after a failure. */
  function configuration(): Promise<client.Configuration> {
    discovered ??= discover().catch((error: unknown) => {
      discovered = undefined;
      throw error;
    });
    return discovered;
  }

  async function discover(): Promise<client.Configuration> {
    const execute = loopback ? [client.allowInsecureRequests] : [];
    return client.discovery(new URL(issuer), clientId, await clientSecret(), undefined, { execute });
  }

  /** AES-256-GCM under a key of the client's secret: a sign-in that was begun before it was replaced begins again. */
  const sealing = async () => Buffer.from(hkdfSync('sha256', await clientSecret(), '', 'sign-in of operators', 32));

  async function seal(value: z.infer<typeof begun>): Promise<string> {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', await sealing(), nonce);
    const text = Buffer.concat([cipher.update(JSON.stringify(value)), cipher.final()]);
    return Buffer.concat([nonce, text, cipher.getAuthTag()]).toString('base64url');
  }

  /** Undefined for what was not sealed here, or is over. */
  async function open(sealed: string): Promise<z.infer<typeof begun> | undefined> {
    const bytes = Buffer.from(sealed, 'base64url');
    if (bytes.length < 28) return undefined;
    try {
      const decipher = createDecipheriv('aes-256-gcm', await sealing(), bytes.subarray(0, 12));
      decipher.setAuthTag(bytes.subarray(-16));
      const text = Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
      const opened = begun.parse(JSON.parse(text.toString('utf8')));
      return opened.until > epochSeconds(now()) ? opened : undefined;
    } catch {
      return undefined;
    }
  }

  return {
    /** Where the browser goes, and what it carries. */
    async begin(origin: string): Promise<{ url: string; carried: string }> {
      const [state, nonce, verifier] = [client.randomState(), client.randomNonce(), client.randomPKCECodeVerifier()];
      const url = client.buildAuthorizationUrl(await configuration(), {
        redirect_uri: callbackOf(origin),
        scope: 'openid email',
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        state,
        nonce,
      });
      const until = epochSeconds(now()) + signInSeconds;
      return { url: url.href, carried: await seal({ state, nonce, verifier, until }) };
    },

    /** The address that the provider has verified, in a browser that began the sign-in; undefined in any other. */
    async finish(
      origin: string,
      query: Readonly<Record<string, unknown>>,
      carried: string | undefined,
    ): Promise<string | undefined> {
      const expected = carried === undefined ? undefined : await open(carried);
      if (!expected) return undefined;
      const config = await configuration();
      const parameters = Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]);
      const tokens = await client.authorizationCodeGrant(
        config,
        new URL(`${callbackOf(origin)}?${new URLSearchParams(parameters)}`),
        {
          pkceCodeVerifier: expected.verifier,
          expectedState: expected.state,
          expectedNonce: expected.nonce,
          idTokenExpected: true,
        },
      );
      const subject = tokens.claims();
      if (!subject) return undefined;
      const told =
        subject.email === undefined ? await client.fetchUserInfo(config, tokens.access_token, subject.sub) : subject;
      const { email, email_verified: verified } = claims.parse(told);
      return verified ? email : undefined;
    },
  };
}

export type IdentityProviders = ReturnType<typeof identityProvider>;
