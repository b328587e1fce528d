/** Exit codes of the project (ARCHITECTURE.md): 2 usage, 3 environment. */
export const EXIT_USAGE = 2;
export const EXIT_ENVIRONMENT = 3;

/** A set-up step that cannot go on: a message for the user, and the exit code of the run. */
export class BootstrapFailure extends Error {
  /**
   * @param {string} message What happened, where, and what to do.
   * @param {number} exitCode
   */
  constructor(message, exitCode) {
    super(message);
    this.name = "BootstrapFailure";
    this.exitCode = exitCode;
  }
}

/**
 * Says on stderr what the set-up is doing; stdout belongs to the command that follows.
 * @param {string} text
 */
export function say(text) {
  process.stderr.write(`sidetone: ${text}\n`);
}
