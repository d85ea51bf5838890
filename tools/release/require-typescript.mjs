// Loaded before a script that people start first (`node --import`): says what to do where this Node cannot run it.
// `npm ci` installs a Node that can, by a script of the package "node"; with --ignore-scripts it does not.
if (!process.features.typescript) {
  console.error(`Node ${process.version} cannot run this project, which runs on the Node 24 that npm ci installs.
After npm ci --ignore-scripts, run:  npm rebuild --ignore-scripts=false node && npm run models`);
  process.exit(1);
}
