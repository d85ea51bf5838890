import { randomUUID } from 'node:crypto';
import { enabledRules, type RawTarget, targetOf } from '../eventbridge/part.ts';
import type { Functions } from '../functions/part.ts';
import type { Part } from '../part.ts';
import { notKnown, type Resource, region, type Template } from '../template.ts';
import { rateMs, startSchedules } from './schedules.ts';

/** Rules and schedules that wait for the clock. */
export const schedules: Part<{ functions: Functions }, unknown> = async ({ template }, { functions }) => {
  const started = startSchedules(
    schedulesOf(template).map(({ functionArn, event, ...schedule }) => ({
      ...schedule,
      run: async () => void (await functions.of(functionArn).invoke(event())),
    })),
  );
  return { gives: {}, drain: started.stop };
};

function schedulesOf(template: Template) {
  const rules = enabledRules(template).flatMap(({ resource, properties }) =>
    properties.ScheduleExpression
      ? ((properties.Targets ?? []) as RawTarget[]).map((target) => ({ resource, properties, target }))
      : [],
  );
  const scheduled = template.ofType('AWS::Scheduler::Schedule').map((resource) => {
    const properties = template.properties(resource);
    return { resource, properties, target: properties.Target as RawTarget };
  });
  return [...rules, ...scheduled.filter(({ properties }) => properties.State !== 'DISABLED')].map(
    ({ resource, properties, target }) => {
      const everyMs = rateMs(String(properties.ScheduleExpression));
      if (everyMs === undefined) throw notKnown(resource, `the schedule ${properties.ScheduleExpression}`);
      const { arn, input } = targetOf(resource, target);
      const called = template.find('AWS::Lambda::Function', arn);
      if (!called) throw notKnown(resource, `the target ${arn} of a schedule`);
      const event = (): unknown => (input === undefined ? scheduledEvent(resource) : JSON.parse(input));
      return { name: resource.name, everyMs, functionArn: called.arn, event };
    },
  );
}

function scheduledEvent({ arn }: Resource) {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    account: '000000000000',
    time: new Date().toISOString(),
    region,
    resources: [arn],
    detail: {},
  };
}
