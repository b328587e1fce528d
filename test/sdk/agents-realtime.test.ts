import { OpenAIRealtimeWebSocket } from "@openai/agents-realtime";
import { describe, expect, it } from "vitest";
import { AgentsSession, MODEL } from "./support/agents-session.ts";
import type { Deviation } from "./support/deviating-network.ts";
import { changed, dropped, lateAudio, rewritten, withoutPiece } from "./support/deviations.ts";
import { botSpeech, callerSpeech, type ServedAi, serveAi } from "./support/server.ts";
import { check } from "./support/watch.ts";

const BYTES_PER_MS = 48;

/** A conversation by `RealtimeSession`: tools, history, interruption and truncation are the SDK's. */
class Conversation {
  readonly #agents: AgentsSession;

  private constructor(agents: AgentsSession) {
    this.#agents = agents;
  }

  static async open({ server, secureOrigin }: ServedAi, limitMs: number): Promise<Conversation> {
    const url = `${secureOrigin.replace("https", "wss")}/v1/realtime?model=${MODEL}`;
    const transport = new OpenAIRealtimeWebSocket({ url, useInsecureApiKey: true });
    const agents = new AgentsSession(transport, "audio/pcm", limitMs);
    await agents.session.connect({ apiKey: server.apiKey, url });
    await agents.event("session.created");
    const { session } = await agents.event("session.updated");
    check(
      "the session is echoed",
      session.instructions === "Be brief." && session.tools?.[0]?.name === "send_dtmf",
    );
    return new Conversation(agents);
  }

  async spokenTurn(): Promise<void> {
    const agents = this.#agents;
    const from = agents.mark;
    await this.#say("What time is breakfast?");
    const { words } = await agents.until("the agent has spoken", "agentEnd", undefined, from);
    check("its words are told", words.startsWith("Breakfast is served"), words);
    await agents.until("the client knows that audio ended", "audioStopped", undefined, from);
    const audio = Buffer.concat(agents.since(from, "audio").map(({ data }) => data));
    check(
      "the bot's voice arrives whole",
      audio.equals(await botSpeech("breakfast", "pcm")),
      audio.length,
    );
    await agents.untilRemembered("the caller's words are remembered", "user", "What time is", from);
    await agents.untilRemembered("the bot's words are remembered", "assistant", "Breakfast", from);
  }

  async bargeIn(): Promise<void> {
    const agents = this.#agents;
    const from = agents.mark;
    await this.#say("Tell me about the hotel.");
    const { responseId } = await agents.until("the long answer begins", "audio", undefined, from);
    const at = agents.mark;
    await this.#say("Excuse me, may I ask something?");
    await agents.until("the client is interrupted", "interrupted", undefined, at);
    const truncated = await agents.event("conversation.item.truncated", at);
    const sent = agents.since(from, "audio").filter((each) => each.responseId === responseId);
    agents.checkTruncation(
      truncated,
      Buffer.concat(sent.map(({ data }) => data)).length / BYTES_PER_MS,
    );
    const { event: retrieved } = await agents.until(
      "the SDK reads the cut item",
      "transport",
      ({ event }) =>
        event["type"] === "conversation.item.retrieved" &&
        event["item"].id === truncated["item_id"],
      at,
    );
    const [content] = retrieved["item"].content as [Record<string, unknown>];
    check("what was not heard is forgotten", content["transcript"] === undefined, content);
    const { words } = await agents.until(
      "the interruption is answered",
      "agentEnd",
      (told) => told.words.startsWith("Of course"),
      at,
    );
    check("by its own words", words.startsWith("Of course"));
    const events = agents.since(at, "transport").map(({ event }) => event);
    const ended = events.findIndex(
      ({ type, response }) => type === "response.done" && response.id === responseId,
    );
    check(
      "the interrupted response is cancelled",
      events[ended]?.["response"].status === "cancelled",
    );
    const late = events.slice(ended).filter((event) => event["response_id"] === responseId);
    check("nothing comes after the end", late.length === 0, late.length);
  }

