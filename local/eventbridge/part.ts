import path from 'node:path';
import { deliver, type Part } from '../part.ts';
import { notKnown, type Properties, type Resource, region, type Template } from '../template.ts';
import { type EventBridge, type Rule, startEventBridge, type Target } from './eventbridge.ts';

/** The buses and the rules that wait for events; what was put on a bus is kept in `events.ndjson`. */
export const eventBridge: Part<unknown, { eventBridge: EventBridge; eventJournal: string }> = async (setup) => {
  const { template, dataDirectory } = setup;
  const eventJournal = path.join(dataDirectory, 'events.ndjson');
  const started = await startEventBridge({
    buses: template.ofType('AWS::Events::EventBus').map(({ name }) => name),
    rules: rulesOf(template),
    deliver: (arn, payload) => deliver(setup, arn, payload),
    journal: eventJournal,
    region,
  });
  return { gives: { eventBridge: started, eventJournal }, stop: started.stop };
};

/** A target as rules and schedules of a template write it. */
export interface RawTarget {
  Arn: string;
  Input?: string;
  InputPath?: string;
  InputTransformer?: unknown;
}

export function targetOf(resource: Resource, { Arn, Input, InputPath, InputTransformer }: RawTarget): Target {
  if (InputTransformer) throw notKnown(resource, 'an input transformer');
  return {
    arn: Arn,
    ...(Input !== undefined && { input: Input }),
    ...(InputPath !== undefined && { inputPath: InputPath }),
  };
}

/** Rules that are switched on, whether they wait for events or for the clock. */
export function enabledRules(template: Template): { resource: Resource; properties: Properties }[] {
  return template
    .ofType('AWS::Events::Rule')
    .map((resource) => ({ resource, properties: template.properties(resource) }))
    .filter(({ properties }) => properties.State !== 'DISABLED');
}

function rulesOf(template: Template): Rule[] {
  return enabledRules(template).flatMap(({ resource, properties }) => {
    if (!properties.EventPattern) return [];
    const targets = (properties.Targets ?? []) as RawTarget[];
    return [
      {
        name: resource.name,
        bus:
          String(properties.EventBusName ?? 'default')
            .split('/')
            .at(-1) ?? '',
        pattern: properties.EventPattern,
        targets: targets.map((target) => targetOf(resource, target)),
      },
    ];
  });
}
