import type { WatchedCall } from "../call/index.ts";
import type { ScenarioSummary } from "../report/index.ts";
import type { Fact, FactOf } from "../timeline/index.ts";
import type { ScenarioListener } from "./scenario-collector.ts";

const MARKS: Readonly<Record<ScenarioSummary["verdict"], string>> = {
  pass: "✓",
  fail: "✗",
  inconclusive: "?",
  unsupported: "–",
  broken: "!",
};

/** Says on the terminal what happens while it happens: a line per scenario, call and call phase. */
export class Progress implements ScenarioListener {
  readonly #write: (line: string) => void;
  #feature = "";

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  onStarted(name: string, feature: string): void {
    if (feature !== this.#feature) this.#write(`\n${feature}`);
    this.#feature = feature;
    this.#write(`  ▸ ${name}`);
  }

  onFinished(scenario: ScenarioSummary): void {
    const seconds = (scenario.durationMs / 1000).toFixed(1);
    this.#write(
      `  ${MARKS[scenario.verdict]} ${scenario.name} (${seconds} s): ${scenario.verdict}`,
    );
    if (scenario.error !== undefined) {
      const code = scenario.error.code === undefined ? "" : `${scenario.error.code}: `;
      this.#write(`      ${code}${scenario.error.message.split("\n")[0] ?? ""}`);
    }
  }

  /** Follows a call from its first fact to its end. */
  watch(call: WatchedCall): void {
    call.timeline.subscribe((fact) => {
      const text = describeFact(fact);
      if (text !== undefined) this.#write(`      call ${call.id}: ${text}`);
    });
  }
}

/** The facts worth a line, seen from the caller's end (or the bot's, where only that is ours). */
function describeFact(fact: Fact): string | undefined {
  if (fact.kind === "fault") return `${fact.code}: ${fact.message}`;
  if (fact.kind === "transfer") return transferText(fact);
  if (fact.kind === "httpRequest") return requestText(fact);
  if (fact.kind === "callPhase") return fact.party === "caller" ? phaseText(fact) : undefined;
  return beginningText(fact);
}

function beginningText(fact: Fact): string | undefined {
  if (!("event" in fact) || (fact.event !== "started" && fact.event !== "called")) return undefined;
  if (fact.kind === "utterance") return `the caller says "${fact.fixture}"`;
  if (fact.kind === "heardSpeech") return "the bot is heard";
  if (fact.kind === "toolCall" && fact.event === "called") return `the bot calls ${fact.name}`;
  return undefined;
}

/** Told by whoever answers it: by our server, or for one that is not ours by the bot. */
function requestText({ direction, method, url, statusCode }: FactOf<"httpRequest">): string {
  const what = `${method} ${new URL(url).host}`;
  return direction === "received" ? `${what} arrives` : `${what} → ${statusCode ?? "no answer"}`;
}

/** What whoever asks for a transfer sees; or where that is not ours, whoever is asked. */
function transferText(fact: Fact & { readonly kind: "transfer" }): string | undefined {
  if (fact.role === "target" || fact.event === "placed") return undefined;
  if (fact.role === "transferee" && fact.party === "bot") return undefined;
  const status = fact.statusCode === undefined ? "" : ` ${fact.statusCode}`;
  return `transfer ${fact.event}${status} (${fact.role})`;
}

function phaseText(fact: Fact & { readonly kind: "callPhase" }): string | undefined {
  if (fact.phase === "confirmed") return undefined;
  const status = fact.statusCode === undefined ? "" : ` ${fact.statusCode}`;
  if (fact.phase !== "ended") return `${fact.phase}${status}`;
  return `ended${status} (${fact.reason ?? "?"}, by ${fact.endedBy ?? "?"})`;
}
