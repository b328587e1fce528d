import type { Clock, Instant, MessageSocket, Timer } from "../environment/index.ts";
import type { ServerEventDraft } from "./engine/server-event.ts";
import type { SessionEngine, SessionOutput } from "./engine/session-output.ts";

/**
 * Joins a session to its socket and to the clock, and does nothing else; it lives as long as the
 * socket. Truths are told right before the message that they are about is handed to the socket.
 */
export function pumpSession(
  session: SessionEngine,
  socket: MessageSocket,
  clock: Clock,
  tellTruth: (draft: ServerEventDraft, at: Instant) => void,
): void {
  let timer: Timer | undefined;
  let isClosed = false;

  const perform = (output: SessionOutput): void => {
    if (output.kind === "truth") {
      const at = clock.now();
      session.handleSent(output.draft, at);
      tellTruth(output.draft, at);
    } else if (output.kind === "message") socket.send(output.text, output.frame);
    else if (canBeSent(output.code)) socket.close(output.code, output.reason);
    else socket.terminate();
  };

  /** Sends what there is, does what is due, and arms the timer for what is next. */
  const run = (): void => {
    timer?.cancel();
    timer = undefined;
    for (;;) {
      for (let each = session.takeOutput(); each; each = session.takeOutput()) perform(each);
      const dueAt = session.nextTimeout;
      if (dueAt === undefined || isClosed) return;
      const now = clock.now();
      if (dueAt > now) {
        timer = clock.setTimer(dueAt, run);
        return;
      }
      session.handleTimeout(now);
    }
  };

  socket.onMessage = (text) => {
    session.handleMessage(text, clock.now());
    run();
  };
  socket.onClose = (code) => {
    isClosed = true;
    timer?.cancel();
    tellTruth({ type: "disconnected", code }, clock.now());
  };
  run();
}

/** 1005, 1006 and 1015 stand for ends without a close frame (RFC 6455 §7.4.1). */
function canBeSent(closeCode: number): boolean {
  return closeCode !== 1005 && closeCode !== 1006 && closeCode !== 1015;
}
