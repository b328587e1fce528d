// Tools of a user, for test/loopback/features/ai-own-tools.feature.
export const tools = [
  {
    name: "free_rooms",
    description: "Tells how many rooms are free.",
    parameters: {
      type: "object",
      properties: { beds: { type: "integer", minimum: 1 } },
      required: ["beds"],
      additionalProperties: false,
    },
    handler: ({ beds }) => ({ rooms: beds === 2 ? 3 : 0 }),
  },
  {
    name: "broken",
    description: "Throws.",
    parameters: { type: "object" },
    handler: () => {
      throw new Error("The booking system is down.");
    },
  },
  {
    name: "endless",
    description: "Never ends.",
    parameters: { type: "object" },
    timeoutMs: 300,
    handler: () => new Promise(() => undefined),
  },
];
