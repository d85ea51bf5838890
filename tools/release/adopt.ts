import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { legacyVerificationIdOf, verificationIdOf } from '../../shared/domain/verification-id.ts';

/*
 * A new stack over what another one left when it was torn down: CloudFormation imports the tables, the bucket and the secrets,
 * and the deployment after it makes the rest. CloudFormation refuses what a living stack holds; what lies under these names and
 * is no table, bucket or secret of a Bonafide is refused here.
 */

/** How CloudFormation finds what is imported, by type. */
const identifiers: Readonly<Record<string, string>> = {
  'AWS::DynamoDB::Table': 'TableName',
  'AWS::S3::Bucket': 'BucketName',
  'AWS::SecretsManager::Secret': 'Id',
};

const resource = z.looseObject({
  Type: z.string(),
  DeletionPolicy: z.string().optional(),
  Properties: z.record(z.string(), z.unknown()).default({}),
});
const template = z.looseObject({
  Resources: z.record(z.string(), resource),
  Outputs: z.record(z.string(), z.looseObject({ Value: z.unknown() })),
});
const reference = z.object({ Ref: z.string() });

/** One thing that is kept when its stack goes, and what it was called there. */
interface Kept {
  readonly output: string;
  readonly logicalId: string;
  readonly resource: z.infer<typeof resource>;
  readonly name: string;
}

export interface Adopting {
  readonly stackName: string;
  /** The file `cdk-outputs.json` of the stack that was torn down. */
  readonly file: string;
  /** The template of the new stack, as it was synthesized. */
  readonly templateFile: string;
}

/** Imports what the file names into a stack of this name; does nothing where it holds all of it already. */
export function adopt({ stackName, file, templateFile }: Adopting): void {
  const kept = keptOf(template.parse(readJson(templateFile)), outputsIn(file), file);
  const held = heldBy(stackName);
  if (held && kept.every(({ logicalId, name }) => held.get(logicalId) === name)) return;
  if (held) throw new Error(`The stack ${stackName} is there already: adopt makes a new one, by another stackName`);
  for (const one of kept) refuseForeign(one);
  refuseOtherKey(kept);
  importInto(stackName, kept);
  console.log(`${stackName} has adopted ${kept.map(({ name }) => name).join(', ')}`);
}

/** What the new stack keeps when it goes, with the names that the old one's outputs have for it. */
function keptOf(made: z.infer<typeof template>, names: ReadonlyMap<string, string>, file: string): Kept[] {
  const kept = Object.entries(made.Outputs).flatMap(([output, { Value }]) => {
    const logicalId = reference.safeParse(Value).data?.Ref ?? '';
    const found = made.Resources[logicalId];
    if (found?.DeletionPolicy !== 'Retain' || identifiers[found.Type] === undefined) return [];
    return [{ output, logicalId, resource: found, name: names.get(output) }];
  });
  if (kept.length === 0) throw new Error('The new stack would keep nothing: adopt goes with retainData=true');
  const unnamed = kept.filter(({ name }) => name === undefined).map(({ output }) => output);
  if (unnamed.length > 0)
    throw new Error(`${file} does not say what ${unnamed.join(', ')} was: give the outputs of a stack`);
  return kept.map((one) => ({ ...one, name: String(one.name) }));
}

function outputsIn(file: string): ReadonlyMap<string, string> {
  const stacks = z.record(z.string(), z.record(z.string(), z.string())).safeParse(readJson(file));
  const [outputs, ...others] = Object.values(stacks.data ?? {});
  if (!outputs || others.length > 0) throw new Error(`${file} is no cdk-outputs.json of one stack`);
  return new Map(Object.entries(outputs));
}

/** Names of what a stack holds, by logical id; undefined where there is none. One whose import failed holds nothing, and is none. */
function heldBy(stackName: string): ReadonlyMap<string, string> | undefined {
  const status = aws(
    'cloudformation',
    'describe-stacks',
    '--stack-name',
    stackName,
    '--query',
    'Stacks[0].StackStatus',
  );
  if (status.kind === 'failed' || status.answer === 'REVIEW_IN_PROGRESS') return undefined;
  const query = 'StackResources[].[LogicalResourceId, PhysicalResourceId]';
  return new Map(
    z
      .array(z.tuple([z.string(), z.string()]))
      .parse(mustAws('cloudformation', 'describe-stack-resources', '--stack-name', stackName, '--query', query)),
  );
}

const keySchema = z.array(z.looseObject({ AttributeName: z.string(), KeyType: z.string() }));
const described = z.looseObject({
  Table: z.looseObject({
    KeySchema: keySchema,
    GlobalSecondaryIndexes: z.array(z.looseObject({ IndexName: z.string() })).optional(),
  }),
});

