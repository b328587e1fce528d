import { UsageError } from "../environment/index.ts";
import type { RedirectContact } from "./sip-call.ts";
import { parseTarget } from "./sip-uri.ts";

/**
 * Contact header lines of a 3xx (RFC 3261 §21.3).
 * @throws UsageError ERR_TARGET_MALFORMED, ERR_TARGET_UNSUPPORTED, ERR_REDIRECT_CONTACT.
 */
export function contactHeaders(contacts: readonly RedirectContact[]): string[] {
  if (contacts.length === 0) throw badContact("names nobody: give one Contact at least");
  return contacts.map(({ uri, preference }) => {
    const text = parseTarget(uri).toString();
    if (preference === undefined) return `Contact: <${text}>`;
    if (!(preference >= 0 && preference <= 1)) {
      throw badContact(`has the preference ${preference}; it must be 0 to 1`);
    }
    return `Contact: <${text}>;q=${Number(preference.toFixed(3))}`;
  });
}

function badContact(what: string): UsageError {
  return new UsageError("ERR_REDIRECT_CONTACT", `The redirection ${what}.`);
}
