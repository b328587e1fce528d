import {
  EnvironmentError,
  isSidetoneError,
  RemoteError,
  type SidetoneError,
  type SocketAddress,
} from "../environment/index.ts";

/** OpenSSL's words for a certificate whose time is over, or has not come. */
const OUT_OF_DATE = /^(?:CERT_HAS_EXPIRED|CERT_NOT_YET_VALID|CRL_HAS_EXPIRED)$/u;
/** The chain does not lead to an authority that is trusted (X509_V_ERR_…). */
const UNTRUSTED =
  /SELF_SIGNED_CERT|UNABLE_TO_(?:GET_ISSUER|VERIFY_LEAF)|CERT_(?:UNTRUSTED|REVOKED|REJECTED|CHAIN_TOO_LONG|SIGNATURE_FAILURE)|INVALID_(?:CA|PURPOSE)/u;
const NAME_MISMATCH = /CERT_ALTNAME_INVALID$|^HOSTNAME_MISMATCH$/u;
/** Alerts that a server sends about the client's certificate (RFC 8446 §6.2). */
const ABOUT_OUR_CERTIFICATE =
  /ALERT_(?:CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_(?:UNKNOWN|EXPIRED|REVOKED)|UNKNOWN_CA|ACCESS_DENIED)/u;
const CONNECTION_ENDED = /^(?:ECONNRESET|EPIPE|ECONNABORTED)$/u;
const NO_WAY = /^(?:EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|ENETDOWN|EACCES)$/u;

/** Why a connection could not be made, or ended: an error that says what to do. */
export function streamFailure(
  cause: Error & { readonly code?: string },
  remote: SocketAddress,
): SidetoneError {
  if (isSidetoneError(cause)) return cause;
  const code = cause.code ?? cause.message;
  const details = { context: { code, ...remote }, cause };
  const where = `${remote.address}:${remote.port}`;
  return tlsFailure(code, where, details) ?? connectionFailure(code, where, details);
}

interface Details {
  readonly context: Readonly<Record<string, unknown>>;
  readonly cause: Error;
}

function tlsFailure(code: string, where: string, details: Details): SidetoneError | undefined {
  if (OUT_OF_DATE.test(code)) {
    return new RemoteError(
      "ERR_TLS_CERTIFICATE_EXPIRED",
      `The certificate of ${where} is not valid at this time (${code}). Renew it there, and check this host's clock.`,
      details,
    );
  }
  if (UNTRUSTED.test(code)) {
    return new RemoteError(
      "ERR_TLS_CERTIFICATE_UNTRUSTED",
      `The certificate of ${where} was not issued by an authority that is trusted here (${code}). Give its authority as \`ca\`, or have the peer send the whole chain.`,
      details,
    );
  }
  if (NAME_MISMATCH.test(code)) {
    return new RemoteError(
      "ERR_TLS_NAME_MISMATCH",
      `The certificate of ${where} is for another name than the one that was called. Call it by a name in its subjectAltName, or give that as \`serverName\`.`,
      details,
    );
  }
  if (ABOUT_OUR_CERTIFICATE.test(code)) {
    return new EnvironmentError(
      "ERR_TLS_CLIENT_CERTIFICATE_REFUSED",
      `${where} did not accept our certificate, or wants one and got none (${code}). Give \`certificate\` and \`key\` of an authority that it trusts.`,
      details,
    );
  }
  if (/^(?:ERR_SSL|ERR_TLS|EPROTO)/u.test(code)) return handshakeFailed(where, code, details);
  return undefined;
}

function connectionFailure(code: string, where: string, details: Details): SidetoneError {
  if (code === "ECONNREFUSED") {
    return new RemoteError(
      "ERR_CONNECTION_REFUSED",
      `${where} refused the connection: nothing listens there for TCP. Check host, port and transport of the target.`,
      details,
    );
  }
  if (code === "ETIMEDOUT") return timedOut(where, details);
  if (CONNECTION_ENDED.test(code)) return connectionLost(where, code, details);
  if (NO_WAY.test(code)) {
    return new EnvironmentError(
      "ERR_NETWORK_UNREACHABLE",
      `The network has no way to ${where} (${code}). Check the target's address and this machine's routes.`,
      details,
    );
  }
  return connectionLost(where, code, details);
}

/** The peer ended the connection before its TLS handshake was done. */
export function handshakeFailed(where: string, code: string, details?: Details): RemoteError {
  return new RemoteError(
    "ERR_TLS_HANDSHAKE_FAILED",
    `No TLS connection with ${where} came about (${code}). Check that it speaks TLS 1.2 or newer on this port.`,
    details,
  );
}

export function timedOut(where: string, details?: Details): RemoteError {
  return new RemoteError(
    "ERR_CONNECTION_TIMED_OUT",
    `${where} did not answer our attempt to connect in time. Check the target's address and port, and firewalls between.`,
    details,
  );
}

function connectionLost(where: string, code: string, details?: Details): RemoteError {
  return new RemoteError(
    "ERR_CONNECTION_LOST",
    `The connection with ${where} broke (${code}). Look at what was sent last in the trace, and at the peer's log.`,
    details,
  );
}
