import { describe, expect, it } from "vitest";
import { type HolCommandOptions, hol } from "./hol.ts";

const OPTIONS: HolCommandOptions = {
  folders: ["/nowhere/study"],
  reports: "/nowhere",
  loss: "0,1",
  roundTrip: "20",
  burst: "1",
  transport: "tcp-modelled",
  congestion: "cubic",
  preBuffer: "0",
  calls: "1",
  turns: "1",
  aiFormat: "pcmu",
  atOnce: "1",
  virtual: true,
  visqol: false,
  seed: undefined,
  against: undefined,
  json: false,
  write: () => undefined,
  tell: () => undefined,
};

describe("sidetone hol", () => {
  it.each([
    [{ loss: "0,much" }, /--loss takes numbers, and got "much"/u],
    [{ loss: "-1" }, /loss of -1 %/u],
    [{ loss: "" }, /names no loss/u],
    [{ roundTrip: "1e9" }, /--rtt takes numbers/u],
    [{ transport: "pigeon" }, /no transport "pigeon"/u],
    [{ congestion: "cubic,cubic" }, /cubic is named twice/u],
    [{ calls: "2.5" }, /calls in each cell is 2.5/u],
    [{ aiFormat: "mp3" }, /no format of speech "mp3"/u],
    [{ atOnce: "0" }, /--at-once takes a whole number/u],
    [{ against: "/nowhere/else" }, /there is no study \(\/nowhere\/else/u],
    [{ folders: ["a", "b"] }, /one folder, and 2 were named: a, b/u],
  ])("refuses %j before anything is placed or written", async (change, message) => {
    await expect(hol({ ...OPTIONS, ...change })).rejects.toThrow(message);
  });
});
