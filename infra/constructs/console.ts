import { Construct } from 'constructs';
import type { Environment as Look } from '../../functions/look-at-capture/environment.ts';
import type { Environment as Read } from '../../functions/read-console/environment.ts';
import type { Environment as SignIn } from '../../functions/sign-in-operator/environment.ts';
import type { ApiFunctionName } from '../../shared/api/operations.ts';
import { readSettings } from '../settings.ts';
import type { CapturesBucket } from './captures-bucket.ts';
import type { Records } from './records.ts';
import type { Secrets } from './secrets.ts';
import { type AnyServiceFunction, ServiceFunction } from './service-function.ts';

/** What the console works on. */
export interface ConsoleProps {
  readonly records: Records;
  readonly captures: CapturesBucket;
  readonly secrets: Secrets;
}

/** A function that answers operators alone. What they do to a verification, the functions of integrators do for them. */
export type ConsoleFunctionName = Extract<ApiFunctionName, 'sign-in-operator' | 'read-console' | 'look-at-capture'>;

/** A person waits for these with a page open, as for those of the API. */
const memoryMegabytes = 1024;
/** An identity provider is asked two or three times within one answer. */
const signInTimeoutSeconds = 20;

/** Operators in a browser: their sessions, what they see, and who looked at which capture. */
export class Console extends Construct {
  readonly functions: Readonly<Record<ConsoleFunctionName, AnyServiceFunction>>;

  constructor(scope: Construct, id: string, props: ConsoleProps) {
    super(scope, id);
    this.functions = {
      'sign-in-operator': this.#signIn(props),
      'read-console': this.#read(props),
      'look-at-capture': this.#look(props),
    };
  }

  #signIn({ records, secrets }: ConsoleProps): AnyServiceFunction {
    const { oidc, publicUrl, loopback } = readSettings(this);
    const signIn = new ServiceFunction<SignIn>(this, 'sign-in-operator', {
      memoryMegabytes,
      timeoutSeconds: signInTimeoutSeconds,
      hurtWhenFailing: 'Operators cannot sign in to the console, or out of it.',
      environment: {
        TENANTS_TABLE: records.tenants.tableName,
        PUBLIC_URL: publicUrl ?? '',
        OIDC_ISSUER: oidc?.issuer ?? '',
        OIDC_CLIENT_ID: oidc?.clientId ?? '',
        OIDC_CLIENT_SECRET: oidc?.clientSecret ?? '',
        LOOPBACK: `${loopback}`,
      },
    });
    records.allowTenants(signIn);
    records.allowOperators(signIn);
    if (oidc) secrets.allowGiven(signIn, oidc.clientSecret);
    return signIn;
  }

  #read({ records, captures, secrets }: ConsoleProps): AnyServiceFunction {
    const read = new ServiceFunction<Read>(this, 'read-console', {
      memoryMegabytes,
      hurtWhenFailing: 'Operators do not see verifications, breakers and outcomes in the console.',
      environment: {
        VERIFICATIONS_TABLE: records.verifications.tableName,
        TENANTS_TABLE: records.tenants.tableName,
        ID_KEY_SECRET: secrets.idKey.secretArn,
        LEGACY_IDS: `${readSettings(this).legacyIds}`,
        CAPTURES_BUCKET: captures.bucketName,
        BREAKERS_TABLE: records.breakers.tableName,
        OUTCOMES_TABLE: records.outcomes.tableName,
      },
    });
    records.allowVerifications(read, 'GetItem');
    records.allowIndex(read, 'by_state');
    records.allowTenants(read);
    records.allowReadingBreakers(read);
    records.allowOutcomes(read, 'Query');
    secrets.allowIdKey(read);
    captures.allowListing(read); // which captures are still stored, and none of their bytes
    return read;
  }

  #look({ records, captures, secrets }: ConsoleProps): AnyServiceFunction {
    const look = new ServiceFunction<Look>(this, 'look-at-capture', {
      memoryMegabytes,
      hurtWhenFailing: 'Reviewers do not see captures, and cannot decide on what they do not see.',
      environment: {
        VERIFICATIONS_TABLE: records.verifications.tableName,
        TENANTS_TABLE: records.tenants.tableName,
        ID_KEY_SECRET: secrets.idKey.secretArn,
        LEGACY_IDS: `${readSettings(this).legacyIds}`,
        CAPTURES_BUCKET: captures.bucketName,
        LOOKS_TABLE: records.looks.tableName,
        PUBLIC_URL: readSettings(this).publicUrl ?? '',
      },
    });
    records.allowVerifications(look, 'GetItem');
    records.allowTenants(look);
    records.allowLooks(look);
    secrets.allowIdKey(look);
    captures.allowCaptures(look, 'GetObjectVersion'); // what it signs, and whether it is still there
    captures.allowKnowingWhatIsGone(look);
    return look;
  }
}
