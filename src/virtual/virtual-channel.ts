import type { Channel } from "../environment/index.ts";

/** Where a channel's message is a request, until its reply has come somebody waits. */
export interface ChannelWaits {
  /** Whether a message from the near end is one that is answered. */
  isRequest(message: unknown): boolean;
  isReply(message: unknown): boolean;
  /** Begins a wait; the result ends it. */
  beginWait(): () => void;
}

/**
 * Both ends of a channel to what would be a thread, in this one. Messages are cloned, as between
 * threads, and come in order, once the present work is done.
 */
export function virtualChannel(waits: ChannelWaits): {
  readonly near: Channel;
  readonly far: Channel;
} {
  const pending: (() => void)[] = [];
  let isOpen = true;
  const near: Channel = {
    onMessage: undefined,
    onGone: undefined,
    post: (message) => {
      if (!isOpen) return;
      deliver(far, message);
      if (waits.isRequest(message)) pending.push(waits.beginWait());
    },
    terminate: () => {
      isOpen = false;
      for (const end of pending.splice(0)) end();
      queueMicrotask(() => near.onGone?.(undefined));
      return Promise.resolve();
    },
  };
  const far: Channel = {
    onMessage: undefined,
    onGone: undefined,
    post: (message) => {
      if (!isOpen) return;
      deliver(near, message);
      // Which request it was does not matter: one fewer is waited for.
      if (waits.isReply(message)) pending.pop()?.();
    },
    terminate: () => Promise.resolve(),
  };
  const deliver = (end: Channel, message: unknown): void => {
    const clone = structuredClone(message);
    queueMicrotask(() => {
      if (isOpen) end.onMessage?.(clone);
    });
  };
  return { near, far };
}
