import type { StreamConnection } from "../../environment/index.ts";

/** Lets each of two connections carry on what comes by the other; one that is slow slows both. */
export function joinStreams(one: StreamConnection, other: StreamConnection): void {
  pass(one, other);
  pass(other, one);
}

function pass(from: StreamConnection, to: StreamConnection): void {
  const { onClose } = from;
  from.onData = (data) => {
    to.send(data);
    if (to.bufferedBytes > 0) from.pause();
  };
  to.onDrain = () => from.resume();
  from.onClose = (error) => {
    onClose?.(error);
    if (error === undefined) to.close();
    else to.terminate();
  };
}
