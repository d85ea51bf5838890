import { readFile } from 'node:fs/promises';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import { brokenHistory, describeBroken, isUnchained } from '../../shared/domain/broken-history.ts';
import { sourceId, type Verification } from '../../shared/domain/verification.ts';
import { legacyVerificationIdOf, verificationIdOf } from '../../shared/domain/verification-id.ts';
import { type Commands, tenantNamed } from './command.ts';
import type { Deployment } from './deployment.ts';
import { parseJson } from './files.ts';

/** Records read at the same time. */
const atOnce = 16;

/** Hashes that events told, by verification and by sequence. */
type Anchors = ReadonlyMap<string, ReadonlyMap<number, string>>;

export const auditCommands: Commands = {
  'audit verify': {
    words: 1,
    run: async ([name = '', source], { connect, against }) => {
      const tenant = tenantNamed(name);
      const anchors = against === undefined ? new Map() : await anchorsIn(against, tenant);
      const ids = source === undefined ? undefined : await idsOf(tenant, source, connect);
      const deployment = await connect();
      const seen = new Set<string>();
      const tally = { read: 0, broken: 0, unchained: 0 };
      for await (const batch of batches(ids ?? deployment.verificationIds(tenant))) {
        const findings = await Promise.all(batch.map((id) => audited(id, deployment, anchors.get(id))));
        for (const [index, finding] of findings.entries()) {
          const id = batch[index] as string;
          if (seen.has(id) || finding === 'gone') continue; // it moved to another state, or was purged, while it was listed
          seen.add(id);
          tally.read += 1;
          if (finding === 'unchained') tally.unchained += 1;
          else if (finding) console.log(finding);
          if (finding && finding !== 'unchained') tally.broken += 1;
        }
      }
      if (source !== undefined && tally.read === 0) throw new Error(`Tenant ${tenant} has no verification ${source}`);
      const unread = source === undefined ? [...anchors.keys()].filter((id) => !seen.has(id)) : [];
      for (const id of unread)
        console.log(`${id}: an event tells of it, and it is not there (or its retention is over)`);
      const before = tally.unchained === 0 ? '' : `, ${tally.unchained} from before lines had hashes`;
      const summary = `${tally.read} verifications, ${tally.broken + unread.length} of them broken${before}`;
      if (tally.broken + unread.length > 0) throw new Error(summary);
      console.log(summary);
    },
  },
};

/** What is wrong with a record, in one line; undefined where it holds. */
async function audited(
  id: string,
  { verifications }: Deployment,
  anchors: ReadonlyMap<number, string> | undefined,
): Promise<string | undefined> {
  let record: Verification | undefined;
  try {
    record = await verifications.find(id, { toShow: true });
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    const [issue] = error.issues;
    const [field, index] = issue?.path ?? [];
    const where = field === 'history' && typeof index === 'number' ? `line ${index + 1} was changed` : 'it was changed';
    return `${id}: ${where}: ${issue?.path.join('.')} is none of ours`;
  }
  if (!record) return 'gone';
  const broken = brokenHistory(record, anchors);
  if (!broken) return isUnchained(record) ? 'unchained' : undefined;
  const named = record.state === 'erased' ? id : `${record.sourceId} (${id})`;
  return `${named}: ${describeBroken(record, broken)}`;
}

async function* batches(ids: AsyncIterable<string> | Iterable<string>): AsyncGenerator<string[]> {
  let batch: string[] = [];
  for await (const id of ids) {
    batch.push(id);
    if (batch.length < atOnce) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** The ids that a source_id leads to, also that of a version from before ids had a key. */
export async function idsOf(
  tenant: string,
  source: string,
  connect: () => Promise<Deployment>,
): Promise<[string, string]> {
  const asked = sourceId.safeParse(source);
  if (!asked.success) throw new Error(`A source_id ${asked.error.issues[0]?.message}`);
  const { secrets, idKeySecret: SecretId } = await connect();
  if (!SecretId) throw new Error('Give --id-key-secret: its ARN is the stack’s output IdKeySecret');
  const { SecretString = '' } = await secrets.send(new GetSecretValueCommand({ SecretId }));
  return [verificationIdOf(SecretString, tenant, asked.data), legacyVerificationIdOf(tenant, asked.data)];
}

const told = z.looseObject({
  id: z.string().regex(/^evt_[a-z2-7]{26}_\d+$/),
  tenant: z.string(),
  sequence: z.int(),
  hash: z.string().optional(),
});

/** A line of the file: an event, a webhook's body with it as `data`, or the bus's envelope with it as `detail`. */
const line = z.union([
  told,
  z.looseObject({ data: told }).transform(({ data }) => data),
  z.looseObject({ detail: told }).transform(({ detail }) => detail),
]);

/** Events that are not of a verification, or of another tenant, or from before they had a hash, say nothing here. */
async function anchorsIn(path: string, tenant: string): Promise<Anchors> {
  const anchors = new Map<string, Map<number, string>>();
  const text = await readFile(path, 'utf8');
  for (const [index, written] of text.split('\n').entries()) {
    if (written.trim() === '') continue;
    const event = line.safeParse(parseJson(written, `Line ${index + 1} of ${path}`)).data;
    if (event?.hash === undefined || event.tenant !== tenant) continue;
    const [, id = ''] = event.id.split('_');
    anchors.set(id, (anchors.get(id) ?? new Map()).set(event.sequence, event.hash));
  }
  return anchors;
}
