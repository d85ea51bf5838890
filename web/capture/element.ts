import { html, LitElement } from 'lit';

/** Takes the captures of one verification. */
export class BonafideCapture extends LitElement {
  protected override render() {
    return html`<p>Captures are taken here.</p>`;
  }
}

if (!customElements.get('bonafide-capture')) customElements.define('bonafide-capture', BonafideCapture);