function refuseForeign({ output, name, resource: { Type, Properties } }: Kept): void {
  const foreign = (why: string) => new Error(`${name} is no ${output} of a Bonafide: ${why}`);
  if (Type === 'AWS::DynamoDB::Table') {
    const { Table } = described.parse(mustAws('dynamodb', 'describe-table', '--table-name', name));
    const keys = (schema: unknown) =>
      keySchema
        .parse(schema)
        .map(({ AttributeName }) => AttributeName)
        .join();
    const indexes = (all: unknown) => z.array(z.looseObject({ IndexName: z.string() })).parse(all ?? []);
    const named = (all: unknown) =>
      indexes(all)
        .map(({ IndexName }) => IndexName)
        .sort()
        .join();
    if (keys(Table.KeySchema) !== keys(Properties.KeySchema)) throw foreign('its key is another');
    if (named(Table.GlobalSecondaryIndexes) !== named(Properties.GlobalSecondaryIndexes))
      throw foreign('its indexes are others');
  } else if (Type === 'AWS::S3::Bucket') {
    const status = mustAws('s3api', 'get-bucket-versioning', '--bucket', name, '--query', 'Status');
    if (status !== 'Enabled') throw foreign('it keeps no versions');
  } else {
    const description = mustAws('secretsmanager', 'describe-secret', '--secret-id', name, '--query', 'Description');
    if (description !== Properties.Description) throw foreign('its description is another');
  }
}

const rows = z.looseObject({
  Items: z.array(
    z.object({
      verificationId: z.object({ S: z.string() }),
      tenant: z.object({ S: z.string() }),
      sourceId: z.object({ S: z.string() }),
    }),
  ),
});

/** Under another deployment's key none of the records would be found again, and each be made anew. */
function refuseOtherKey(kept: readonly Kept[]): void {
  const nameOf = (wanted: string) => kept.find(({ output }) => output === wanted)?.name ?? '';
  const { Items } = rows.parse(
    mustAws(
      ...['dynamodb', 'scan', '--table-name', nameOf('VerificationsTable'), '--max-items', '20'],
      ...['--filter-expression', 'attribute_exists(sourceId)'],
      ...['--projection-expression', 'verificationId, tenant, sourceId'],
    ),
  );
  if (Items.length === 0) return;
  const key = z
    .string()
    .parse(
      mustAws('secretsmanager', 'get-secret-value', '--secret-id', nameOf('IdKeySecret'), '--query', 'SecretString'),
    );
  const fits = Items.some(({ verificationId: id, tenant, sourceId }) =>
    [verificationIdOf(key, tenant.S, sourceId.S), legacyVerificationIdOf(tenant.S, sourceId.S)].includes(id.S),
  );
  if (!fits)
    throw new Error('The records were made with another key of ids than IdKeySecret: no source_id would be found');
}

function importInto(stackName: string, kept: readonly Kept[]): void {
  const directory = mkdtempSync(join(tmpdir(), 'bonafide-adopt-'));
  const written = (name: string, content: unknown) => {
    writeFileSync(join(directory, name), JSON.stringify(content));
    return `file://${join(directory, name)}`;
  };
  const named = ['--stack-name', stackName, '--change-set-name', 'adopt'];
  try {
    const body = written('template.json', { Resources: Object.fromEntries(kept.map(importedAs)) });
    const resources = written(
      'resources.json',
      kept.map(({ logicalId: LogicalResourceId, name, resource: { Type: ResourceType } }) => {
        return { ResourceType, LogicalResourceId, ResourceIdentifier: { [identifiers[ResourceType] ?? '']: name } };
      }),
    );
    const importing = ['--change-set-type', 'IMPORT', '--template-body', body, '--resources-to-import', resources];
    mustAws('cloudformation', 'create-change-set', ...named, ...importing);
    const ready = aws('cloudformation', 'wait', 'change-set-create-complete', ...named);
    const status = mustAws('cloudformation', 'describe-change-set', ...named, '--query', 'ExecutionStatus');
    if (ready.kind === 'failed' || status !== 'AVAILABLE') throw new Error(whyNot(named));
    mustAws('cloudformation', 'execute-change-set', ...named);
    mustAws('cloudformation', 'wait', 'stack-import-complete', '--stack-name', stackName);
  } catch (error) {
    // What was never imported is in no stack's hands: only the name that was reserved for it goes.
    if (heldBy(stackName) === undefined) aws('cloudformation', 'delete-stack', '--stack-name', stackName);
    throw error;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Without what refers to other resources: the deployment that follows brings it. */
function importedAs({ logicalId, resource: { Type, Properties } }: Kept): [string, unknown] {
  const own = Object.entries(Properties).filter(([, value]) => !/"(Ref|Fn::\w+)":/.test(JSON.stringify(value)));
  return [
    logicalId,
    { Type, DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain', Properties: Object.fromEntries(own) },
  ];
}

function whyNot(named: readonly string[]): string {
  const { kind, answer } = aws('cloudformation', 'describe-change-set', ...named, '--query', 'StatusReason');
  return `Not adopted: ${kind === 'answered' ? String(answer) : 'CloudFormation does not say why'}`;
}

function readJson(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new Error(`${file} is not there: adopt is the cdk-outputs.json of the stack that was torn down`);
  }
  return JSON.parse(text);
}

type Answer =
  | { readonly kind: 'answered'; readonly answer: unknown }
  | { readonly kind: 'failed'; readonly answer: string };

function aws(...parameters: readonly string[]): Answer {
  const { status, stdout, stderr, error } = spawnSync('aws', [...parameters, '--output', 'json'], { encoding: 'utf8' });
  if (error) throw new Error('The AWS command line is not there: docs/deploying.md');
  if (status !== 0) return { kind: 'failed', answer: stderr.trim() };
  return { kind: 'answered', answer: stdout.trim() === '' ? null : JSON.parse(stdout) };
}

function mustAws(...parameters: readonly string[]): unknown {
  const { kind, answer } = aws(...parameters);
  if (kind === 'failed') throw new Error(answer);
  return answer;
}
