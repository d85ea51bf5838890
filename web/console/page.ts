import { ConsoleActs } from './acts.ts';
import { BonafideConsole } from './app.ts';
import { ConsoleCaptures } from './captures.ts';
import { ConsoleList } from './list.ts';
import { ConsoleOutcomes } from './outcomes.ts';
import { ConsoleProviders } from './providers.ts';
import { ConsoleReview } from './review.ts';
import { ConsoleSignIn } from './sign-in.ts';
import { pageStyle } from './style.ts';
import { ConsoleVerification } from './verification.ts';

/** The console's page: defines its elements and puts the outermost one into the document. */
const elements = {
  'console-sign-in': ConsoleSignIn,
  'console-list': ConsoleList,
  'console-captures': ConsoleCaptures,
  'console-review': ConsoleReview,
  'console-acts': ConsoleActs,
  'console-verification': ConsoleVerification,
  'console-outcomes': ConsoleOutcomes,
  'console-providers': ConsoleProviders,
  'bonafide-console': BonafideConsole,
};
for (const [name, element] of Object.entries(elements)) customElements.define(name, element);

const { styleSheet } = pageStyle;
if (styleSheet) document.adoptedStyleSheets.push(styleSheet);
if (!document.querySelector('bonafide-console')) document.body.append(document.createElement('bonafide-console'));
