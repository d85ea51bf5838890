import './element.ts';

document.body.append(document.createElement('bonafide-capture'));
