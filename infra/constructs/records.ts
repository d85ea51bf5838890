import { RemovalPolicy } from 'aws-cdk-lib';
import {
  AttributeType,
  BillingMode,
  ProjectionType,
  StreamViewType,
  Table,
  TableEncryption,
  type TableProps,
} from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import { readSettings } from '../settings.ts';
import type { Encryption } from './encryption.ts';
import type { AnyServiceFunction } from './service-function.ts';

/** An action on items, as DynamoDB names it. */
export type ItemAction = 'GetItem' | 'PutItem' | 'UpdateItem' | 'DeleteItem' | 'Query';

/** What is remembered: verifications with their history, tenants with their keys, and which captures were judged. */
export class Records extends Construct {
  readonly verifications: Table;
  readonly tenants: Table;
  readonly breakers: Table;
  readonly sightings: Table;
  readonly #encryption: Encryption;

  constructor(scope: Construct, id: string, { encryption }: { readonly encryption: Encryption }) {
    super(scope, id);
    this.#encryption = encryption;
    const { retainData } = readSettings(this);
    const kept: Omit<TableProps, 'partitionKey'> = {
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      removalPolicy: retainData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      deletionProtection: retainData,
      ...(encryption.key
        ? { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey: encryption.key }
        : { encryption: TableEncryption.DEFAULT }),
    };

    this.verifications = new Table(this, 'verifications', {
      ...kept,
      partitionKey: { name: 'verificationId', type: AttributeType.STRING },
      stream: StreamViewType.NEW_AND_OLD_IMAGES,
      timeToLiveAttribute: 'purgeAt',
    });
    // Lists never show history, scores or metadata, so the index does not hold them.
    this.verifications.addGlobalSecondaryIndex({
      indexName: 'by_state',
      partitionKey: { name: 'tenantState', type: AttributeType.STRING },
      sortKey: { name: 'createdAt', type: AttributeType.STRING },
      projectionType: ProjectionType.INCLUDE,
      nonKeyAttributes: ['sourceId', 'check', 'state', 'round', 'sequence', 'verdict', 'updatedAt'],
    });
    // Sparse: only records that wait for something have a deadline. Sharded: one key would be one hot partition.
    this.verifications.addGlobalSecondaryIndex({
      indexName: 'by_due',
      partitionKey: { name: 'dueShard', type: AttributeType.STRING },
      sortKey: { name: 'dueAt', type: AttributeType.NUMBER },
      projectionType: ProjectionType.KEYS_ONLY,
    });

    // Sparse: only verdicts `failed` of verifications that name their subject.
    this.verifications.addGlobalSecondaryIndex({
      indexName: 'by_failed_subject',
      partitionKey: { name: 'failedSubject', type: AttributeType.STRING },
      sortKey: { name: 'updatedAt', type: AttributeType.STRING },
      projectionType: ProjectionType.KEYS_ONLY,
    });

    this.tenants = new Table(this, 'tenants', {
      ...kept,
      partitionKey: { name: 'id', type: AttributeType.STRING },
    });

    // Rebuilt by the next faults if it is lost.
    this.breakers = new Table(this, 'breakers', {
      ...kept,
      removalPolicy: RemovalPolicy.DESTROY,
      deletionProtection: false,
      partitionKey: { name: 'id', type: AttributeType.STRING },
    });

    // Lost, it is filled again by the captures that are judged from then on.
    this.sightings = new Table(this, 'sightings', {
      ...kept,
      removalPolicy: RemovalPolicy.DESTROY,
      deletionProtection: false,
      partitionKey: { name: 'place', type: AttributeType.STRING },
      timeToLiveAttribute: 'purgeAt',
    });
  }

  /** Lets a function do these things, and no others, to the places of captures that were judged. */
  allowSightings(serviceFunction: AnyServiceFunction, ...actions: readonly (ItemAction | 'BatchGetItem')[]): void {
    this.#allow(serviceFunction, actions, this.sightings.tableArn);
  }

  /** Lets a function open, probe and close the breakers of providers. */
  allowBreakers(serviceFunction: AnyServiceFunction): void {
    this.#allow(serviceFunction, ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem'], this.breakers.tableArn);
  }

  /** Lets a function do these things, and no others, to a verification whose id it knows. */
  allowVerifications(serviceFunction: AnyServiceFunction, ...actions: readonly ItemAction[]): void {
    this.#allow(serviceFunction, actions, this.verifications.tableArn);
  }

  /** Lets a function list a tenant's verifications by state, those that are due, or a subject's that failed. */
  allowIndex(serviceFunction: AnyServiceFunction, indexName: 'by_state' | 'by_due' | 'by_failed_subject'): void {
    this.#allow(serviceFunction, ['Query'], `${this.verifications.tableArn}/index/${indexName}`);
  }

  /** Lets a function take credits and give them back: of the table it writes these rows, and no other. */
  allowCredits(serviceFunction: AnyServiceFunction): void {
    serviceFunction.allow(['dynamodb:UpdateItem'], this.tenants.tableArn, {
      'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['*/credits'] },
    });
    this.#encryption.allowUse(serviceFunction);
  }

  /** Lets a function write down public keys of receipts: of the table it writes this row, and no other. */
  allowReceiptKeys(serviceFunction: AnyServiceFunction): void {
    serviceFunction.allow(['dynamodb:UpdateItem'], this.tenants.tableArn, {
      'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['deployment/receipt-keys'] },
    });
    this.#encryption.allowUse(serviceFunction);
  }

  /** Lets a function look up a tenant or an API key. Only `npm run admin` writes them. */
  allowTenants(serviceFunction: AnyServiceFunction): void {
    this.#allow(serviceFunction, ['GetItem'], this.tenants.tableArn);
  }

  #allow(serviceFunction: AnyServiceFunction, actions: readonly string[], resource: string): void {
    serviceFunction.allow(
      actions.map((action) => `dynamodb:${action}`),
      resource,
    );
    this.#encryption.allowUse(serviceFunction);
  }
}
