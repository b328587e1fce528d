import { describe, expect, it } from "vitest";
import { callTools, type ToolHandlers } from "./call-tools.ts";
import { ToolRegistry } from "./tool-registry.ts";
import type { Tool } from "./tools.ts";
import { readToolModule, userTools } from "./user-tools.ts";

const HANDLERS: ToolHandlers = {
  hangUp: () => Promise.resolve(),
  sendDigits: () => Promise.resolve(),
  transfer: () => Promise.resolve({ result: "completed" }),
};

function own(name: string, parameters: Record<string, unknown> = { type: "object" }): Tool {
  const [tool] = userTools([{ name, description: "d", parameters, handler: () => 1 }], "call-1");
  return tool as Tool;
}

function parsed(registry: ToolRegistry, name: string, args: Record<string, unknown>): unknown {
  return registry.parse({ type: "toolCall", id: "c", name, args, responseId: "r" });
}

describe("ToolRegistry", () => {
  it("tells the model what there is", () => {
    const registry = new ToolRegistry([...callTools(HANDLERS, ["desk"]), own("weather")]);
    expect(registry.definitions.map(({ name }) => name)).toEqual([
      "hangup_call",
      "send_dtmf",
      "transfer_call",
      "weather",
    ]);
    expect(registry.definitions[2]?.parameters).toMatchObject({
      properties: { destination: { enum: ["desk"] } },
    });
  });

  it("names what there is to a model that asks for something else", () => {
    const registry = new ToolRegistry([own("weather")]);
    expect(parsed(registry, "__proto__", {})).toMatchObject({
      code: "ERR_TOOL_UNKNOWN",
      message: "There is no such tool. There are: weather.",
    });
  });

  it("looks a destination up leniently, though the model is given a list", () => {
    const registry = new ToolRegistry(callTools(HANDLERS, ["desk"]));
    expect(parsed(registry, "transfer_call", { destination: "Desk" })).toMatchObject({
      kind: "feasible",
      args: { destination: "Desk", attended: false },
    });
  });

  it.each([
    ["no name", [own("no name")], /must be 1 to 64 letters/u],
    ["weather", [own("weather"), own("weather")], /another one of that name/u],
    ["send_dtmf", [...callTools(HANDLERS), own("send_dtmf")], /another one of that name/u],
    ["weather", [own("weather", { type: "string" })], /"type": "object"/u],
    [
      "weather",
      [own("weather", { type: "object", if: {} })],
      /no JSON Schema that can be checked/u,
    ],
  ])("refuses to offer %s", (_name, tools, message) => {
    expect(() => new ToolRegistry(tools)).toThrow(message);
  });
});

describe("readToolModule", () => {
  const weather = {
    name: "weather",
    description: "Tells the weather.",
    parameters: { type: "object" },
    handler: () => "sunny",
  };

  it("reads tools and the hosts of http_request", () => {
    const http = { allow: ["api.example.com"] };
    expect(readToolModule({ tools: [weather], http, other: 1 }, "t.mjs")).toEqual({
      tools: [weather],
      http,
    });
  });

  it("hands a tool what it needs, and its result on", async () => {
    const seen: unknown[] = [];
    const [tool] = userTools(
      [{ ...weather, handler: (...given) => void seen.push(given) }, weather],
      "call-1",
    );
    const { signal } = new AbortController();
    const context = { toolCallId: "c", signal, record: () => undefined };
    expect(await tool?.run({ city: "Ulm" }, context)).toEqual({});
    expect(seen).toEqual([[{ city: "Ulm" }, { signal, toolCallId: "c", callId: "call-1" }]]);
    const [, second] = userTools([weather, weather], "call-1");
    expect(await second?.run({}, context)).toEqual({ result: "sunny" });
  });

  it.each([
    [{}, /neither "tools" nor "http"/u],
    [undefined, /neither "tools" nor "http"/u],
    [{ tools: weather }, /tools: /u],
    [{ tools: [{ ...weather, handler: "x" }] }, /tools\.0\.handler: is no function/u],
    [{ tools: [{ ...weather, timeout: 1 }] }, /timeout/u],
    [{ tools: [weather, weather] }, /another one of that name/u],
    [{ http: { allow: "x" } }, /http\.allow/u],
  ])("refuses %j", (exports, message) => {
    expect(() => readToolModule(exports, "t.mjs")).toThrow(message);
  });
});
