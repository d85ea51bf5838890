import { LitElement, type PropertyDeclarations } from 'lit';
import type { Desk } from './desk.ts';
import { style } from './style.ts';

/** One view of the console: shares the desk and the style, and gives its heading the focus where the operator went to it. */
export abstract class View extends LitElement {
  static override styles = [style];
  static override properties: PropertyDeclarations = { desk: { attribute: false } };
  declare desk: Desk;

  get mayReview(): boolean {
    return this.desk.session.operator.role === 'reviewer';
  }

  protected override firstUpdated(): void {
    if (this.desk.wentOn) this.renderRoot.querySelector('h1')?.focus();
  }
}
