#!/usr/bin/env node
// Makes fixtures/voices and fixtures/held-out from text. Needs the Debian packages flite and sox; see fixtures/README.md.
//
//   node scripts/make-fixtures.mjs            writes them
//   node scripts/make-fixtures.mjs --check    makes them in memory and compares; exit 1 if different
//
// The same package versions give the same bytes: flite is deterministic and sox runs with -R.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const FIXTURES_FOLDER = fileURLToPath(new URL("../fixtures/", import.meta.url));
const ACTIVE_LEVEL_DBOV = -20;
/** Silence kept on both sides of the speech. */
const MARGIN_MS = 30;
const FADE_MS = 5;
/** Speech is where the energy of a centred window of 5 ms is within 35 dB of its peak. */
const WINDOW_MS = 5;
const RANGE_DB = 35;
const FULL_SCALE = 32768;

const LONG_TEXT =
  "Our hotel has forty rooms, most of them with a view over the harbour. " +
  "On the ground floor you will find the restaurant and the bar. " +
  "The old town is five minutes away on foot, and the ferry leaves every hour " +
  "from our own pier.";

const FOLDERS = [
  {
    folder: "voices/bot",
    speaker: "slt",
    sampleRateHz: 24000,
    utterances: [
      { id: "greeting", text: "Hello, this is the Harbour Hotel. How can I help you?" },
      {
        id: "breakfast",
        text: "Breakfast is served from seven until ten, in the restaurant on the ground floor.",
      },
      { id: "long", text: LONG_TEXT },
      { id: "interrupted", text: "Of course. What would you like to know?" },
      { id: "goodbye", text: "Thank you for calling. Goodbye." },
      { id: "dialling", text: "Dialling four two now." },
      { id: "putting-through", text: "One moment, please." },
      { id: "no-reply", text: "I am sorry, nobody is free there. Can I help you?" },
      {
        id: "not-understood",
        text: "Sorry, I did not understand that. Could you say it again?",
      },
    ],
  },
  {
    folder: "voices/caller",
    speaker: "rms",
    sampleRateHz: 16000,
    utterances: [
      { text: "What time is breakfast?" },
      { text: "Tell me about the hotel." },
      { text: "Excuse me, may I ask something?" },
      // flite reads "Mm-hmm" letter by letter, so the sounds are given; shortened to about 350 ms.
      { text: "Mm-hmm.", phones: "pau m m hh m m pau", stretch: 0.65 },
      { text: "Please hang up." },
      { text: "Dial four two." },
      { text: "Front desk, please." },
      { text: "Do you sell bicycles?" },
    ],
  },
  // Other voices and phrases, to test measurements on what they were not set by.
  {
    folder: "held-out/bot",
    speaker: "kal16",
    sampleRateHz: 16000,
    utterances: [
      { text: "Your table is booked for Friday evening." },
      { text: "Certainly." },
      { text: "The swimming pool opens at eight o'clock." },
      { text: "Please hold the line while I check." },
      { text: "Which room would you like?" },
      { text: "That will be forty pounds." },
    ],
  },
  {
    folder: "held-out/caller",
    speaker: "awb",
    sampleRateHz: 16000,
    utterances: [
      { text: "Good morning, I need a taxi at half past six." },
      { text: "Yes." },
      { text: "Is there a car park near by?" },
      { text: "Put me through to the manager." },
      { text: "No, thank you very much." },
      { text: "How far is the beach?" },
    ],
  },
];

const scratch = mkdtempSync(join(tmpdir(), "sidetone-fixtures-"));
try {
  const files = FOLDERS.flatMap(makeFolder);
  if (process.argv.includes("--check")) check(files);
  else write(files);
} finally {
  rmSync(scratch, { recursive: true });
}

function write(files) {
  for (const { folder, name, bytes } of files) {
    mkdirSync(join(FIXTURES_FOLDER, folder), { recursive: true });
    writeFileSync(join(FIXTURES_FOLDER, folder, name), bytes);
  }
  console.log(`Wrote ${files.length} files to ${FIXTURES_FOLDER}`);
}

function check(files) {
  const different = files.filter(({ folder, name, bytes }) => {
    const path = join(FIXTURES_FOLDER, folder, name);
    return !existsSync(path) || !readFileSync(path).equals(bytes);
  });
  for (const { folder, name } of different) console.error(`Different: ${folder}/${name}`);
  if (different.length > 0) process.exitCode = 1;
  else console.log(`All ${files.length} files are as this script makes them.`);
}

