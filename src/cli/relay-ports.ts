import { type SocketAddress, UsageError } from "../environment/index.ts";

/** One port of a relay, as it is asked for. */
export interface WantedPort {
  readonly nearPort: number;
  /** 0: the host chooses. */
  readonly farPort: number;
  readonly target: SocketAddress;
}

const PORT_MAX = 65_535;
/** NEAR[:FAR]=ADDRESS:PORT, an IPv6 address in brackets. */
const PATTERN =
  /^(\d{1,5})(?::(\d{1,5}))?=(?:\[([0-9a-f:.]+)\]|(\d{1,3}(?:\.\d{1,3}){3})):(\d{1,5})$/iu;

/**
 * The ports of a relay; with `withRtcp`, the next ones, too (RFC 3550 §11).
 * @throws UsageError ERR_RELAY_PORTS.
 */
export function relayPorts(texts: readonly string[], withRtcp: boolean): readonly WantedPort[] {
  if (texts.length === 0) {
    throw new UsageError(
      "ERR_RELAY_PORTS",
      "Name at least one port and where it leads: sidetone relay 16384=192.0.2.7:40000.",
    );
  }
  const ports = texts.map(portIn).flatMap((port) => (withRtcp ? [port, next(port)] : [port]));
  const near = ports.map(({ nearPort }) => nearPort);
  const twice = near.find((port, index) => port !== 0 && near.indexOf(port) !== index);
  if (twice === undefined) return ports;
  throw new UsageError("ERR_RELAY_PORTS", `Port ${twice} is named twice.`);
}

function portIn(text: string): WantedPort {
  const [, near, far = "0", v6, v4, port] = PATTERN.exec(text) ?? [];
  const address = v6 ?? v4;
  const numbers = [near, far, port].map(Number);
  if (address === undefined || !numbers.every(isPort) || Number(port) === 0) {
    throw new UsageError(
      "ERR_RELAY_PORTS",
      `"${text}" says no port and where it leads. Write NEAR=ADDRESS:PORT, or NEAR:FAR=ADDRESS:PORT: 16384=192.0.2.7:40000.`,
    );
  }
  return { nearPort: Number(near), farPort: Number(far), target: { address, port: Number(port) } };
}

function next({ nearPort, farPort, target }: WantedPort): WantedPort {
  const above = { address: target.address, port: target.port + 1 };
  if (nearPort === 0) {
    throw new UsageError(
      "ERR_RELAY_PORTS",
      "With --rtcp name the port for RTP; 0 has no next one.",
    );
  }
  return {
    nearPort: nearPort + 1,
    farPort: farPort === 0 ? 0 : farPort + 1,
    target: above,
  };
}

function isPort(value: number): boolean {
  return Number.isInteger(value) && value <= PORT_MAX;
}
