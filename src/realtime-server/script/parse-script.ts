import { type Document, isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { UsageError } from "../../environment/index.ts";
import type { Script } from "./script.ts";
import { allowedKeys, SCRIPT_SCHEMA } from "./script-schema.ts";

/** Most problems listed in one message. */
const PROBLEMS_MAX = 5;

/**
 * Reads a script (docs/embedded-server.md).
 *
 * Whether its phrases exist as recordings is found out when a server starts with it.
 * @throws UsageError ERR_SCRIPT_MALFORMED: each problem with its line, and what is allowed there.
 */
export function parseScript(yamlText: string, fileName: string): Script {
  const counter = new LineCounter();
  const document = parseDocument(yamlText, { lineCounter: counter, prettyErrors: false });
  const syntaxProblems = document.errors.map(({ message, pos }) => {
    return `line ${counter.linePos(pos[0]).line}: is not YAML: ${message}`;
  });
  if (syntaxProblems.length > 0) throw malformed(fileName, syntaxProblems);
  const lines = linesOf(document, counter);
  const parsed = SCRIPT_SCHEMA.safeParse(document.toJS());
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => {
      return `line ${lineAt(lines, issue.path)}: ${problemText(issue)}`;
    });
    throw malformed(fileName, problems);
  }
  return { ...parsed.data, fileName, lines };
}

function malformed(fileName: string, problems: readonly string[]): UsageError {
  const shown = problems.slice(0, PROBLEMS_MAX);
  const more = problems.length - shown.length;
  const rest = more > 0 ? `\n  and ${more} more` : "";
  return new UsageError(
    "ERR_SCRIPT_MALFORMED",
    `${fileName} is not a script:\n  ${shown.join("\n  ")}${rest}\nSee docs/embedded-server.md.`,
    { context: { fileName, problems: shown } },
  );
}

function problemText(issue: z.core.$ZodIssue): string {
  const where = issue.path.length === 0 ? "the script" : pathText(issue.path);
  if (issue.code === "unrecognized_keys") {
    const allowed = allowedKeys(issue.path).join(", ");
    return `${where} has the unknown key "${issue.keys.join('", "')}"; allowed are: ${allowed}`;
  }
  if (issue.code === "invalid_key") {
    return `${where}: its name ${issue.issues.map(({ message }) => message).join("; ")}`;
  }
  return issue.code === "custom" ? `${where} ${issue.message}` : `${where}: ${issue.message}`;
}

/** `turns[0].says`: list positions as people write them. */
function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) => {
      if (typeof part === "number") return `[${part}]`;
      return index === 0 ? String(part) : `.${String(part)}`;
    })
    .join("");
}

/** The line of the value at `path`, or of the nearest thing around it that exists. */
export function lineAt(
  lines: Readonly<Record<string, number>>,
  path: readonly PropertyKey[],
): number {
  for (let length = path.length; length > 0; length -= 1) {
    const line = lines[path.slice(0, length).map(String).join(".")];
    if (line !== undefined) return line;
  }
  return 1;
}

function linesOf(document: Document.Parsed, counter: LineCounter): Record<string, number> {
  const lines: Record<string, number> = {};
  const note = (path: string, node: unknown): void => {
    const offset = (node as { range?: readonly number[] | null } | null)?.range?.[0];
    if (offset !== undefined) lines[path] = counter.linePos(offset).line;
  };
  const walk = (node: unknown, prefix: string): void => {
    if (isMap(node)) {
      for (const { key, value } of node.items) {
        if (!isScalar(key)) continue;
        const path = `${prefix}${String(key.value)}`;
        note(path, key);
        walk(value, `${path}.`);
      }
    } else if (isSeq(node)) {
      for (const [index, item] of node.items.entries()) {
        note(`${prefix}${index}`, item);
        walk(item, `${prefix}${index}.`);
      }
    }
  };
  walk(document.contents, "");
  return lines;
}
