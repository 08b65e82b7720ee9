/**
 * What can go wrong, in a form that survives a message between the extension's parts: the browser
 * drops the class and all fields of an `Error` on its way.
 */

/**
 * @typedef {'server-down' | 'another-program' | 'not-paired' | 'page-not-readable' | 'bad-address'
 *   | 'too-large' | 'not-kept' | 'newer-settings' | 'too-many-servers' | 'unexpected'} ErrorKind
 */

/**
 * @typedef {object} SerialisedError
 * @property {ErrorKind | 'problem'} kind What went wrong.
 * @property {string} message For the person.
 * @property {Problem | null} problem The server's own words, when it is a `ServerProblem`.
 */

/**
 * @typedef {object} Problem An `application/problem+json` document.
 * @property {string} slug Last part of its `type`, such as `no-model`.
 * @property {number} status HTTP status.
 * @property {string} detail For the person.
 * @property {number | null} [retry_after_s] Seconds after which to ask again, where the server says it.
 * @property {{[name: string]: unknown}} members All of its members, extensions included.
 */

/** An error that this extension knows how to explain. */
export class BowerbirdError extends Error {
  /**
   * @param {ErrorKind | 'problem'} kind What went wrong.
   * @param {string} message For the person: what happened and what to do about it.
   */
  constructor(kind, message) {
    super(message);
    this.name = 'BowerbirdError';
    this.kind = kind;
  }
}

/** A refusal by our server. */
export class ServerProblem extends BowerbirdError {
  /** @param {Problem} problem What the server said. */
  constructor(problem) {
    super('problem', problem.detail);
    this.name = 'ServerProblem';
    this.problem = problem;
  }

  /** @returns {string} Which problem it is, such as `no-model`. */
  get slug() {
    return this.problem.slug;
  }

  /** @returns {number} HTTP status. */
  get status() {
    return this.problem.status;
  }
}

/**
 * Prepare an error for a message.
 *
 * @param {unknown} error Whatever was thrown.
 * @returns {SerialisedError} Plain data.
 */
export function serialiseError(error) {
  return {
    kind: error instanceof BowerbirdError ? error.kind : 'unexpected',
    message: messageOf(error),
    problem: error instanceof ServerProblem ? error.problem : null,
  };
}

/**
 * Rebuild an error from a message.
 *
 * @param {SerialisedError} data What `serialiseError` made.
 * @returns {BowerbirdError} The error, of its class.
 */
export function reviveError(data) {
  return data.problem === null
    ? new BowerbirdError(data.kind, data.message)
    : new ServerProblem(data.problem);
}

/**
 * Say what was thrown.
 *
 * @param {unknown} error Whatever was thrown.
 * @returns {string} For the person.
 */
export function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}
