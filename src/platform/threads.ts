import { constants, setPriority } from "node:os";
import { parentPort, Worker, workerData } from "node:worker_threads";
import type { Channel } from "../environment/index.ts";

/** Starts a thread that runs the module at `entry`. */
export function startThread(entry: URL, data: unknown): Channel {
  const worker = new Worker(entry, { workerData: data });
  const channel: Channel = {
    onMessage: undefined,
    onGone: undefined,
    post: (message, transfer) => worker.postMessage(message, transfer ?? []),
    terminate: async () => {
      await worker.terminate();
    },
  };
  let failure: Error | undefined;
  worker.on("message", (message: unknown) => channel.onMessage?.(message));
  worker.on("error", (error: Error) => {
    failure = error;
  });
  worker.on("exit", () => channel.onGone?.(failure));
  return channel;
}

/** What `startThread` was given for this thread. */
export function threadData(): unknown {
  return workerData;
}

/** The channel to the thread that started this one. */
export function parentChannel(): Channel {
  const port = parentPort;
  if (port === null) throw new Error("Bug: this module runs only as a thread.");
  const channel: Channel = {
    onMessage: undefined,
    onGone: undefined,
    post: (message, transfer) => port.postMessage(message, transfer ?? []),
    terminate: () => {
      port.close();
      return Promise.resolve();
    },
  };
  port.on("message", (message: unknown) => channel.onMessage?.(message));
  return channel;
}

/** Lets whatever else runs on this host go before this thread (on Linux; elsewhere nothing). */
export function giveWay(): void {
  // There, 0 is this thread, and not its process.
  if (process.platform === "linux") setPriority(0, constants.priority.PRIORITY_LOW);
}