/** The WAV files of one speaker, and their catalogue. */
function makeFolder({ folder, speaker, sampleRateHz, utterances }) {
  const entries = [];
  const files = [];
  for (const utterance of utterances) {
    const id = utterance.id ?? kebabCase(utterance.text);
    const name = `${id}.wav`;
    const wav = makeWav(speaker, utterance, sampleRateHz);
    const speech = measure(samplesOf(wav), sampleRateHz);
    entries.push({
      id,
      file: name,
      text: utterance.text,
      sampleRateHz,
      onsetMs: round((speech.onset * 1000) / sampleRateHz),
      offsetMs: round((speech.offset * 1000) / sampleRateHz),
      levelDbov: round(speech.levelDbov),
    });
    files.push({ folder, name, bytes: wav });
  }
  const catalogue = `${JSON.stringify(entries, null, 2)}\n`;
  files.push({ folder, name: "voices.json", bytes: Buffer.from(catalogue) });
  return files;
}

function makeWav(speaker, utterance, sampleRateHz) {
  const spoken = join(scratch, "spoken.wav");
  const resampled = join(scratch, "resampled.wav");
  const finished = join(scratch, "finished.wav");
  synthesise(speaker, utterance, spoken);
  sox([spoken, ...format(sampleRateHz), resampled, "gain", "-6", "rate", "-v", `${sampleRateHz}`]);
  const samples = samplesOf(readFileSync(resampled));
  const speech = measure(samples, sampleRateHz);
  const marginSamples = (MARGIN_MS * sampleRateHz) / 1000;
  const start = Math.max(0, speech.onset - marginSamples);
  const end = Math.min(samples.length, speech.offset + marginSamples);
  const gainDb = ACTIVE_LEVEL_DBOV - speech.levelDbov;
  const trim = ["trim", `${start}s`, `=${end}s`];
  const fade = ["fade", "h", `${FADE_MS / 1000}`, "0", `${FADE_MS / 1000}`];
  sox([resampled, ...format(sampleRateHz), finished, ...trim, "gain", `${gainDb}`, ...fade]);
  return readFileSync(finished);
}

function synthesise(speaker, { text, phones, stretch = 1 }, path) {
  const what = phones === undefined ? ["-t", text] : ["-p", phones];
  const settings = ["-voice", speaker, "--setf", `duration_stretch=${stretch}`];
  execFileSync("flite", [...settings, ...what, "-o", path], {
    stdio: ["ignore", "ignore", "pipe"],
  });
}

/** Runs sox; -R repeats its dither. Whatever it says (of clipping, say) is an error. */
function sox(args) {
  const said = spawnSync("sox", ["-R", "-V2", ...args], { encoding: "utf8" });
  if (said.error !== undefined) throw said.error;
  if (said.status !== 0 || said.stderr !== "") throw new Error(`sox: ${said.stderr}`);
}

function format(sampleRateHz) {
  return ["-b", "16", "-c", "1", "-e", "signed-integer", "-r", `${sampleRateHz}`];
}

/** The samples of a WAV as flite and sox write it. */
function samplesOf(wav) {
  const data = wav.indexOf("data", 12, "latin1");
  const bytes = wav.subarray(data + 8, data + 8 + wav.readUInt32LE(data + 4));
  return Int16Array.from({ length: bytes.length >> 1 }, (_, index) => bytes.readInt16LE(index * 2));
}

/** First and last (exclusive) sample of speech, and its active level. */
function measure(samples, sampleRateHz) {
  const half = Math.round((WINDOW_MS * sampleRateHz) / 2000);
  const sums = new Float64Array(samples.length + 1);
  samples.forEach((sample, index) => {
    sums[index + 1] = sums[index] + (sample / FULL_SCALE) ** 2;
  });
  const power = Array.from(samples, (_, index) => {
    const from = Math.max(0, index - half);
    const to = Math.min(samples.length, index + half);
    return (sums[to] - sums[from]) / (2 * half);
  });
  const limit = power.reduce((left, right) => Math.max(left, right)) / 10 ** (RANGE_DB / 10);
  const active = power.filter((value) => value > limit);
  const mean = active.reduce((left, right) => left + right) / active.length;
  return {
    onset: power.findIndex((value) => value > limit),
    offset: power.findLastIndex((value) => value > limit) + 1,
    levelDbov: 10 * Math.log10(mean),
  };
}

function kebabCase(text) {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}

function round(value) {
  return Math.round(value * 1000) / 1000;
}
