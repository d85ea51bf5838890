import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { EventBridge } from '../eventbridge/eventbridge.ts';
import type { Part } from '../part.ts';
import { notKnown, region, type Template } from '../template.ts';
import { ownAddresses, portFile, portOf, publicOrigin } from './address.ts';
import { type Bucket, type S3, startS3 } from './s3.ts';
import type { Credentials } from './signature.ts';

/** The buckets, in `s3/` of the data directory; their events go to the default bus. */
export const s3: Part<{ credentials: Credentials; eventBridge: EventBridge }, { s3: S3 }> = async (
  { template, dataDirectory, port: apiPort, s3Port, s3PublicHost },
  { credentials, eventBridge },
) => {
  const port = await portOf(dataDirectory, apiPort, s3Port);
  const origin = s3PublicHost ? publicOrigin(s3PublicHost, port) : undefined;
  const started = await startS3({
    directory: path.join(dataDirectory, 's3'),
    buckets: bucketsOf(template),
    credentials,
    port,
    ...(origin && { publicOrigin: origin, alsoListenOn: await ownAddresses(origin) }),
    region,
    onEvent: (event) => eventBridge.put('default', { ...event }),
  });
  writeFileSync(portFile(dataDirectory), new URL(started.endpoint).port);
  return { gives: { s3: started }, stop: started.stop };
};

interface LifecycleRule {
  Status: string;
  Prefix?: string;
  ExpirationInDays?: number;
  NoncurrentVersionExpiration?: { NoncurrentDays: number };
}

function bucketsOf(template: Template): Bucket[] {
  return template.ofType('AWS::S3::Bucket').map((resource) => {
    const properties = template.properties(resource) as {
      VersioningConfiguration?: { Status: string };
      NotificationConfiguration?: { EventBridgeConfiguration?: { EventBridgeEnabled?: boolean } } & Record<
        string,
        unknown
      >;
      CorsConfiguration?: { CorsRules: Bucket['cors'] };
      LifecycleConfiguration?: { Rules: LifecycleRule[] };
    };
    const { EventBridgeConfiguration, ...others } = properties.NotificationConfiguration ?? {};
    if (Object.keys(others).length > 0) throw notKnown(resource, `notifications by ${Object.keys(others)}`);
    const rules = (properties.LifecycleConfiguration?.Rules ?? []).filter(({ Status }) => Status === 'Enabled');
    return {
      name: resource.name,
      versioned: properties.VersioningConfiguration?.Status === 'Enabled',
      notifies: Boolean(EventBridgeConfiguration) && EventBridgeConfiguration?.EventBridgeEnabled !== false,
      cors: properties.CorsConfiguration?.CorsRules ?? [],
      lifecycle: rules.map(({ Prefix = '', ExpirationInDays, NoncurrentVersionExpiration }) => ({
        prefix: Prefix,
        ...(ExpirationInDays !== undefined && { current: Number(ExpirationInDays) }),
        ...(NoncurrentVersionExpiration && { replaced: Number(NoncurrentVersionExpiration.NoncurrentDays) }),
      })),
    };
  });
}
