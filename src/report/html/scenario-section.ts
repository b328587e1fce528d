import { type PassRate, passRateWords } from "../../measure/index.ts";
import { plainText } from "../plain-text.ts";
import type { ErrorSummary, ScenarioSummary, StepSummary } from "../run-summary.ts";
import { html, type Markup } from "./markup.ts";

/** One scenario, to be opened: its steps, its error, and its calls. Failures stand open. */
export function scenarioSection(
  scenario: ScenarioSummary,
  calls: readonly Markup[],
  view: { readonly isOpen: boolean; readonly passRate: PassRate | undefined },
): Markup {
  const { isOpen, passRate } = view;
  const { name, feature, uri, line, tags, verdict, durationMs, steps, error } = scenario;
  return html`<details class="scenario"${isOpen ? OPEN : undefined}>
<summary><span class="badge ${verdict}">${verdict}</span><span class="name">${name}</span>
<span class="muted small">${feature}</span><span class="muted small">${(durationMs / 1000).toFixed(1)} s</span></summary>
<div class="body"><p class="small muted mono">${uri}:${line} ${tags.join(" ")}</p>
<ol class="steps">${steps.map(stepItem)}</ol>
${error === undefined || steps.some((step) => step.error) ? undefined : errorBox(error)}
${passRate === undefined ? undefined : html`<p><b>${passRateWords(passRate)}</b></p>`}
${calls}</div></details>`;
}

const OPEN: Markup = html` open`;

function stepItem({ keyword, text, status, durationMs, error }: StepSummary): Markup {
  return html`<li class="${status}"><span class="keyword">${keyword.trim()}</span> ${text}
<span class="muted small">${status === "passed" ? undefined : status}
${durationMs === undefined ? undefined : `${(durationMs / 1000).toFixed(2)} s`}</span>
${error === undefined ? undefined : errorBox(error)}</li>`;
}

function errorBox({ code, message }: ErrorSummary): Markup {
  return html`<div class="error mono">${code === undefined ? undefined : html`<b>${code}</b> `}${plainText(message)}</div>`;
}
