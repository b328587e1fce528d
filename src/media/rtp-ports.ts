import {
  type DatagramSocket,
  EnvironmentError,
  isSidetoneError,
  type Network,
  type Random,
  randomInteger,
} from "../environment/index.ts";

/** The sockets of one call. */
export interface MediaSockets {
  readonly rtp: DatagramSocket;
  /** On the port above; absent where RTCP is not to be used. */
  readonly rtcp?: DatagramSocket;
}

/** A range of ports, both ends included. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Below the range from which Linux takes ports for outgoing connections (32768 and up). */
const DEFAULT_RTP_PORTS: PortRange = { first: 16_384, last: 32_767 };

/** Ports tried at random before the range is gone through in order. */
const RANDOM_TRIES = 16;

/** Where to bind. */
export interface BindOptions {
  readonly address: string;
  readonly range?: PortRange;
  /** Whether the port above is bound, too. */
  readonly withRtcp: boolean;
}

/**
 * Binds an even port for RTP and, if wanted, the odd one above it for RTCP (RFC 3550 §11).
 * @throws EnvironmentError ERR_RTP_PORTS_EXHAUSTED where every port of the range is taken;
 *   ERR_ADDRESS_NOT_LOCAL, ERR_PORT_DENIED.
 */
export async function bindRtpPorts(
  network: Network,
  random: Random,
  options: BindOptions,
): Promise<MediaSockets> {
  const range = options.range ?? DEFAULT_RTP_PORTS;
  const first = range.first + (range.first % 2);
  const pairs = Math.max(0, Math.floor((range.last - first + 1) / 2));
  const tries = pairs === 0 ? 0 : pairs + RANDOM_TRIES;
  const start = randomInteger(random, Math.max(1, pairs));
  for (let tried = 0; tried < tries; tried += 1) {
    const pair = tried < RANDOM_TRIES ? randomInteger(random, pairs) : (start + tried) % pairs;
    // oxlint-disable-next-line no-await-in-loop -- one port after the other, until one is free.
    const sockets = await bindPair(network, first + 2 * pair, options);
    if (sockets !== undefined) return sockets;
  }
  throw new EnvironmentError(
    "ERR_RTP_PORTS_EXHAUSTED",
    `No RTP port is free on ${options.address} from ${range.first} to ${range.last}. End calls, or widen rtpPorts.`,
    { context: { address: options.address, ...range } },
  );
}

/** `undefined` where one of the two is in use. */
async function bindPair(
  network: Network,
  port: number,
  { address, withRtcp }: BindOptions,
): Promise<MediaSockets | undefined> {
  const rtp = await bindFree(network, address, port);
  if (rtp === undefined || !withRtcp) return rtp && { rtp };
  const rtcp = await bindFree(network, address, port + 1);
  if (rtcp !== undefined) return { rtp, rtcp };
  await rtp.close();
  return undefined;
}

async function bindFree(
  network: Network,
  address: string,
  port: number,
): Promise<DatagramSocket | undefined> {
  try {
    return await network.bindDatagram({ address, port });
  } catch (error) {
    if (isSidetoneError(error) && error.code === "ERR_PORT_IN_USE") return undefined;
    throw error;
  }
}
