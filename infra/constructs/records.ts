import { RemovalPolicy } from 'aws-cdk-lib';
import {
  AttributeType,
  BillingMode,
  ProjectionType,
  StreamViewType,
  TableEncryption,
  type TableProps,
} from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import { readSettings } from '../settings.ts';
import type { Encryption } from './encryption.ts';
import type { AnyServiceFunction } from './service-function.ts';
import { WatchedTable } from './watched-table.ts';

/** An action on items, as DynamoDB names it. */
export type ItemAction = 'GetItem' | 'PutItem' | 'UpdateItem' | 'DeleteItem' | 'Query';

/** What is remembered: verifications with their history, tenants with their keys, and which captures were judged. */
export class Records extends Construct {
  readonly verifications: WatchedTable;
  readonly tenants: WatchedTable;
  readonly breakers: WatchedTable;
  readonly sightings: WatchedTable;
  readonly events: WatchedTable;
  readonly deliveries: WatchedTable;
  readonly looks: WatchedTable;
  readonly outcomes: WatchedTable;

  constructor(scope: Construct, id: string, { encryption }: { readonly encryption: Encryption }) {
    super(scope, id);
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

    this.verifications = new WatchedTable(this, 'verifications', {
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

    this.tenants = new WatchedTable(this, 'tenants', {
      ...kept,
      partitionKey: { name: 'id', type: AttributeType.STRING },
    });

    // Rebuilt by the next faults if it is lost.
    this.breakers = new WatchedTable(this, 'breakers', {
      ...kept,
      removalPolicy: RemovalPolicy.DESTROY,
      deletionProtection: false,
      partitionKey: { name: 'id', type: AttributeType.STRING },
    });

    // Lost, it is filled again by the captures that are judged from then on.
    this.sightings = new WatchedTable(this, 'sightings', {
      ...kept,
      removalPolicy: RemovalPolicy.DESTROY,
      deletionProtection: false,
      partitionKey: { name: 'place', type: AttributeType.STRING },
      timeToLiveAttribute: 'purgeAt',
    });

    this.events = new WatchedTable(this, 'events', {
      ...kept,
      partitionKey: { name: 'id', type: AttributeType.STRING },
      timeToLiveAttribute: 'purgeAt',
    });
    this.events.addGlobalSecondaryIndex({
      indexName: 'by_tenant',
      partitionKey: { name: 'tenant', type: AttributeType.STRING },
      sortKey: { name: 'position', type: AttributeType.STRING },
      projectionType: ProjectionType.INCLUDE,
      nonKeyAttributes: ['type'],
    });

    this.deliveries = new WatchedTable(this, 'deliveries', {
      ...kept,
      partitionKey: { name: 'about', type: AttributeType.STRING },
      sortKey: { name: 'position', type: AttributeType.STRING },
      timeToLiveAttribute: 'purgeAt',
    });
    this.deliveries.addGlobalSecondaryIndex({
      indexName: 'by_endpoint',
      partitionKey: { name: 'ofEndpoint', type: AttributeType.STRING },
      sortKey: { name: 'newest', type: AttributeType.STRING },
      projectionType: ProjectionType.INCLUDE,
      nonKeyAttributes: ['state', 'tookAt'],
    });
    // Sparse, as `by_due` is: only what was not delivered. What is taken at once pays for neither.
    this.deliveries.addGlobalSecondaryIndex({
      indexName: 'by_state',
      partitionKey: { name: 'tenantState', type: AttributeType.STRING },
      sortKey: { name: 'newest', type: AttributeType.STRING },
      projectionType: ProjectionType.INCLUDE,
      nonKeyAttributes: ['endpointId'],
    });
    this.deliveries.addGlobalSecondaryIndex({
      indexName: 'by_due',
      partitionKey: { name: 'dueShard', type: AttributeType.STRING },
      sortKey: { name: 'dueAt', type: AttributeType.NUMBER },
      projectionType: ProjectionType.KEYS_ONLY,
    });

    // Who looked at captures: it outlives an erasure, and ends when the record would have.
    this.looks = new WatchedTable(this, 'looks', {
      ...kept,
      partitionKey: { name: 'verificationId', type: AttributeType.STRING },
      sortKey: { name: 'position', type: AttributeType.STRING },
      timeToLiveAttribute: 'purgeAt',
    });

    // Lost, the charts of the console fill again by what is decided from then on.
    this.outcomes = new WatchedTable(this, 'outcomes', {
      ...kept,
      removalPolicy: RemovalPolicy.DESTROY,
      deletionProtection: false,
      partitionKey: { name: 'tenant', type: AttributeType.STRING },
      sortKey: { name: 'position', type: AttributeType.STRING },
      timeToLiveAttribute: 'purgeAt',
    });

    this.verifications.watch('Everybody waits longer, and integrators get 500: verifications are not read or moved.');
    this.tenants.watch('Integrators get 500: callers are not authenticated, and policies not read.');
    this.breakers.watch('People wait for a second attempt: workers do not learn which providers to pass over.');
    this.sightings.watch('People wait for their verdicts: which captures were judged before is not looked up.');
    this.events.watch('Endpoints are sent events late: they are not kept or read.');
    this.deliveries.watch('Endpoints are sent events late, and their deliveries are not listed.');
    this.looks.watch('Operators do not see captures: a look that is not written down is refused.');
    this.outcomes.watch('Events are sent late: outcomes for the charts of the console are not kept.');
  }

  /** Lets a function write down that an operator looks at a capture, and list who did. None changes or deletes a look. */
  allowLooks(serviceFunction: AnyServiceFunction): void {
    this.#allow(serviceFunction, ['PutItem', 'Query'], this.looks.tableArn);
  }

  /** Lets a function do these things, and no others, to what was decided or errored. */
  allowOutcomes(serviceFunction: AnyServiceFunction, ...actions: readonly ItemAction[]): void {
    this.#allow(serviceFunction, actions, this.outcomes.tableArn);
  }

  /** Lets a function begin and end sessions of operators: of the table it writes these rows, and no other. */
  allowOperators(serviceFunction: AnyServiceFunction): void {
    this.#allowRows(serviceFunction, '*/operators');
  }

  /** Lets a function see which breakers of providers are open. */
  allowReadingBreakers(serviceFunction: AnyServiceFunction): void {
    this.#allow(serviceFunction, ['GetItem'], this.breakers.tableArn);
  }

  /** Lets a function do these things, and no others, to events that are kept. */
  allowEvents(serviceFunction: AnyServiceFunction, ...actions: readonly (ItemAction | 'BatchGetItem')[]): void {
    this.#allow(serviceFunction, actions, this.events.tableArn);
  }

  /** Lets a function list a tenant's kept events. */
  allowListingEvents(serviceFunction: AnyServiceFunction): void {
    this.#allow(serviceFunction, ['Query'], `${this.events.tableArn}/index/by_tenant`);
    this.allowEvents(serviceFunction, 'BatchGetItem');
  }

  /** Lets a function do these things, and no others, to what became of events at endpoints. */
  allowDeliveries(serviceFunction: AnyServiceFunction, ...actions: readonly (ItemAction | 'BatchGetItem')[]): void {
    this.#allow(serviceFunction, actions, this.deliveries.tableArn);
  }

  /** Lets a function find deliveries by their endpoint, their state, or those that are due. */
  allowDeliveriesIndex(serviceFunction: AnyServiceFunction, indexName: 'by_endpoint' | 'by_state' | 'by_due'): void {
    this.#allow(serviceFunction, ['Query'], `${this.deliveries.tableArn}/index/${indexName}`);
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
    this.#allowRows(serviceFunction, '*/credits');
  }

  /** Lets a function change endpoints and what is noted of them: of the table it writes these rows, and no other. */
  allowEndpoints(serviceFunction: AnyServiceFunction): void {
    this.#allowRows(serviceFunction, '*/endpoints');
  }

  #allowRows(serviceFunction: AnyServiceFunction, keys: string): void {
    serviceFunction.allow(['dynamodb:UpdateItem'], this.tenants.tableArn, {
      'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [keys] },
    });
  }

  /** Lets a function write down public keys of receipts: of the table it writes this row, and no other. */
  allowReceiptKeys(serviceFunction: AnyServiceFunction): void {
    serviceFunction.allow(['dynamodb:UpdateItem'], this.tenants.tableArn, {
      'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['deployment/receipt-keys'] },
    });
  }

  /**
   * Lets a function look up a tenant, an API key, credits, endpoints or operators. Tenants, keys and operators are written
   * by `npm run admin` alone.
   */
  allowTenants(serviceFunction: AnyServiceFunction): void {
    this.#allow(serviceFunction, ['GetItem'], this.tenants.tableArn);
  }

  #allow(serviceFunction: AnyServiceFunction, actions: readonly string[], resource: string): void {
    serviceFunction.allow(
      actions.map((action) => `dynamodb:${action}`),
      resource,
    );
  }
}
