import { describe, expect, it } from "vitest";
import { Brain } from "./brain.ts";
import type { Reaction, Reply } from "./repertoire.ts";

const REPLY: Reply = { parts: [] };

function reaction(more: Partial<Reaction> & { readonly afterMs?: number }): Reaction {
  const { afterMs, ...rest } = more;
  return { when: {}, set: {}, add: {}, reply: { ...REPLY, afterMs }, ...rest };
}

/** Which of the reactions was chosen: they are told apart by their delay. */
function chosen(brain: Brain, ...list: Parameters<typeof reaction>[0][]): number | undefined {
  return brain.react(list.map((each, index) => reaction({ ...each, afterMs: index }))).afterMs;
}

describe("Brain", () => {
  it("takes the first reaction whose conditions all hold", () => {
    const brain = new Brain({ asked: false, room: "12" });

    expect(chosen(brain, { when: { asked: true } }, { when: { asked: false, room: "12" } })).toBe(
      1,
    );
    expect(chosen(brain, { when: { asked: false, room: "13" } }, {})).toBe(1);
  });

  it("does nothing where no condition holds", () => {
    expect(new Brain({}).react([reaction({ when: { asked: true } })])).toEqual({ parts: [] });
  });

  it.each([
    [{ not: 2 }, true],
    [{ not: 1 }, false],
    [{ atLeast: 1 }, true],
    [{ atLeast: 2 }, false],
    [{ atMost: 1 }, true],
    [{ atMost: 0 }, false],
    [{ oneOf: [3, 1] }, true],
    [{ oneOf: ["1"] }, false],
    [{ atLeast: 1, atMost: 1, not: 1 }, false],
  ])("knows the demand %j of a value that is 1", (tries, holds) => {
    expect(chosen(new Brain({ tries: 1 }), { when: { tries } })).toBe(holds ? 0 : undefined);
  });

  it("counts from 0 what was never counted, and demands no number of what is none", () => {
    expect(chosen(new Brain({}), { when: { tries: { atMost: 0 } } })).toBe(0);
    expect(
      chosen(new Brain({ tries: "many" }), { when: { tries: { atLeast: 0 } } }),
    ).toBeUndefined();
  });

  it("remembers and counts only what the chosen reaction says", () => {
    const brain = new Brain({});
    brain.react([
      reaction({ when: { never: true }, add: { tries: 10 } }),
      reaction({ set: { asked: true }, add: { tries: 1 } }),
      reaction({ add: { tries: 100 } }),
    ]);

    expect(chosen(brain, { when: { asked: true, tries: 1 } })).toBe(0);
  });

  it("counts the turns of the other side", () => {
    const brain = new Brain({});
    expect(chosen(brain, { when: { turns: 0 } })).toBe(0);
    brain.noteTurn();
    expect(chosen(brain, { when: { turns: { atLeast: 1 } } })).toBe(0);
  });

  it("looks into what a function returned, and remembers parts of it", () => {
    const brain = new Brain({});
    brain.noteResult('{"status":"ok","booking":{"room":214}}');
    const when = { "result.status": "ok", "result.booking.room": { atLeast: 200 } };
    expect(chosen(brain, { when, set: { room: "$result.booking.room" } })).toBe(0);
    brain.noteResult("not JSON");

    expect(chosen(brain, { when: { "result.status": "ok" } }, { when: { room: 214 } })).toBe(1);
    expect(chosen(brain, { when: { result: "not JSON" } })).toBe(0);
  });

  it("finds nothing in a result that has no such field, whatever its name", () => {
    const brain = new Brain({});
    brain.noteResult('{"a":[1]}');
    for (const name of ["result.b", "result.a.b.c", "result.__proto__", "result.toString"]) {
      expect(chosen(brain, { when: { [name]: { not: "x" } } }, {})).toBe(0);
      expect(chosen(brain, { when: { [name]: "x" } }, {})).toBe(1);
    }
  });

  it("forgets what is set to something unknown", () => {
    const brain = new Brain({ room: 1 });
    brain.react([reaction({ set: { room: "$nothing" } })]);

    expect(chosen(brain, { when: { room: 1 } }, {})).toBe(1);
  });

  it("fills what is known into a function's arguments, as it was before the reaction", () => {
    const brain = new Brain({ room: 214 });
    const tool = { name: "book", arguments: { room: "$room", note: "$5 each", left: 1 } };
    const reply: Reply = { parts: [{ kind: "tool", tool, followUp: undefined }] };
    const { parts } = brain.react([{ ...reaction({ set: { room: 1 } }), reply }]);

    expect(parts).toMatchObject([{ tool: { arguments: { room: 214, note: "$5 each", left: 1 } } }]);
  });
});