  async toolCall(): Promise<void> {
    const agents = this.#agents;
    const from = agents.mark;
    await this.#say("Dial four two.");
    const { digits } = await agents.until("the tool is called", "toolCalled", undefined, from);
    check("with its arguments", digits === "42", digits);
    const { result } = await agents.until("the tool has returned", "toolEnded", undefined, from);
    check("what it returns", result === "sent", result);
    await agents.until(
      "the result is spoken of",
      "agentEnd",
      ({ words }) => words.includes("Goodbye"),
      from,
    );
    check("the tool was called once", agents.since(from, "toolCalled").length === 1);
  }

  close(): void {
    this.#agents.session.close();
  }

  async #say(phrase: string): Promise<void> {
    for (const piece of await callerSpeech(phrase, 24_000)) {
      this.#agents.session.sendAudio(new Int16Array(piece).buffer);
    }
  }
}

const STEPS = ["spokenTurn", "bargeIn", "toolCall"] as const;

/** Goes through all steps, or only those that a deviation is about. */
async function converse(
  deviation?: Deviation,
  steps: readonly (typeof STEPS)[number][] = STEPS,
): Promise<void> {
  const served = await serveAi(deviation);
  let conversation: Conversation | undefined;
  try {
    conversation = await Conversation.open(served, deviation === undefined ? 10_000 : 1500);
    for (const step of steps) await conversation[step]();
  } finally {
    conversation?.close();
    await served.server.close();
  }
}

describe("@openai/agents-realtime", () => {
  it("holds a session with tools, interruption, truncation and retrieval", async () => {
    await expect(converse()).resolves.toBeUndefined();
  });

  const deviations: readonly (readonly [
    string,
    (typeof STEPS)[number],
    RegExp,
    () => Deviation,
  ])[] = [
    ["never ends a response", "spokenTurn", /agent has spoken/u, () => dropped("response.done")],
    [
      "names the audio as in the beta",
      "spokenTurn",
      /bot's voice arrives whole/u,
      () => rewritten("response.output_audio.delta", { type: "response.audio.delta" }),
    ],
    [
      "leaves out an output's index",
      "spokenTurn",
      /bot's voice/u,
      () => rewritten("response.output_audio.delta", { output_index: undefined }),
    ],
    ["loses a piece of audio", "spokenTurn", /bot's voice arrives whole/u, () => withoutPiece(3)],
    [
      "does not say that audio ended",
      "spokenTurn",
      /audio ended/u,
      () => dropped("response.output_audio.done"),
    ],
    [
      "tells no transcript",
      "spokenTurn",
      /caller's words are remembered/u,
      () => dropped("conversation.item.input_audio_transcription.completed"),
    ],
    [
      "does not tell that the caller speaks",
      "bargeIn",
      /client is interrupted/u,
      () => dropped("input_audio_buffer.speech_started"),
    ],
    [
      "does not confirm a truncation",
      "bargeIn",
      /truncated comes/u,
      () => dropped("conversation.item.truncated"),
    ],
    ["goes on speaking when interrupted", "bargeIn", /nothing comes after the end/u, lateAudio],
    [
      "leaves a call unfinished",
      "toolCall",
      /tool is called/u,
      () =>
        changed("response.output_item.done", (m) =>
          m["item"].type === "function_call"
            ? [{ ...m, item: { ...m["item"], status: "in_progress" } }]
            : [m],
        ),
    ],
    [
      "mangles a function's arguments",
      "toolCall",
      /arguments|tool is called|tells an error/u,
      () =>
        changed("response.output_item.done", (m) =>
          m["item"].type === "function_call"
            ? [{ ...m, item: { ...m["item"], arguments: '{"digits":"43"}' } }]
            : [m],
        ),
    ],
  ];

  it.concurrent.each(deviations)(
    "fails where the server %s",
    async (_how, step, failure, deviation) => {
      await expect(converse(deviation(), [step])).rejects.toThrow(failure);
    },
  );
});
