import type {
  Instant,
  SidetoneError,
  SocketAddress,
  StreamConnection,
} from "../environment/index.ts";
import { StreamFramer, type StreamPiece } from "./stream-framing.ts";

/** A connection that carries whole messages, whatever is below. */
export interface Pipe {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  onPiece: ((piece: StreamPiece, at: Instant) => void) | undefined;
  /** Called once; with an error unless either side closed it in order. */
  onClose: ((error: SidetoneError | undefined) => void) | undefined;
  send(text: string): void;
  close(): void;
  terminate(): void;
}

const encoder = new TextEncoder();

/** SIP over TCP or TLS: messages are cut out of the stream. */
export function streamPipe(connection: StreamConnection): Pipe {
  const framer = new StreamFramer();
  const pipe: Pipe = {
    local: connection.local,
    remote: connection.remote,
    onPiece: undefined,
    onClose: undefined,
    send: (text) => connection.send(encoder.encode(text)),
    close: () => connection.close(),
    terminate: () => connection.terminate(),
  };
  connection.onData = (data, at) => {
    framer.handleBytes(data);
    for (;;) {
      const piece = framer.takeOutput();
      if (piece === undefined) return;
      pipe.onPiece?.(piece, at);
    }
  };
  connection.onClose = (error) => pipe.onClose?.(error);
  return pipe;
}
