import type { Deviation, Message } from "./deviating-network.ts";

/** Changes events of one type of the OpenAI protocol. */
export function changed(type: string, change: (message: Message) => readonly Message[]): Deviation {
  return (message) => (message["type"] === type ? change(message) : [message]);
}

/** Leaves out events of one type. */
export function dropped(type: string): Deviation {
  return changed(type, () => []);
}

/** Writes other fields into events of one type; `undefined` takes one away. */
export function rewritten(type: string, fields: Message): Deviation {
  return changed(type, (message) => [{ ...message, ...fields }]);
}

/** Leaves out the piece of audio with this number. */
export function withoutPiece(number: number): Deviation {
  let count = 0;
  return changed("response.output_audio.delta", (message) => {
    count += 1;
    return count === number ? [] : [message];
  });
}

/** Says some more of what was cut off. */
export function lateAudio(): Deviation {
  let last: Message | undefined;
  return (message) => {
    if (message["type"] === "response.output_audio.delta") last = message;
    const isCut = message["type"] === "response.done" && message["response"].status === "cancelled";
    return isCut && last !== undefined ? [message, last] : [message];
  };
}
