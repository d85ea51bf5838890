import { html, render } from 'lit';

render(html`<h1>Bonafide</h1>`, document.body);
