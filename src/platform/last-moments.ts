const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** What is done when the process is about to end. */
export interface LastMoments {
  /** A signal came that would end the process; it ends when this has settled. */
  readonly onSignal: () => Promise<void>;
  /** It ends now, whatever the reason; only what is done synchronously is done. */
  readonly onExit: () => void;
}

/**
 * Stands at every way out of this process but SIGKILL: signals, `process.exit`, uncaught exceptions
 * and unhandled rejections, which all end in `exit`. A signal that somebody else handles as well,
 * such as our own command line, is left to them.
 *
 * @returns steps aside again.
 */
export function watchLastMoments({ onSignal, onExit }: LastMoments): () => void {
  const handlers = SIGNALS.map((signal) => {
    const handler = (): void => {
      if (process.listenerCount(signal) > 1) return;
      // The second one ends at once.
      process.off(signal, handler);
      void onSignal().finally(() => process.kill(process.pid, signal));
    };
    process.on(signal, handler);
    return [signal, handler] as const;
  });
  process.on("exit", onExit);
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
    process.off("exit", onExit);
  };
}
