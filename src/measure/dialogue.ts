import type { Instant } from "../environment/index.ts";
import type { Fact, FactOf, Party } from "../timeline/index.ts";
import { factsOf } from "./facts-of.ts";
import { optional } from "./optional.ts";

/** One thing that somebody did in a call, as far as words can tell of it. */
export type DialogueLine = { readonly at: Instant; readonly by: Party } & (
  | {
      readonly kind: "speech";
      readonly text: string;
      /** `script`: known truth · `heard`: what the other side's AI understood · `claimed`: its own. */
      readonly source: "script" | "heard" | "claimed";
      /** The other side broke in, so that not all of the text was said. */
      readonly isCutOff: boolean;
    }
  | {
      readonly kind: "tool";
      readonly name: string;
      readonly arguments: Readonly<Record<string, unknown>>;
      readonly outcome: "open" | "finished" | "failed";
      /** What it returned, or the code by which it failed. */
      readonly result?: string;
    }
  | { readonly kind: "digits"; readonly digits: string }
  | { readonly kind: "text"; readonly text: string }
  /** "hangs up", "asks for a transfer to …" */
  | { readonly kind: "event"; readonly text: string }
);

/** The texts of scripted speech, by the names of its recordings. */
export type TextOf = (fixture: string) => string | undefined;

/**
 * What both sides said and did, in order. What was recorded is taken for what was said; else the
 * bot's words are those that the caller's AI heard, where there is one that wrote any down, and
 * whatever is left is what each side's AI claims of itself.
 */
export function dialogueOf(facts: readonly Fact[], textOf: TextOf = wordsOf): DialogueLine[] {
  const lines = [
    ...spokenLines(facts, textOf),
    ...toolLines(facts),
    ...digitLines(facts),
    ...messageLines(facts),
    ...transferLines(facts),
    ...endLine(facts),
  ];
  return joinedDigits(lines.toSorted((left, right) => left.at - right.at));
}

/** Whose AI is believed about what a party said: the caller's, where it wrote any of it down. */
export function witnessOf(facts: readonly Fact[], by: Party): Party {
  return factsOf(facts, "aiTranscript", "caller").some(({ of }) => of === by) ? "caller" : "bot";
}

function spokenLines(facts: readonly Fact[], textOf: TextOf): DialogueLine[] {
  const parties: readonly Party[] = ["caller", "bot"];
  return parties.flatMap((by) => {
    const scripted = factsOf(facts, "utterance", by).filter(({ fixture }) => fixture !== "ai");
    return scripted.length > 0
      ? scriptedLines(scripted, textOf)
      : transcribedLines(facts, by, witnessOf(facts, by));
  });
}

function scriptedLines(utterances: readonly FactOf<"utterance">[], textOf: TextOf): DialogueLine[] {
  const begun = utterances.filter(({ event }) => event === "started");
  return begun.map(({ party, fixture, onsetAt, utteranceId }) => {
    const ended = utterances.find(
      (each) => each.event === "ended" && each.utteranceId === utteranceId,
    );
    return {
      kind: "speech",
      at: onsetAt,
      by: party,
      text: textOf(fixture) ?? wordsOf(fixture),
      source: "script",
      isCutOff: ended?.isCutShort === true,
    };
  });
}

function transcribedLines(facts: readonly Fact[], by: Party, witness: Party): DialogueLine[] {
  const playouts = factsOf(facts, "playout", by);
  return factsOf(facts, "aiTranscript", witness)
    .filter(({ of, text }) => of === by && text.trim() !== "")
    .map(({ at, text, responseId }) => {
      const own = witness === by ? playouts.filter((each) => each.responseId === responseId) : [];
      return {
        kind: "speech",
        // A text may be written down long before or after it was said.
        at: own.find(({ event }) => event === "started")?.at ?? at,
        by,
        text: text.trim(),
        source: witness === by ? "claimed" : "heard",
        isCutOff: own.some(({ event }) => event === "flushed"),
      };
    });
}

/** Of the bot's AI: what the tester's own tools do is seen on the line. */
function toolLines(facts: readonly Fact[]): DialogueLine[] {
  const all = factsOf(facts, "toolCall", "bot");
  return all
    .filter(({ event }) => event === "called")
    .map(({ at, party, name, arguments: args, toolCallId }) => {
      const end = all.find(
        (each) =>
          each.toolCallId === toolCallId && (each.event === "finished" || each.event === "failed"),
      );
      return {
        kind: "tool",
        at,
        by: party,
        name,
        arguments: args,
        outcome: end?.event === "finished" || end?.event === "failed" ? end.event : "open",
        ...optional("result", end?.event === "failed" ? end.code : end?.result),
      };
    });
}

/** By whoever sent them; by whoever got them where the sender is not ours. */
function digitLines(facts: readonly Fact[]): DialogueLine[] {
  const parties: readonly Party[] = ["caller", "bot"];
  return parties.flatMap((by) => {
    const sent = factsOf(facts, "digit", by).filter(({ direction }) => direction === "sent");
    const got = factsOf(facts, "digit", otherOf(by)).filter(
      ({ direction }) => direction === "received",
    );
    return (sent.length > 0 ? sent : got).map(({ at, digit }) => ({
      kind: "digits" as const,
      at,
      by,
      digits: digit,
    }));
  });
}

function joinedDigits(lines: readonly DialogueLine[]): DialogueLine[] {
  const joined: DialogueLine[] = [];
  for (const line of lines) {
    const last = joined.at(-1);
    if (line.kind === "digits" && last?.kind === "digits" && last.by === line.by) {
      joined[joined.length - 1] = { ...last, digits: `${last.digits}${line.digits}` };
    } else joined.push(line);
  }
  return joined;
}

function messageLines(facts: readonly Fact[]): DialogueLine[] {
  const all = factsOf(facts, "textMessage");
  return all
    .filter(
      ({ party, direction, text }) =>
        direction === "sent" ||
        // Known once where both ends are ours.
        !all.some(
          (each) => each.party !== party && each.direction === "sent" && each.text === text,
        ),
    )
    .map(({ at, party, direction, text }) => ({
      kind: "text",
      at,
      by: direction === "sent" ? party : otherOf(party),
      text,
    }));
}

function transferLines(facts: readonly Fact[]): DialogueLine[] {
  const requests = factsOf(facts, "transfer").filter(({ event }) => event === "requested");
  const own = requests.filter(({ role }) => role === "transferor");
  return (own.length > 0 ? own : requests).map(({ at, party, role, target }) => ({
    kind: "event",
    at,
    by: role === "transferor" ? party : otherOf(party),
    text: `asks for a transfer${target === undefined ? "" : ` to ${target}`}`,
  }));
}

function endLine(facts: readonly Fact[]): DialogueLine[] {
  const end = factsOf(facts, "callPhase").find(({ phase }) => phase === "ended");
  if (end === undefined) return [];
  const { at, party, endedBy, reason } = end;
  const by = endedBy === "remote" ? otherOf(party) : party;
  if (reason === "bye") return [{ kind: "event", at, by, text: "hangs up" }];
  return [{ kind: "event", at, by, text: `the call ends: ${reason ?? "nobody knows why"}` }];
}

function otherOf(party: Party): Party {
  return party === "caller" ? "bot" : "caller";
}

/** "caller/what-time-is-breakfast.wav" → "what time is breakfast" */
function wordsOf(fixture: string): string {
  const name = fixture.split("/").at(-1) ?? fixture;
  return name.replace(/\.wav$/u, "").replaceAll("-", " ");
}
