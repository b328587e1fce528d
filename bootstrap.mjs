// The way in from a fresh clone: `npm start` and `npm test` begin here, before anything is installed.
//
// This file is parsed by whatever Node is on the machine. It therefore uses no recent syntax and
// loads the rest only once the version is known to suffice, so that an old Node gets a sentence
// instead of a SyntaxError.

// Kept equal to "engines" in package.json by test/unit/tidy.test.ts.
/** @type {[number, number]} */
const MINIMUM_NODE = [20, 19];

const parts = process.versions.node.split(".");
const major = Number(parts[0]);
const minor = Number(parts[1]);
const isTooOld = major < MINIMUM_NODE[0] || (major === MINIMUM_NODE[0] && minor < MINIMUM_NODE[1]);

if (isTooOld) {
  console.error(
    "Sidetone needs Node " +
      MINIMUM_NODE.join(".") +
      " or newer; this is Node " +
      process.versions.node +
      " (" +
      process.execPath +
      "). Install a newer one from https://nodejs.org and try again.",
  );
  process.exitCode = 3;
} else {
  // No top-level await and no arrow function either: see above.
  void import("./scripts/bootstrap/main.mjs").then(function (bootstrap) {
    return bootstrap.main(process.argv.slice(2));
  });
}
