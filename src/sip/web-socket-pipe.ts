import type { MessageSocket, SocketAddress } from "../environment/index.ts";
import type { Pipe } from "./pipe.ts";

/** For traces, where the WebSocket does not tell its address. */
const UNKNOWN: SocketAddress = { address: "0.0.0.0", port: 0 };
/** RFC 6455 §7.4.1. */
const NORMAL_CLOSURE = 1000;
const encoder = new TextEncoder();

/** SIP over a WebSocket that is open: each text is one message (RFC 7118 §5), or line ends (§6). */
export function webSocketPipe(socket: MessageSocket): Pipe {
  const pipe: Pipe = {
    local: socket.addresses?.local ?? UNKNOWN,
    remote: socket.addresses?.remote ?? UNKNOWN,
    onPiece: undefined,
    onClose: undefined,
    send: (text) => socket.send(text),
    close: () => socket.close(NORMAL_CLOSURE),
    terminate: () => socket.terminate(),
  };
  socket.onMessage = (text, at) => {
    if (/[^\r\n]/u.test(text)) {
      pipe.onPiece?.({ kind: "message", data: encoder.encode(text) }, at);
      return;
    }
    const lineEnds = text.match(/\r?\n/gu)?.length ?? 0;
    for (let count = 0; count < lineEnds; count += 1) pipe.onPiece?.({ kind: "lineEnd" }, at);
  };
  socket.onClose = () => pipe.onClose?.(socket.failure);
  return pipe;
}
