import { describe, expect, it } from "vitest";
import { type Channel, RemoteError, UsageError } from "../environment/index.ts";
import { RemoteProcedures, serveProcedures } from "./remote-procedures.ts";

/** Two ends that copy messages, as threads do. */
function channelPair(): readonly [Channel, Channel] {
  const [left, right] = [looseEnd(), looseEnd()];
  left.post = (message) => right.onMessage?.(structuredClone(message));
  right.post = (message) => left.onMessage?.(structuredClone(message));
  return [left, right];
}

type Verbs = {
  double(value: number): number;
  fail(how: "usage" | "remote" | "bug"): never;
};

function serve() {
  const [near, far] = channelPair();
  const notify = serveProcedures(far, {
    double: (value: number) => value * 2,
    fail: (how: "usage" | "remote" | "bug") => {
      if (how === "usage") throw new UsageError("ERR_X", "Wrong.", { context: { line: 3 } });
      if (how === "remote") throw new RemoteError("ERR_Y", "Refused.");
      throw new Error("a bug");
    },
  });
  return { near, notify, remote: new RemoteProcedures<Verbs, string>(near) };
}

describe("RemoteProcedures", () => {
  it("brings results back, each to whom it belongs", async () => {
    const { remote } = serve();

    expect(await Promise.all([remote.call("double", 2), remote.call("double", 21)])).toEqual([
      4, 42,
    ]);
  });

  it("brings our errors back with class, code and context", async () => {
    const { remote } = serve();

    const usage = remote.call("fail", "usage");
    await expect(usage).rejects.toBeInstanceOf(UsageError);
    await expect(usage).rejects.toMatchObject({ code: "ERR_X", context: { line: 3 } });
    await expect(remote.call("fail", "remote")).rejects.toMatchObject({ fault: "remote" });
    await expect(remote.call("fail", "bug")).rejects.toThrow(/a bug/u);
  });

  it("hands notices on", () => {
    const { remote, notify } = serve();
    const notices: string[] = [];
    remote.onNotice = (notice) => notices.push(notice);

    notify("hello");

    expect(notices).toEqual(["hello"]);
  });

  it("fails what waits, and what comes after, when the other side has gone", async () => {
    const [near] = channelPair();
    near.post = () => {};
    const remote = new RemoteProcedures<Verbs, string>(near);
    const waiting = remote.call("double", 1);

    near.onGone?.(new Error("out of memory"));

    await expect(waiting).rejects.toMatchObject({ code: "ERR_THREAD_ENDED" });
    await expect(remote.call("double", 1)).rejects.toThrow(/out of memory/u);
  });
});

function looseEnd(): Channel {
  return {
    onMessage: undefined,
    onGone: undefined,
    post: () => {},
    terminate: () => Promise.resolve(),
  };
}
