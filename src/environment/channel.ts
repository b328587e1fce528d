/** Messages to and from another thread (structured clones), in order. */
export interface Channel {
  onMessage: ((message: unknown) => void) | undefined;
  /** Called once where the other side has gone; with an error where it crashed. */
  onGone: ((error: Error | undefined) => void) | undefined;
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  /** Ends the other side at once. */
  terminate(): Promise<void>;
}
