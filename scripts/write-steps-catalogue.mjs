// Writes the parts of docs/steps.md that repeat what stands elsewhere: the phrases with the doc
// comments above them in steps/, and what the recorded voices can say.
//
//   node scripts/write-steps-catalogue.mjs           writes docs/steps.md
//   node scripts/write-steps-catalogue.mjs --check   exit code 1 where it would change

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const CATALOGUE = join(ROOT, "docs", "steps.md");
const STEPS = join(ROOT, "steps");

/** A doc comment, then a call of Given, When or Then with a text as its first argument. */
const DOCUMENTED_STEP =
  /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n(Given|When|Then)\(\s*"((?:[^"\\]|\\.)*)"/gu;
const STEP = /^(?:Given|When|Then)\(/gmu;

const TITLES = new Map([
  ["fault", "Faults"],
  ["header", "Headers and identity"],
  ["call", "Calls"],
  ["digits", "Telephone keys"],
  ["media", "Media"],
  ["network", "The network"],
  ["speech", "Speech"],
  ["quality", "Quality of the sound"],
  ["tool", "Tools"],
  ["ai-fault", "Faults of the bot's AI"],
  ["judge", "A language model as judge"],
  ["http", "HTTP requests of the bot"],
]);

process.exitCode = main(process.argv.includes("--check"));

/** @param {boolean} checksOnly */
function main(checksOnly) {
  const present = readFileSync(CATALOGUE, "utf8");
  const wanted = [
    ["phrases", phraseTables()],
    ["voices", voiceTable()],
  ].reduce((text, [name = "", content = ""]) => withSection(text, name, content), present);
  if (wanted === present) return 0;
  if (checksOnly) {
    console.error("docs/steps.md is not up to date: node scripts/write-steps-catalogue.mjs");
    return 1;
  }
  writeFileSync(CATALOGUE, wanted);
  return 0;
}

/** One table per file of steps. */
function phraseTables() {
  const files = readdirSync(STEPS).filter((file) => file.endsWith(".steps.ts"));
  return files
    .toSorted()
    .map((file) => {
      const steps = stepsOf(file);
      const rows = steps.map(
        ({ keyword, phrase, meaning }) => `| ${keyword} | \`${phrase}\` | ${meaning} |`,
      );
      const name = file.replace(".steps.ts", "");
      const title = TITLES.get(name) ?? name;
      return [`### ${title}`, "", "| | Phrase | Meaning |", "|---|---|---|", ...rows].join("\n");
    })
    .join("\n\n");
}

/** @param {string} file */
function stepsOf(file) {
  const source = readFileSync(join(STEPS, file), "utf8");
  const steps = [...source.matchAll(DOCUMENTED_STEP)].map(
    ([, comment = "", keyword = "", phrase = ""]) => ({
      keyword,
      phrase: phrase.replaceAll(/\\(.)/gu, "$1"),
      meaning: comment.replaceAll(/\s*\n \* ?/gu, " ").trim(),
    }),
  );
  if (steps.length === [...source.matchAll(STEP)].length) return steps;
  throw new Error(`steps/${file}: a step has no doc comment directly above it.`);
}

/** What caller and bot have recorded. */
function voiceTable() {
  const rows = ["caller", "bot"].flatMap((voice) => {
    const path = join(ROOT, "fixtures", "voices", voice, "voices.json");
    /** @type {{ id: string, text: string }[]} */
    const entries = JSON.parse(readFileSync(path, "utf8"));
    return entries.map(({ id, text }) => `| ${voice} | \`${id}\` | ${text} |`);
  });
  return ["| Who | Id | Text |", "|---|---|---|", ...rows].join("\n");
}

/**
 * The text with another content between the marks of a section.
 *
 * @param {string} text
 * @param {string} name
 * @param {string} content
 */
function withSection(text, name, content) {
  const open = `<!-- ${name}: generated -->`;
  const close = `<!-- end of ${name} -->`;
  const from = text.indexOf(open);
  const to = text.indexOf(close);
  if (from < 0 || to < from) throw new Error(`docs/steps.md has lost its marks of "${name}".`);
  return `${text.slice(0, from + open.length)}\n\n${content}\n\n${text.slice(to)}`;
}
