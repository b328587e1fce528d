import { describe, expect, it } from "vitest";
import type { Fact, Party } from "../timeline/index.ts";
import type { CallIdentity } from "./call-artifacts.ts";
import { CallJournal, leftOverCalls, leftOverText } from "./call-journal.ts";

/** A journal in memory, as a killed process would leave it. */
function memoryJournal() {
  const file = { text: "", removed: 0 };
  const journal = new CallJournal({
    append: (line) => {
      file.text += `${line}\n`;
    },
    remove: () => {
      file.text = "";
      file.removed += 1;
    },
  });
  return { journal, file };
}

function identityOf(callId: string, party: Party = "caller"): CallIdentity {
  return {
    callId,
    party,
    direction: party === "caller" ? "outbound" : "inbound",
    local: "sip:caller@192.0.2.1:5060",
    remote: "sip:+4930123456@192.0.2.9:5070;user=phone",
    startedAtWallMs: 1_750_000_000_000,
  };
}

function answer(text: string): Fact {
  return { kind: "sipMessage", method: "INVITE", statusCode: 200, text } as Fact;
}

const OK = `SIP/2.0 200 OK\r\nf: "A;tag=wrong" <sip:a@b>;tag=ours\r\nTo : <sip:b@c>;x=y; tag=theirs\r\n\r\nFrom: <sip:x@y>;tag=body`;

describe("CallJournal", () => {
  it("leaves what is needed to find a call at its other end, without the number", () => {
    const { journal, file } = memoryJournal();
    journal.begin(identityOf("call-1"));
    journal.note("call-1", answer(OK));
    journal.begin(identityOf("call-2"));
    journal.end("call-2", "caller");
    journal.begin(identityOf("call-3"));
    expect(file.text).not.toContain("4930123456");
    const left = leftOverCalls(file.text);
    expect(left).toEqual([
      {
        callId: "call-1",
        direction: "outbound",
        remote: "192.0.2.9:5070",
        since: "2025-06-15T15:06:40.000Z",
        fromTag: "ours",
        toTag: "theirs",
      },
      expect.objectContaining({ callId: "call-3" }),
    ]);
    const text = leftOverText(left);
    expect(text).toContain("2 calls");
    expect(text).toContain("to 192.0.2.9:5070, Call-ID call-1 (tags ours and theirs)");
    expect(text).toContain("Call-ID call-3 (not answered yet)");
  });

  it("is gone when the last call has ended, and begins again with the next", () => {
    const { journal, file } = memoryJournal();
    journal.begin(identityOf("call-1"));
    journal.end("call-1", "caller");
    expect(file).toEqual({ text: "", removed: 1 });
    journal.end("call-1", "caller");
    expect(file.removed).toBe(1);
    journal.begin(identityOf("call-2"));
    expect(leftOverCalls(file.text)).toHaveLength(1);
    journal.clear();
    expect(file.text).toBe("");
  });

  it("does not speak of calls whose both ends were in the process that died", () => {
    const { journal, file } = memoryJournal();
    journal.begin(identityOf("inside"));
    journal.begin(identityOf("inside", "bot"));
    journal.begin(identityOf("half over"));
    journal.begin(identityOf("half over", "bot"));
    journal.end("half over", "bot");
    expect(file.text).not.toBe("");
    expect(leftOverCalls(file.text)).toEqual([]);
    expect(leftOverText([])).toBeUndefined();
  });

  it("is read as far as it goes where the crash cut it off", () => {
    const { journal, file } = memoryJournal();
    journal.begin(identityOf("call-1"));
    const torn = `${file.text}{"type":"ended","callId":"ca`;
    expect(leftOverCalls(torn)).toHaveLength(1);
    expect(leftOverCalls("rubbish\n\n[]\nnull\n")).toEqual([]);
  });
});
