/** What the kernel knows of one TCP socket (TCP_INFO), as `ss -tinmO` prints it. */
export interface SocketStatistics {
  readonly local: string;
  readonly remote: string;
  readonly congestionControl: string;
  /** Smoothed round trip, and its variation. */
  readonly rttMs: number | undefined;
  readonly rttVarMs: number | undefined;
  readonly rtoMs: number | undefined;
  /** The congestion window, in segments of `mssBytes`. */
  readonly cwndSegments: number | undefined;
  readonly ssthreshSegments: number | undefined;
  readonly mssBytes: number | undefined;
  readonly unackedSegments: number;
  readonly retransmissions: number;
  /** Bytes that wait in the send buffer without having been sent. */
  readonly notSentBytes: number;
  /** At which the peer got what it acknowledged last. */
  readonly deliveryBitsPerSecond: number | undefined;
  /** How long sending waited for the peer's window, and for the program (sndbuf), in all. */
  readonly windowLimitedMs: number;
}

const CONGESTION_CONTROL =
  /^(?:cubic|reno|bbr|dctcp|vegas|westwood|htcp|bic|illinois|yeah|nv|lp)$/u;

/** Reads what `ss -tinmO` printed: one line for each socket, a heading above them. */
export function parseSocketStatistics(text: string): SocketStatistics[] {
  return text
    .split("\n")
    .filter((line) => /^(?:ESTAB|SYN|FIN|CLOS|LAST|TIME)/u.test(line))
    .map(statisticsOf);
}

function statisticsOf(line: string): SocketStatistics {
  const words = line.trim().split(/\s+/u);
  const [, , , local = "", remote = "", ...rest] = words;
  const number = (pattern: RegExp): number | undefined => {
    const found = pattern.exec(line)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  return {
    local,
    remote,
    congestionControl: rest.find((word) => CONGESTION_CONTROL.test(word)) ?? "",
    rttMs: number(/\srtt:([\d.]+)\//u),
    rttVarMs: number(/\srtt:[\d.]+\/([\d.]+)/u),
    rtoMs: number(/\srto:([\d.]+)/u),
    cwndSegments: number(/\scwnd:(\d+)/u),
    ssthreshSegments: number(/\sssthresh:(\d+)/u),
    mssBytes: number(/\smss:(\d+)/u),
    unackedSegments: number(/\sunacked:(\d+)/u) ?? 0,
    retransmissions: number(/\sretrans:\d+\/(\d+)/u) ?? 0,
    notSentBytes: number(/\snotsent:(\d+)/u) ?? 0,
    deliveryBitsPerSecond: number(/\sdelivery_rate (\d+)bps/u),
    windowLimitedMs: number(/\srwnd_limited:(\d+)ms/u) ?? 0,
  };
}
