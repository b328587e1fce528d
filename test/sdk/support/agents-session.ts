import {
  OpenAIRealtimeWebSocket,
  RealtimeAgent,
  RealtimeSession,
  tool,
} from "@openai/agents-realtime";
import { z } from "zod";
import type { Message } from "./deviating-network.ts";
import { check, Watch } from "./watch.ts";

/** What a session told, one kind of event per name. */
export type Told =
  | { readonly kind: "transport"; readonly event: Message }
  | { readonly kind: "audio"; readonly responseId: string; readonly data: Buffer }
  | { readonly kind: "toolCalled"; readonly digits: string }
  | { readonly kind: "toolEnded"; readonly result: string }
  | { readonly kind: "agentEnd"; readonly words: string }
  | { readonly kind: "audioStopped" | "interrupted" | "history" };

export const MODEL = "gpt-realtime-2.1";

/** A session of the Agents SDK as its users write it: an agent, a tool, and events. */
export class AgentsSession {
  readonly session: RealtimeSession;
  readonly watch: Watch<Told>;

  constructor(
    transport: OpenAIRealtimeWebSocket,
    format: "audio/pcm" | "audio/pcmu",
    limitMs: number,
  ) {
    const watch = new Watch<Told>(limitMs);
    const sendDtmf = tool({
      name: "send_dtmf",
      description: "Sends digits.",
      parameters: z.object({ digits: z.string() }),
      execute: ({ digits }) => {
        watch.note({ kind: "toolCalled", digits });
        return "sent";
      },
    });
    const agent = new RealtimeAgent({ name: "Bot", instructions: "Be brief.", tools: [sendDtmf] });
    const audioFormat = format === "audio/pcm" ? { type: format, rate: 24_000 } : { type: format };
    this.watch = watch;
    this.session = new RealtimeSession(agent, {
      transport,
      model: MODEL,
      config: {
        audio: {
          input: {
            format: audioFormat,
            transcription: { model: "gpt-4o-transcribe" },
            turnDetection: { type: "server_vad", interruptResponse: true, createResponse: true },
          },
          output: { format: audioFormat },
        },
      },
    });
    this.#listen();
  }

  /** The first event of this kind from number `from` on. */
  async until<Kind extends Told["kind"]>(
    name: string,
    kind: Kind,
    isMeant: (told: Extract<Told, { readonly kind: Kind }>) => boolean = () => true,
    from = 0,
  ): Promise<Extract<Told, { readonly kind: Kind }>> {
    const isIt = (told: Told): told is Extract<Told, { readonly kind: Kind }> =>
      told.kind === kind && isMeant(told as Extract<Told, { readonly kind: Kind }>);
    return (await this.watch.until(name, isIt, from)) as Extract<Told, { readonly kind: Kind }>;
  }

  /** An event of the protocol, as the SDK passes it on. */
  async event(type: string, from = 0): Promise<Message> {
    return (
      await this.until(`${type} comes`, "transport", ({ event }) => event["type"] === type, from)
    ).event;
  }

  get mark(): number {
    return this.watch.events.length;
  }

  since<Kind extends Told["kind"]>(
    mark: number,
    kind: Kind,
  ): readonly Extract<Told, { readonly kind: Kind }>[] {
    return this.watch.events
      .slice(mark)
      .filter((told): told is Extract<Told, { readonly kind: Kind }> => told.kind === kind);
  }

  /** What the SDK remembers of the conversation: who said what. */
  get history(): readonly { readonly role: string; readonly words: string | null }[] {
    return this.session.history.flatMap((item) => {
      if (item.type !== "message" || item.role === "system") return [];
      const [words] = item.content.map((part) => ("transcript" in part ? part.transcript : null));
      return [{ role: item.role, words: words ?? null }];
    });
  }

  /** Waits until the conversation is remembered like this. */
  async untilRemembered(
    name: string,
    role: "user" | "assistant",
    words: string,
    from: number,
  ): Promise<void> {
    const isThere = (): boolean =>
      this.history.some((item) => item.role === role && item.words?.startsWith(words) === true);
    await this.watch.until(name, isThere, Math.max(0, from - 1));
  }

  #listen(): void {
    const { session, watch } = this;
    session.on("transport_event", (event) => watch.note({ kind: "transport", event }));
    session.on("audio", ({ responseId, data }) => {
      watch.note({ kind: "audio", responseId, data: Buffer.from(data) });
    });
    session.on("agent_tool_end", (_context, _agent, _tool, result) =>
      watch.note({ kind: "toolEnded", result }),
    );
    session.on("agent_end", (_context, _agent, words) => watch.note({ kind: "agentEnd", words }));
    session.on("audio_stopped", () => watch.note({ kind: "audioStopped" }));
    session.on("audio_interrupted", () => watch.note({ kind: "interrupted" }));
    session.on("history_updated", () => watch.note({ kind: "history" }));
    session.on("error", ({ error }) =>
      watch.fail(new Error(`the client tells an error: ${JSON.stringify(error)}`)),
    );
  }

  /** What is true of every conversation with it, however it went. */
  checkTruncation(truncated: Message, sentMs: number): void {
    const endMs: unknown = truncated["audio_end_ms"];
    check(
      "the truncation lies within what was sent",
      typeof endMs === "number" && endMs <= sentMs,
      endMs,
    );
  }
}
