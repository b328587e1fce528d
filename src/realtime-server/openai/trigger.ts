import type { HeardTurn } from "../engine/listener.ts";
import type { FollowUp, Reaction, Recognition, Repertoire } from "../engine/repertoire.ts";
import type { CueName } from "../script/script.ts";
import type { ResponseRequest } from "./session-schema.ts";

/** A turn of the caller that was committed. */
export interface CallerTurn {
  readonly number: number;
  readonly itemId: string;
  readonly heard: HeardTurn;
  /** Whether the bot was talked over. */
  interrupted: boolean;
  recognition: Recognition | undefined;
}

/** What a response answers. */
export type Trigger =
  | { readonly kind: "turn"; readonly turn: CallerTurn }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "toolOutput"; readonly followUp: FollowUp | undefined }
  | { readonly kind: "cue"; readonly cue: CueName }
  | { readonly kind: "nothing" };

/**
 * What may be done about a trigger.
 * @param canGreet nobody has been greeted yet.
 */
export function reactionsTo(
  trigger: Trigger,
  repertoire: Repertoire,
  canGreet: boolean,
): readonly Reaction[] {
  if (trigger.kind === "turn") {
    const { recognition, interrupted } = trigger.turn;
    return repertoire.reactionsTo(recognition?.phraseId, interrupted);
  }
  if (trigger.kind === "text") {
    return repertoire.reactionsTo(repertoire.phraseWritten(trigger.text), false);
  }
  if (trigger.kind === "toolOutput") return trigger.followUp ?? [];
  if (trigger.kind === "cue") return repertoire.reactionsToCue(trigger.cue);
  return canGreet ? repertoire.greeting : repertoire.reactionsTo(undefined, false);
}

/** The last text in items that a client gave with its request; empty where there is none. */
export function lastTextOf(items: NonNullable<ResponseRequest["input"]>): string {
  const texts = items.flatMap(({ content }) => {
    const parts = Array.isArray(content) ? (content as readonly unknown[]) : [];
    return parts.flatMap((part) => {
      const text = (part as { text?: unknown } | null)?.text;
      return typeof text === "string" ? [text] : [];
    });
  });
  return texts.at(-1) ?? "";
}
