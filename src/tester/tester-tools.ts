import type { Tool, ToolDefinition } from "../bridge/index.ts";

/** Whether a tester got what it wanted, in its own judgement. */
export interface GoalReport {
  readonly goalReached: boolean;
  readonly reason: string;
}

/** What a call must do for its tester. */
export interface TesterHandlers {
  reportGoal(report: GoalReport): void;
  /** Resolves once the call has ended. */
  endCall(report: GoalReport): Promise<void>;
}

const REASON_CHARACTERS_MAX = 500;

const REPORT = {
  type: "object",
  properties: {
    goal_reached: {
      type: "boolean",
      description: "Whether you got what you wanted from this call.",
    },
    reason: {
      type: "string",
      description: "Why, in one sentence: what the bot said or did.",
    },
  },
  required: ["goal_reached", "reason"],
  additionalProperties: false,
};

/** Lets a tester say how its goal stands, without ending the call. */
const REPORT_GOAL_TOOL: ToolDefinition = {
  name: "report_goal",
  description:
    "Notes whether you got what you wanted. Call it as soon as you know; the call goes on.",
  parameters: REPORT,
};

/** Lets a tester end its call; what it has said is played first. */
const END_CALL_TOOL: ToolDefinition = {
  name: "end_call",
  description:
    "Ends the telephone call, with whether you got what you wanted. Say goodbye first: what you have already said is played before the call ends.",
  parameters: REPORT,
};

/** The tools of a tester: report its goal, and end the call. */
export function testerTools(handlers: TesterHandlers): readonly Tool[] {
  return [
    {
      definition: REPORT_GOAL_TOOL,
      actsOnCall: false,
      waitsForSpeech: false,
      responds: true,
      run: (args) => {
        handlers.reportGoal(reportIn(args));
        return Promise.resolve({});
      },
    },
    {
      definition: END_CALL_TOOL,
      actsOnCall: true,
      waitsForSpeech: true,
      responds: false,
      run: async (args) => {
        await handlers.endCall(reportIn(args));
        return {};
      },
    },
  ];
}

function reportIn(args: Readonly<Record<string, unknown>>): GoalReport {
  const reason = String(args["reason"]).slice(0, REASON_CHARACTERS_MAX);
  return { goalReached: args["goal_reached"] === true, reason };
}
