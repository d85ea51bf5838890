/** What is wrong with how a page looks, read from the boxes that the browser made, and what axe-core says of it. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import * as z from 'zod';

/** By WCAG 2.2, A and AA, and axe's own best practices; `but` names rules that do not hold for a part of a page. */
export async function axeFaults(page: Page, but: readonly string[] = []): Promise<readonly string[]> {
  axe ??= readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  await page.evaluate(`${await axe}; undefined`); // the browser's debugger runs it: the page's policy allows no such script
  const found: unknown = await page.evaluate('axe.run(document, { resultTypes: ["violations"] })');
  return axeResults
    .parse(found)
    .violations.filter(({ id }) => !but.includes(id))
    .flatMap(({ id, help, nodes }) => nodes.map((node) => `${id}: ${help}: ${node.html.slice(0, 200)}`));
}
let axe: Promise<string> | undefined;
const axeResults = z.object({
  violations: z.array(z.object({ id: z.string(), help: z.string(), nodes: z.array(z.object({ html: z.string() })) })),
});

/** Text or a control that is cut, outside the page, or upon another one. */
export function boxFaults(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const tolerancePx = 1;
    const faults: string[] = [];
    const parentOf = (node: Node): Node | null =>
      node instanceof Element && node.assignedSlot ? node.assignedSlot : (node.parentNode ?? null);
    const up = (node: Node): Element | undefined => {
      for (let at: Node | null = parentOf(node); at; at = at instanceof ShadowRoot ? at.host : parentOf(at)) {
        if (at instanceof Element) return at;
      }
      return undefined;
    };
    const named = (element: Element) =>
      `<${element.localName}${element.getAttribute('part') ? ` part=${element.getAttribute('part')}` : ''}> “${(element.textContent ?? '').trim().replace(/\s+/g, ' ').slice(0, 60)}”`;
    /** For screen readers alone: a pixel, or clipped to nothing. */
    const hidden = (element: Element): boolean => {
      for (let at: Element | undefined = element; at; at = up(at)) {
        const style = getComputedStyle(at);
        const { width, height } = at.getBoundingClientRect();
        if (style.visibility === 'hidden' || style.display === 'none' || style.opacity === '0') return true;
        if (style.overflow !== 'visible' && width <= 1 && height <= 1) return true;
        if (style.clipPath === 'inset(50%)') return true;
      }
      return false;
    };

    interface Box {
      readonly element: Element;
      readonly rect: DOMRect;
      readonly control: boolean;
    }
    const boxes: Box[] = [];
    const collect = (root: Document | ShadowRoot): void => {
      for (const element of root.querySelectorAll('*')) {
        if (element.shadowRoot) collect(element.shadowRoot);
        if (['script', 'style', 'noscript', 'title', 'head'].includes(element.localName)) continue;
        if (element.closest('head, noscript') || !element.checkVisibility() || hidden(element)) continue;
        const control = element.matches('button, input, select, a[href], textarea, summary');
        if (control) {
          const rect = element.getBoundingClientRect();
          if (rect.width > 0) boxes.push({ element, rect, control });
        }
        for (const node of element.childNodes) {
          if (!(node instanceof Text) || !node.data.trim() || element.localName === 'option') continue;
          const range = document.createRange();
          range.selectNodeContents(node);
          for (const rect of range.getClientRects()) {
            if (rect.width > 0) boxes.push({ element, rect, control: false });
          }
        }
      }
    };
    collect(document);

    if (document.documentElement.scrollWidth > innerWidth) {
      faults.push(`the page is ${document.documentElement.scrollWidth} px wide in a window of ${innerWidth}`);
    }
    for (const { element, rect } of boxes) {
      if (rect.left < -tolerancePx || rect.right > innerWidth + tolerancePx)
        faults.push(`outside the page: ${named(element)}`);
      for (let at = up(element); at; at = up(at)) {
        const { overflowX, overflowY } = getComputedStyle(at);
        if (at === document.documentElement || at === document.body) break;
        const around = at.getBoundingClientRect();
        const cutAcross =
          ['hidden', 'clip'].includes(overflowX) &&
          (rect.left < around.left - tolerancePx || rect.right > around.right + tolerancePx);
        const cutDown =
          ['hidden', 'clip'].includes(overflowY) &&
          (rect.top < around.top - tolerancePx || rect.bottom > around.bottom + tolerancePx);
        if (cutAcross || cutDown) faults.push(`cut by <${at.localName}>: ${named(element)}`);
      }
    }
    const holds = (outer: Element, inner: Element): boolean => {
      for (let at: Element | undefined = inner; at; at = up(at)) if (at === outer) return true;
      return false;
    };
    for (const [index, one] of boxes.entries()) {
      for (const other of boxes.slice(index + 1)) {
        if (holds(one.element, other.element) || holds(other.element, one.element)) continue;
        const across = Math.min(one.rect.right, other.rect.right) - Math.max(one.rect.left, other.rect.left);
        const down = Math.min(one.rect.bottom, other.rect.bottom) - Math.max(one.rect.top, other.rect.top);
        // Lines of text may share the space between them: letters do not fill their boxes.
        const shared = one.control || other.control ? tolerancePx : Math.min(one.rect.height, other.rect.height) * 0.3;
        if (across > tolerancePx && down > shared)
          faults.push(`${named(one.element)} lies upon ${named(other.element)}`);
      }
    }
    return [...new Set(faults)];
  });
}

/** Every text that a person sees or a screen reader says: of elements, and of the attributes that name them. */
export function textsOf(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const texts: string[] = [document.title];
    const collect = (root: Document | ShadowRoot): void => {
      for (const element of root.querySelectorAll('*')) {
        if (element.shadowRoot) collect(element.shadowRoot);
        if (element.closest('head, noscript, script, style')) continue;
        for (const name of ['aria-label', 'aria-description', 'aria-valuetext', 'alt', 'title', 'placeholder']) {
          texts.push(element.getAttribute(name) ?? '');
        }
        for (const node of element.childNodes) if (node instanceof Text) texts.push(node.data);
      }
    };
    collect(document);
    return texts.map((text) => text.trim()).filter(Boolean);
  });
}
