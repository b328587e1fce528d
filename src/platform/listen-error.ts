import { EnvironmentError, type SocketAddress } from "../environment/index.ts";

/** Turns the host's refusal to bind into an error that says what to do. */
export function listenError(
  cause: Error & { readonly code?: string },
  protocol: "UDP" | "TCP",
  local: SocketAddress,
): EnvironmentError {
  const where = `${protocol} ${local.address}:${local.port}`;
  const details = { context: { protocol, ...local }, cause };
  switch (cause.code ?? "") {
    case "EADDRINUSE":
      return new EnvironmentError(
        "ERR_PORT_IN_USE",
        `${where} is already in use. Stop the program that holds it, or choose another port (0 lets the host choose).`,
        details,
      );
    case "EADDRNOTAVAIL":
      return new EnvironmentError(
        "ERR_ADDRESS_NOT_LOCAL",
        `${where} cannot be bound: this host has no such address. Use one that "ip address" shows.`,
        details,
      );
    case "EACCES":
      return new EnvironmentError(
        "ERR_PORT_DENIED",
        `${where} may not be bound by this user. Use a port above 1023.`,
        details,
      );
    default:
      return new EnvironmentError(
        "ERR_BIND_FAILED",
        `${where} cannot be bound: ${cause.code ?? cause.message}.`,
        details,
      );
  }
}
