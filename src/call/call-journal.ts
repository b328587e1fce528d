import { isoText } from "../environment/index.ts";
import type { Fact, Party } from "../timeline/index.ts";
import type { CallIdentity } from "./call-artifacts.ts";

/** Where the journal is kept: one file per process, written at once. */
export interface JournalFile {
  /** @throws nothing: a run is not ended because its journal cannot be written. */
  append(line: string): void;
  remove(): void;
}

/** A call of a process that ended without hanging it up. */
export interface LeftOverCall {
  readonly callId: string;
  readonly direction: CallIdentity["direction"];
  /** Host and port only. */
  readonly remote: string;
  /** ISO 8601. */
  readonly since: string;
  /** Those of the dialog, once it was answered. */
  readonly fromTag?: string;
  readonly toTag?: string;
}

type JournalEntry =
  | ({ readonly type: "begun"; readonly party: Party } & Omit<LeftOverCall, "fromTag" | "toTag">)
  | {
      readonly type: "answered";
      readonly callId: string;
      readonly fromTag: string;
      readonly toTag: string;
    }
  | { readonly type: "ended"; readonly callId: string; readonly party: Party };

/** The host and port of a SIP URI, without its user part, which may be a telephone number. */
const URI_HOST_PORT = /^<?sips?:(?:[^@]*@)?(\[[^\]]+\](?::\d+)?|[^;?>\s]+)/iu;
const TAG = /^(?:(From|f)|(?:To|t))[ \t]*:.*;[ \t]*tag[ \t]*=[ \t]*([^;\s]+)/gimu;

/**
 * Writes down which calls are live, so that a run that is killed (SIGKILL, a crash of the host)
 * leaves a list of them. It holds no telephone numbers and no secrets. What is read from it is only
 * reported: see docs/adr/0019-safety.md for why no BYE is sent.
 */
export class CallJournal {
  readonly #file: JournalFile;
  /** By Call-ID: the ends that are live. */
  readonly #live = new Map<string, Set<Party>>();
  readonly #answered = new Set<string>();

  constructor(file: JournalFile) {
    this.#file = file;
  }

  /** A call is about to begin, or has begun. */
  begin({ callId, party, direction, remote, startedAtWallMs }: CallIdentity): void {
    const parties = this.#live.get(callId) ?? new Set();
    this.#live.set(callId, parties.add(party));
    this.#append({
      type: "begun",
      callId,
      party,
      direction,
      remote: URI_HOST_PORT.exec(remote)?.[1] ?? "",
      since: isoText(startedAtWallMs),
    });
  }

  /** Looks for the answer to an INVITE, which has both tags. */
  note(callId: string, fact: Fact): void {
    if (fact.kind !== "sipMessage" || fact.method !== "INVITE" || fact.statusCode !== 200) return;
    if (this.#answered.has(callId) || !this.#live.has(callId)) return;
    const tags = tagsOf(fact.text);
    if (tags === undefined) return;
    this.#answered.add(callId);
    this.#append({ type: "answered", callId, ...tags });
  }

  /** One end of a call has ended; the file goes with the last one. */
  end(callId: string, party: Party): void {
    const parties = this.#live.get(callId);
    if (parties?.delete(party) !== true) return;
    if (parties.size === 0) {
      this.#live.delete(callId);
      this.#answered.delete(callId);
    }
    if (this.#live.size === 0) this.#file.remove();
    else this.#append({ type: "ended", callId, party });
  }

  /** No call is left, whatever was told so far. */
  clear(): void {
    this.#live.clear();
    this.#answered.clear();
    this.#file.remove();
  }

  #append(entry: JournalEntry): void {
    this.#file.append(JSON.stringify(entry));
  }
}

/**
 * The calls that a journal of a dead process says were live. Those whose both ends were in that
 * process are gone with it. A line that was cut off by the crash is skipped.
 */
export function leftOverCalls(journal: string): readonly LeftOverCall[] {
  const calls = new Map<string, { call: LeftOverCall; seen: Set<Party>; live: Set<Party> }>();
  for (const line of journal.split("\n")) {
    const entry = parseEntry(line);
    if (entry === undefined) continue;
    const known = calls.get(entry.callId);
    if (entry.type === "begun") {
      const { type: _type, party, ...call } = entry;
      const { seen, live } = known ?? { seen: new Set<Party>(), live: new Set<Party>() };
      calls.set(entry.callId, {
        call: known?.call ?? call,
        seen: seen.add(party),
        live: live.add(party),
      });
    } else if (entry.type === "ended") known?.live.delete(entry.party);
    else if (known !== undefined) {
      const { fromTag, toTag } = entry;
      known.call = { ...known.call, fromTag, toTag };
    }
  }
  return [...calls.values()]
    .filter(({ seen, live }) => live.size > 0 && seen.size === 1)
    .map(({ call }) => call);
}

/** What a user is told about calls that a dead process left; `undefined` where there are none. */
export function leftOverText(calls: readonly LeftOverCall[]): string | undefined {
  if (calls.length === 0) return undefined;
  const lines = calls.map(({ callId, remote, direction, since, fromTag, toTag }) => {
    const way = direction === "outbound" ? "to" : "from";
    const tags = toTag === undefined ? "not answered yet" : `tags ${fromTag} and ${toTag}`;
    return `  since ${since} ${way} ${remote}, Call-ID ${callId} (${tags})`;
  });
  const [count, verb] = calls.length === 1 ? ["1 call", "it"] : [`${calls.length} calls`, "they"];
  return [
    `An earlier run was killed before it could hang up ${count}; ${verb} may still be up at the other end:`,
    ...lines,
    "  No BYE is sent for what another process began. End what is still up at the bot or its exchange.",
  ].join("\n");
}

function tagsOf(text: string): { readonly fromTag: string; readonly toTag: string } | undefined {
  const head = text.split(/\r?\n\r?\n/u, 1)[0] ?? "";
  let [fromTag, toTag]: (string | undefined)[] = [];
  for (const [, from, tag] of head.matchAll(TAG)) {
    if (from === undefined) toTag = tag;
    else fromTag = tag;
  }
  return fromTag === undefined || toTag === undefined ? undefined : { fromTag, toTag };
}

function parseEntry(line: string): JournalEntry | undefined {
  try {
    const entry = JSON.parse(line) as JournalEntry;
    return typeof entry.callId === "string" ? entry : undefined;
  } catch {
    return undefined;
  }
}
