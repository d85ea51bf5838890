/** A person's way through the capture page: how each begins, and what must be so at its end. */
import type { Browser } from 'playwright-core';
import { expect } from 'vitest';
import { press, sees, type Text } from './person.ts';
import type { Asked, PagesStack } from './stack.ts';
import { phone, type Visit, type VisitOptions, visit } from './visit.ts';

export interface Begun {
  readonly visited: Visit;
  readonly asked: Asked;
}

/** Asked by the integrator's server, the person opens the page; `begins` also presses. */
export async function opened(
  stack: PagesStack,
  browser: Browser,
  overrides: Record<string, unknown> = {},
  options: VisitOptions = phone,
): Promise<Begun> {
  const asked = await stack.ask(overrides);
  const visited = await visit(browser, options);
  await visited.page.goto(asked.link);
  return { visited, asked };
}

export async function begun(...given: Parameters<typeof opened>): Promise<Begun> {
  const begun = await opened(...given);
  await press(begun.visited.page, 'begin');
  return begun;
}

const ends = ['passed_title', 'failed_title', 'recapture_title', 'errored_title', 'rounds_spent_title'] as const;

/** What the person is told when the verdict is there. */
export const told = ({ page }: Visit): Promise<Text> => sees(page, ...ends);

export async function passes(stack: PagesStack, visited: Visit, asked: Asked, expectedErrors?: RegExp): Promise<void> {
  expect(await told(visited)).toBe('passed_title');
  await ended(stack, visited, asked, expectedErrors);
  expect((await stack.client.read(asked.sourceId)).verdict?.outcome).toBe('passed');
}

/** Failed, which the person is told without the reason; the integrator's server reads it. */
export async function failsFor(stack: PagesStack, visited: Visit, asked: Asked, reason: string): Promise<void> {
  expect(await told(visited)).toBe('failed_title');
  expect([...visited.answers(), await visited.page.content()].join()).not.toContain(reason);
  await ended(stack, visited, asked);
  const { verdict } = await stack.client.read(asked.sourceId);
  expect([verdict?.outcome, ...(verdict?.reasons ?? [])]).toEqual(['failed', reason]);
}

/** No number, no attempt and no provider in any answer; no key and no token where it does not belong. */
export async function ended(
  { apiKey, written }: PagesStack,
  visited: Visit,
  { clientToken }: Asked,
  expectedErrors?: RegExp,
): Promise<void> {
  for (const answer of visited.answers()) {
    expect(answer).not.toMatch(/"(scores?|attempts?|provider|measurements|confidence)"/);
  }
  await visited.end({ secrets: [clientToken, apiKey], elsewhere: [written()], expectedErrors });
}
