import {
  EnvironmentError,
  isSidetoneError,
  RemoteError,
  type SidetoneError,
  UsageError,
} from "../environment/index.ts";
import { type SipTransport, transportTraits } from "./transport-name.ts";

/** Nothing in the message says where it goes. */
export function noNextHop(): SidetoneError {
  return new RemoteError(
    "ERR_SIP_NO_NEXT_HOP",
    "A SIP message names no address to which it could be sent. Look at Contact, Route and Via in the trace.",
  );
}

/** Nothing of ours is bound for that transport. */
export function notServed(transport: SipTransport): SidetoneError {
  return new UsageError(
    "ERR_SIP_TRANSPORT",
    `A SIP message is to go by ${transportTraits(transport).viaToken}, for which this endpoint has no socket of the address family. Let it listen for that, or call a target with another transport. Agents with several threads have UDP alone.`,
  );
}

/** Why a host was not found, as an error of ours. */
export function resolveFailure(error: unknown): SidetoneError {
  if (isSidetoneError(error)) return error;
  return new EnvironmentError(
    "ERR_HOST_UNRESOLVED",
    "A host name could not be resolved. Check its spelling and this machine's DNS.",
    { cause: error },
  );
}
