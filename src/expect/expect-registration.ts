import type { RemoteAgent } from "../call/index.ts";
import { ExpectationError } from "../environment/index.ts";
import { formatMs } from "../measure/index.ts";

/**
 * The agent is registered within `limitMs` of now.
 * @throws RemoteError with the code of what went wrong: ERR_SIP_REGISTRATION_FAILED,
 *   ERR_SIP_CREDENTIALS_REFUSED and their like.
 */
export async function expectRegistered(agent: RemoteAgent, limitMs: number): Promise<string> {
  const { expiresS } = await agent.registration.whenRegistered(limitMs);
  return `registered${expiresS === undefined ? "" : ` for ${expiresS} s`}`;
}

/**
 * Its registration is refused for good: with this status, or with this code of ours.
 * @throws ExpectationError ERR_REGISTRATION_NOT_REFUSED.
 */
export async function expectRegistrationRefused(
  agent: RemoteAgent,
  wanted: { readonly statusCode?: number; readonly code?: string; readonly limitMs: number },
): Promise<string> {
  const { statusCode, code, limitMs } = wanted;
  const last = await agent.registration.whenIn(["registered", "refused"], limitMs);
  const { state, statusCode: status, error } = last ?? {};
  const seen = [state, status, error?.code].filter((each) => each !== undefined);
  const isMet =
    state === "refused" &&
    [statusCode, code].every((each) => each === undefined || seen.includes(each));
  const observed = seen.length === 0 ? "it was not even tried" : `it is: ${seen.join(", ")}`;
  if (isMet) return `registration ${seen.join(", ")}`;
  throw new ExpectationError(
    "ERR_REGISTRATION_NOT_REFUSED",
    `Expected the registration to be refused with ${code ?? statusCode ?? "any status"} within ${formatMs(limitMs)}, but ${observed}.`,
    { context: { ...wanted, state, status } },
  );
}

/**
 * The agent is registered no longer.
 * @throws ExpectationError ERR_STILL_REGISTERED.
 */
export async function expectUnregistered(agent: RemoteAgent, limitMs: number): Promise<string> {
  const last = await agent.registration.whenIn(["unregistered", "refused"], limitMs);
  if (last === undefined || last.state === "unregistered") return "not registered";
  throw new ExpectationError(
    "ERR_STILL_REGISTERED",
    `Expected no registration after ${formatMs(limitMs)}, but it is: ${last.state}.`,
    { context: { state: last.state, limitMs } },
  );
}

/**
 * Somebody is registered at our registrar as this user.
 * @returns the Contact, where it can be called.
 * @throws ExpectationError ERR_NOT_BOUND.
 */
export async function expectBound(
  registrar: RemoteAgent,
  user: string,
  limitMs: number,
): Promise<string> {
  const contact = await registrar.bindings.whenBound(user, limitMs);
  if (contact !== undefined) return contact;
  throw new ExpectationError(
    "ERR_NOT_BOUND",
    `Nobody registered as "${user}" at our registrar within ${formatMs(limitMs)}. Let the bot register at the address that the report names, with that user.`,
    { context: { limitMs } },
  );
}
