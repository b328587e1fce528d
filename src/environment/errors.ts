/** Plain JSON that goes with an error: limits, observed values, where to look. */
export type ErrorContext = Readonly<Record<string, unknown>>;

/** Details of an error beside its code and message. */
export interface ErrorDetails {
  readonly context?: ErrorContext;
  readonly cause?: unknown;
}

const BRAND = Symbol.for("sidetone.error");

/** Who is at fault; see the four classes below. */
export type Fault = "usage" | "environment" | "remote" | "expectation";

/**
 * The base of all errors that Sidetone means to raise. Each has a stable `code`, documented in
 * docs/errors.md, and a `context` of plain JSON. Its message holds no secret, transcript or
 * telephone number: what happened, observed against allowed, and what to do.
 */
export abstract class SidetoneError extends Error {
  abstract readonly fault: Fault;
  readonly code: string;
  readonly context: ErrorContext;

  constructor(className: string, code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    // As Node's own errors show their codes; test runners hand on name and message only.
    this.name = className.replace(/^\w+/u, (name) => `${name} [${code}]`);
    this.code = code;
    this.context = details.context ?? {};
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/** The scenario, the configuration or the order of calls is wrong. Reported as broken; exit 2. */
export class UsageError extends SidetoneError {
  override readonly fault = "usage";

  constructor(code: string, message: string, details?: ErrorDetails) {
    super("UsageError", code, message, details);
  }
}

/** The host, the network or the credentials are wrong. Reported as broken; exit 3. */
export class EnvironmentError extends SidetoneError {
  override readonly fault = "environment";

  constructor(code: string, message: string, details?: ErrorDetails) {
    super("EnvironmentError", code, message, details);
  }
}

/**
 * The peer refused, vanished or broke the protocol. Reported as failed, with evidence; exit 1.
 * Allure tells failed from broken by the word in brackets.
 */
export class RemoteError extends SidetoneError {
  override readonly fault = "remote";

  constructor(code: string, message: string, details?: ErrorDetails) {
    super("RemoteError [AssertionError]", code, message, details);
  }
}

/** The system under test behaved, but not as expected. Reported as failed; exit 1. */
export class ExpectationError extends SidetoneError {
  override readonly fault = "expectation";

  constructor(code: string, message: string, details?: ErrorDetails) {
    super("ExpectationError [AssertionError]", code, message, details);
  }
}

/** Tells our errors from others, even where two copies of the package are loaded. */
export function isSidetoneError(error: unknown): error is SidetoneError {
  return typeof error === "object" && error !== null && BRAND in error;
}

/** A one-line text for any thrown value. */
export function errorText(error: unknown): string {
  if (isSidetoneError(error)) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
