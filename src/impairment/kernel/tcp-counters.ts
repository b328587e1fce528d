import type { Instant } from "../../environment/index.ts";

/** What the TCP of a whole namespace did since it was made, as the kernel counts it. */
export interface TcpCounters {
  /** OutSegs: all that it sent, acknowledgements among them. */
  readonly segments: number;
  /** RetransSegs. */
  readonly retransmissions: number;
  /** TCPFastRetrans: because acknowledgements told of later ones. */
  readonly fastRetransmissions: number;
  /** TCPSlowStartRetrans: after a timeout, those that were lost beside the first. */
  readonly slowStartRetransmissions: number;
  /** TCPLossProbes (RFC 8985 §7). */
  readonly tailLossProbes: number;
  /** TCPTimeouts (RFC 6298). */
  readonly timeouts: number;
  /** TCPSpuriousRTOs. */
  readonly spuriousTimeouts: number;
}

/** Counters at an instant. */
export interface TcpSample {
  readonly at: Instant;
  readonly counters: TcpCounters;
}

const NAMES: Readonly<Record<keyof TcpCounters, string>> = {
  segments: "Tcp:OutSegs",
  retransmissions: "Tcp:RetransSegs",
  fastRetransmissions: "TcpExt:TCPFastRetrans",
  slowStartRetransmissions: "TcpExt:TCPSlowStartRetrans",
  tailLossProbes: "TcpExt:TCPLossProbes",
  timeouts: "TcpExt:TCPTimeouts",
  spuriousTimeouts: "TcpExt:TCPSpuriousRTOs",
};
const KEYS = Object.keys(NAMES) as (keyof TcpCounters)[];

/** Nothing happened yet. */
export const NO_TCP: TcpCounters = {
  segments: 0,
  retransmissions: 0,
  fastRetransmissions: 0,
  slowStartRetransmissions: 0,
  tailLossProbes: 0,
  timeouts: 0,
  spuriousTimeouts: 0,
};

const GROUPS = ["Tcp:", "TcpExt:"] as const;

/**
 * Reads /proc/net/snmp and /proc/net/netstat (as one text): pairs of lines, names above values. What
 * a kernel does not count is 0.
 */
export function parseTcpCounters(text: string): TcpCounters {
  return new TcpCounterParser().parse(text);
}

/** The same for many readings of one kernel, whose names stay as they are. */
export class TcpCounterParser {
  /** A line of names → which of its columns count what. */
  readonly #columns = new Map<string, readonly (readonly [keyof TcpCounters, number])[]>();

  parse(text: string): TcpCounters {
    const counters: { -readonly [Key in keyof TcpCounters]: number } = { ...NO_TCP };
    for (const group of GROUPS) {
      const [names, figures] = pairOf(text, group);
      const values = figures.split(" ");
      for (const [key, column] of this.#columnsOf(names, group)) {
        counters[key] = Number(values[column] ?? 0);
      }
    }
    return counters;
  }

  #columnsOf(names: string, group: string): readonly (readonly [keyof TcpCounters, number])[] {
    const known = this.#columns.get(names);
    if (known !== undefined) return known;
    const wanted = new Map(KEYS.map((key) => [NAMES[key], key]));
    const found = names.split(" ").flatMap((name, column) => {
      const key = wanted.get(`${group}${name}`);
      return key === undefined ? [] : [[key, column] as const];
    });
    this.#columns.set(names, found);
    return found;
  }
}

/** The two lines that begin with a group's name; empty where they are not there. */
function pairOf(text: string, group: string): readonly [names: string, figures: string] {
  const begin = text.startsWith(`${group} `) ? 0 : text.indexOf(`\n${group} `) + 1;
  if (begin === 0 && !text.startsWith(group)) return ["", ""];
  const middle = text.indexOf("\n", begin) + 1;
  const end = text.indexOf("\n", middle);
  const figures = text.slice(middle, end === -1 ? undefined : end);
  return [text.slice(begin, middle - 1), figures.startsWith(`${group} `) ? figures : ""];
}

/** What happened from one sample to a later one. */
export function tcpCountersBetween(earlier: TcpCounters, later: TcpCounters): TcpCounters {
  return countersOf((key) => later[key] - earlier[key]);
}

/** Whether anything but new segments was counted since. */
export function isEventful(earlier: TcpCounters, later: TcpCounters): boolean {
  return KEYS.some((key) => key !== "segments" && later[key] !== earlier[key]);
}

function countersOf(valueOf: (key: keyof TcpCounters) => number): TcpCounters {
  return Object.fromEntries(KEYS.map((key) => [key, valueOf(key)])) as Record<
    keyof TcpCounters,
    number
  >;
}
