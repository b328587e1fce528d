import type { OutgoingRequestMessage, URI } from "sip.js/lib/core/index.js";
import { UsageError } from "../environment/index.ts";
import { AllowedHosts } from "./allowed-hosts.ts";
import { type RefusedNumber, refusedNumber } from "./refused-numbers.ts";
import { parseNameAddr, parseUri } from "./wire-uri.ts";

const NUMBER_KINDS: Readonly<Record<RefusedNumber, string>> = {
  emergency: "an emergency number",
  premium: "a premium-rate number",
  short: "an emergency number in some countries",
};

/**
 * Whom we may send a request to that does not belong to a dialog: calls, transfers, redirections,
 * registrations, OPTIONS. Loopback and the hosts that were permitted explicitly; emergency and
 * premium numbers never, wherever they lead, because an exchange on loopback may have a line to the
 * public network, too.
 *
 * Its errors name hosts, never user parts.
 */
export class DialPolicy {
  readonly #hosts: AllowedHosts;

  /**
   * @param allowed see `AllowedHosts`; default: loopback only.
   * @throws UsageError ERR_ALLOW_MALFORMED.
   */
  constructor(allowed: readonly string[] = []) {
    this.#hosts = new AllowedHosts(allowed);
  }

  /** Why `target` (sip:, sips: or tel:) may not be called; `undefined` where it may. */
  refusalOf(target: URI | string): UsageError | undefined {
    const uri = typeof target === "string" ? parseUri(target) : target;
    if (uri?.scheme === "sip" || uri?.scheme === "sips") return this.#sipRefusal(uri);
    return uri === undefined ? notAllowed(undefined) : opaqueRefusal(uri);
  }

  #sipRefusal(uri: URI): UsageError | undefined {
    const user = uri.user ?? "";
    const hosts = [uri.host, uri.getParam("maddr")].filter((host) => typeof host === "string");
    const permissions = hosts.map((host) => this.#hosts.permissionOf(host, user));
    const number = refusedNumber(user, uri.getParam("phone-context") ?? undefined);
    if (number !== undefined && !(number === "short" && permissions[0]?.namesUser === true)) {
      return numberRefusal(number);
    }
    const refused = permissions.findIndex(({ isAllowed }) => !isAllowed);
    return refused === -1 ? undefined : notAllowed(hosts[refused]);
  }

  /**
   * @param routes values of Route headers, by which the request would travel.
   * @throws UsageError ERR_NUMBER_REFUSED, ERR_TARGET_NOT_ALLOWED.
   */
  require(target: URI | string, routes: readonly string[] = []): void {
    const refusal = [target, ...routes.flatMap(routeUris)]
      .map((uri) => this.refusalOf(uri))
      .find((error) => error !== undefined);
    if (refusal !== undefined) throw refusal;
  }

  /** The same for a request that is about to leave. */
  requireMessage(message: OutgoingRequestMessage): void {
    this.require(message.ruri, message.getHeaders("route"));
  }
}

/** Other schemes name no host; what carries them there is judged by its Route. */
function opaqueRefusal(uri: URI): UsageError | undefined {
  const text = uri.toString();
  if (uri.scheme === "tel") return numberRefusal(refusedNumber(text.slice("tel:".length)));
  return /^urn:service:sos(?:\.|$)/iu.test(text)
    ? numberRefusal("emergency")
    : notAllowed(undefined);
}

/** The URIs of one Route header, which may hold several; what is malformed is refused as text. */
function routeUris(value: string): readonly (URI | string)[] {
  return value
    .split(/,(?=\s*(?:"[^"]*"\s*)?<)/u)
    .map((each) => parseNameAddr(each.trim())?.uri ?? each.trim());
}

function numberRefusal(kind: RefusedNumber | undefined): UsageError | undefined {
  if (kind === undefined) return undefined;
  const advice =
    kind === "short"
      ? "Where it is an extension of your own exchange, permit it by name: --allow USER@HOST (in code and world parameters: allow)."
      : "No option permits that; give the bot another number. If it is an ordinary number of your country, write it in the international form (+…). The lists are in docs/sip.md, under Safety.";
  return new UsageError(
    "ERR_NUMBER_REFUSED",
    `The target is, or could be, ${NUMBER_KINDS[kind]}, so it is not called. ${advice}`,
    { context: { kind } },
  );
}

function notAllowed(host: string | undefined): UsageError {
  // "sip:00491234" has a number for a host.
  const isName = host !== undefined && !/^[+\d]{3,}$/u.test(host);
  const shown = isName ? `the host "${host}"` : "a target without a host name or address";
  const name = isName ? host.replace(/^\[(.*)\]$/u, "$1") : "HOST";
  return new UsageError(
    "ERR_TARGET_NOT_ALLOWED",
    `Sidetone may not send requests to ${shown}: only loopback and hosts that were permitted explicitly may be called. If it is yours to test, permit it with --allow ${name} (in code: openHarness({ allow: ["${name}"] }); under cucumber: the world parameter "allow"; in the environment: SIDETONE_ALLOW=${name}).`,
    { context: isName ? { host } : {} },
  );
}
