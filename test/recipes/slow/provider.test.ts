import { beforeAll, describe, expect, it } from 'vitest';
import { functionMarginSeconds, leaseMarginSeconds } from '../../../shared/domain/times.ts';
import { carriedOut } from '../carried-out.ts';
import { providerRecipe } from '../recipes.ts';
import { workingCopy } from '../working-copy.ts';

const copy = workingCopy();

/** What the synthesized stack has for the new provider, by the names that infra's own tests use. */
interface Deployed {
  readonly queues: Readonly<Record<string, { VisibilityTimeout?: number; RedrivePolicy?: object }>>;
  readonly timeoutSeconds: number;
  readonly consumes: readonly string[];
  readonly secrets: readonly string[];
  readonly alarms: readonly string[];
}

const inspection = `
  import { named, resourcesOf, synthesize } from './test/infra/stack.ts';
  const template = synthesize();
  const of = (type) => Object.entries(resourcesOf(template, type)).map(([name, { Properties }]) => ({ name, ...Properties }));
  const dispatcher = 'dispatchdispatchtemplate';
  const role = of('AWS::Lambda::Function').find(({ name }) => name === dispatcher);
  const statements = of('AWS::IAM::Policy')
    .filter(({ Roles }) => Roles.map(named).includes(named(role.Role)))
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
  console.log(JSON.stringify({
    queues: Object.fromEntries(of('AWS::SQS::Queue').filter(({ name }) => name.startsWith('providerstemplate')).map((queue) => [queue.name, queue])),
    timeoutSeconds: role.Timeout,
    consumes: of('AWS::Lambda::EventSourceMapping').filter(({ FunctionName }) => named(FunctionName) === dispatcher + 'live').map(({ EventSourceArn }) => named(EventSourceArn)),
    secrets: statements.filter(({ Action }) => [Action].flat().includes('secretsmanager:GetSecretValue')).flatMap(({ Resource }) => [Resource].flat().map(named)),
    alarms: of('AWS::CloudWatch::Alarm').filter(({ Dimensions }) => JSON.stringify(Dimensions ?? '').match(/providerstemplate|dispatchdispatchtemplate/)).map(({ MetricName }) => MetricName),
  }));`;

function deployed(): Deployed {
  const { succeeded, output } = copy.run('node inspection.ts');
  if (!succeeded) throw new Error(output);
  return JSON.parse(output.trim().split('\n').at(-1) ?? '');
}

const ownSecrets = expect.stringMatching(/secret:bonafide\/providers\/template\/\*$/);

describe('a provider added by the page', () => {
  let stack: Deployed;
  beforeAll(() => {
    copy.reset();
    copy.follow(providerRecipe.steps);
    copy.edit('inspection.ts', () => inspection);
    stack = deployed();
  });

  it('has a queue and a place for what cannot be delivered', () => {
    expect(Object.keys(stack.queues).toSorted()).toEqual(['providerstemplatequeue', 'providerstemplateundeliverable']);
    expect(stack.queues.providerstemplatequeue?.RedrivePolicy).toMatchObject({ maxReceiveCount: 5 });
  });

  it('has a dispatcher that reads this queue, outlives its calls, and hides a message for longer', () => {
    const longest = 15 + leaseMarginSeconds + functionMarginSeconds;
    expect(stack).toMatchObject({ consumes: ['providerstemplatequeue'], timeoutSeconds: longest });
    expect(stack.queues.providerstemplatequeue?.VisibilityTimeout).toBe(6 * longest);
  });

  it('may read its own credentials and no other secret', () => {
    expect(stack.secrets).toEqual([ownSecrets]);
  });

  it('has alarms for errors, a backlog and undeliverable messages', () => {
    expect(stack.alarms.toSorted()).toEqual([
      'ApproximateAgeOfOldestMessage',
      'ApproximateNumberOfMessagesVisible',
      'Errors',
    ]);
  });

  describe('that answers by webhook', () => {
    beforeAll(() => {
      copy.edit('shared/providers/template/capabilities.ts', (text) =>
        text.replace("answersBy: 'response'", "answersBy: 'webhook'"),
      );
    });

    it('may read the secret of references, too', () => {
      expect(deployed().secrets).toEqual([ownSecrets, 'secretsreference']);
    });

    it('fails the contract suite until deliveries.ts says how its webhook is read', () => {
      const { succeeded, output } = copy.check('test/contracts/provider.test.ts');
      expect(succeeded).toBe(false);
      expect(output).toContain('knows how the webhook of every provider is read');
    });
  });
});

describe(providerRecipe.title, () => carriedOut(providerRecipe, copy));
