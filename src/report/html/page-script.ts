/**
 * The page's script: draws each call on a canvas and joins it to the audio player. It reads its
 * data from the element `sidetone-data`, loads nothing, and runs from a file. What it shows can
 * also be read in the tables of the page.
 */
export const PAGE_SCRIPT: string = String.raw`
(() => {
"use strict";
const GUTTER = 84, TOP = 24, STRIP = 15, WAVE = 96, BRACKETS = 48, LANE = 38;
const CALLER_Y = TOP, BRACKET_Y = CALLER_Y + WAVE, BOT_Y = BRACKET_Y + BRACKETS;
const LANES_Y = BOT_Y + WAVE;
const LANES = ["ai", "tools", "sip"], LANE_NAMES = ["AI, playout", "tools, digits", "SIP, RTCP"];
const STEPS_MS = [5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 30000, 60000, 300000];
const data = JSON.parse(document.getElementById("sidetone-data").textContent);

const colour = (name) =>
  getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

const position = (ms) => {
  const whole = Math.round(Math.abs(ms));
  const pad = (value, length) => String(value).padStart(length, "0");
  return (ms < -0.5 ? "−" : "") + pad(Math.floor(whole / 60000), 2) + ":" +
    pad(Math.floor(whole / 1000) % 60, 2) + "." + pad(whole % 1000, 3);
};

const decode = (base64) => {
  const text = atob(base64);
  const bytes = new Int8Array(text.length);
  for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index);
  return bytes;
};

class Chart {
  constructor(element, call) {
    this.call = call;
    this.canvas = element.querySelector("canvas");
    this.tip = element.querySelector(".tip");
    const section = element.closest("section");
    this.audio = section.querySelector("audio");
    this.caller = decode(call.caller);
    this.bot = decode(call.bot);
    this.view = [call.fromMs, call.toMs];
    this.playheadMs = 0;
    this.listen(section);
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  listen(section) {
    const { canvas, audio } = this;
    for (const button of section.querySelectorAll("button[data-zoom]")) {
      button.addEventListener("click", () => this.zoom(Number(button.dataset.zoom)));
    }
    for (const button of section.querySelectorAll("button[data-seek]")) {
      button.addEventListener("click", () => this.seek(Number(button.dataset.seek), true));
    }
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.hover(event));
    canvas.addEventListener("pointerleave", () => { this.tip.style.display = "none"; });
    if (!audio) return;
    const follow = () => {
      this.playheadMs = audio.currentTime * 1000;
      this.reveal();
      this.draw();
      if (!audio.paused && !audio.ended) requestAnimationFrame(follow);
    };
    audio.addEventListener("play", follow);
    audio.addEventListener("seeked", follow);
  }

  get width() { return this.canvas.clientWidth - GUTTER - 8; }
  x(ms) { return GUTTER + ((ms - this.view[0]) / (this.view[1] - this.view[0])) * this.width; }
  ms(x) { return this.view[0] + ((x - GUTTER) / this.width) * (this.view[1] - this.view[0]); }

  show(from, span) {
    const { fromMs, toMs } = this.call;
    const length = Math.min(Math.max(span, 100), toMs - fromMs);
    const start = Math.min(Math.max(from, fromMs), toMs - length);
    this.view = [start, start + length];
    this.draw();
  }

  zoom(factor, aroundMs) {
    const span = this.view[1] - this.view[0];
    if (factor === 0) return this.show(this.call.fromMs, Infinity);
    const inView = this.playheadMs >= this.view[0] && this.playheadMs <= this.view[1];
    const around = aroundMs ?? (inView ? this.playheadMs : (this.view[0] + this.view[1]) / 2);
    const share = (around - this.view[0]) / span;
    this.show(around - share * (span / factor), span / factor);
  }

  reveal() {
    const span = this.view[1] - this.view[0];
    if (this.playheadMs < this.view[0] || this.playheadMs > this.view[1]) {
      this.show(this.playheadMs - span * 0.1, span);
    }
  }

  seek(ms, scroll) {
    this.playheadMs = Math.min(Math.max(ms, this.call.fromMs), this.call.toMs);
    if (this.audio) this.audio.currentTime = Math.max(0, this.playheadMs / 1000);
    if (scroll) this.canvas.scrollIntoView({ block: "center" });
    this.reveal();
    this.draw();
  }

  wheel(event) {
    const span = this.view[1] - this.view[0];
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      this.zoom(event.deltaY < 0 ? 1.25 : 0.8, this.ms(event.offsetX));
    } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      this.show(this.view[0] + (event.deltaX / this.width) * span, span);
    }
  }

  key(event) {
    const stepMs = event.shiftKey ? 1000 : 100;
    const actions = {
      ArrowLeft: () => this.seek(this.playheadMs - stepMs),
      ArrowRight: () => this.seek(this.playheadMs + stepMs),
      "+": () => this.zoom(1.6), "=": () => this.zoom(1.6),
      "-": () => this.zoom(1 / 1.6), "0": () => this.zoom(0),
      " ": () => this.audio && (this.audio.paused ? this.audio.play() : this.audio.pause()),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  press(event) {
    const { canvas } = this;
    const startX = event.offsetX, view = this.view;
    let dragged = false;
    canvas.setPointerCapture(event.pointerId);
    const move = (moved) => {
      if (Math.abs(moved.offsetX - startX) > 4) dragged = true;
      if (!dragged) return;
      const span = view[1] - view[0];
      this.show(view[0] - ((moved.offsetX - startX) / this.width) * span, span);
    };
    const release = (released) => {
      canvas.removeEventListener("pointermove", move);
      if (!dragged && released.type === "pointerup") this.seek(this.ms(startX));
    };
    canvas.addEventListener("pointermove", move);
    canvas.addEventListener("pointerup", release, { once: true });
    canvas.addEventListener("pointercancel", release, { once: true });
  }

  hover(event) {
    const lane = Math.floor((event.offsetY - LANES_Y) / LANE);
    const near = this.call.events
      .filter((each) => LANES.indexOf(each.lane) === lane)
      .filter((each) => Math.abs(this.x(each.atMs) - event.offsetX) < 6);
    const lines = near.slice(0, 4).map((each) => position(each.atMs) + " " + each.label);
    this.tip.textContent = lines.length > 0 ? lines.join(" · ") : position(this.ms(event.offsetX));
    this.tip.style.display = event.offsetX > GUTTER ? "block" : "none";
    const room = this.canvas.clientWidth - this.tip.offsetWidth;
    this.tip.style.left = Math.max(0, Math.min(event.offsetX + 10, room)) + "px";
    this.tip.style.top = Math.max(0, event.offsetY - 26) + "px";
  }

  draw() {
    const { canvas } = this;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (width === 0) return;
    const scale = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    pen.clearRect(0, 0, width, height);
    pen.font = "12px system-ui, sans-serif";
    pen.textBaseline = "middle";
    this.drawLabels(pen, width);
    pen.save();
    pen.beginPath();
    pen.rect(GUTTER, 0, width - GUTTER, height);
    pen.clip();
    this.drawAxis(pen, height);
    this.drawSpeech(pen, this.call.callerSpeech, CALLER_Y, "caller");
    this.drawSpeech(pen, this.call.botSpeech, BOT_Y, "bot");
    this.drawWave(pen, this.caller, CALLER_Y, "caller");
    this.drawWave(pen, this.bot, BOT_Y, "bot");
    this.drawBrackets(pen);
    LANES.forEach((lane, index) => this.drawLane(pen, lane, LANES_Y + index * LANE));
    this.drawPlayhead(pen, height);
    pen.restore();
  }

  drawLabels(pen, width) {
    const names = [["caller", CALLER_Y + WAVE / 2 - 8, "caller"], ["sent", CALLER_Y + WAVE / 2 + 8],
      ["bot", BOT_Y + WAVE / 2 - 8, "bot"], ["heard", BOT_Y + WAVE / 2 + 8],
      ...LANE_NAMES.map((name, index) => [name, LANES_Y + index * LANE + LANE / 2])];
    for (const [name, y, strong] of names) {
      pen.fillStyle = colour(strong ?? "muted");
      pen.fillText(name, 0, y);
    }
    pen.strokeStyle = colour("line");
    pen.lineWidth = 1;
    for (let index = 0; index <= LANES.length; index += 1) {
      const y = LANES_Y + index * LANE + 0.5;
      pen.beginPath(); pen.moveTo(0, y); pen.lineTo(width, y); pen.stroke();
    }
  }

  drawAxis(pen, height) {
    const perMs = this.width / (this.view[1] - this.view[0]);
    const step = STEPS_MS.find((ms) => ms * perMs >= 84) ?? 600000;
    pen.lineWidth = 1;
    for (let ms = Math.ceil(this.view[0] / step) * step; ms <= this.view[1]; ms += step) {
      const x = Math.round(this.x(ms)) + 0.5;
      pen.strokeStyle = colour("line");
      pen.globalAlpha = 0.6;
      pen.beginPath(); pen.moveTo(x, 18); pen.lineTo(x, height); pen.stroke();
      pen.globalAlpha = 1;
      pen.fillStyle = colour("muted");
      pen.textAlign = "center";
      pen.fillText(step >= 1000 ? position(ms).slice(0, -4) : position(ms), x, 9);
    }
    pen.textAlign = "left";
  }

  drawSpeech(pen, spans, y, who) {
    for (const { fromMs, toMs, label } of spans) {
      const from = this.x(fromMs), to = this.x(toMs);
      pen.fillStyle = colour(who + "-soft");
      pen.fillRect(from, y, to - from, WAVE);
      pen.fillStyle = colour("text");
      if (label && to - from > 30) {
        pen.save();
        pen.beginPath(); pen.rect(from, y, to - from, STRIP); pen.clip();
        pen.fillText(label, Math.max(from, GUTTER) + 4, y + STRIP / 2 + 1);
        pen.restore();
      }
    }
  }

  drawWave(pen, extremes, y, who) {
    const { binMs } = this.call;
    const middle = y + STRIP + (WAVE - STRIP) / 2, half = (WAVE - STRIP) / 2 - 3;
    pen.fillStyle = colour(who);
    const perPixel = (this.view[1] - this.view[0]) / this.width;
    for (let x = GUTTER; x < GUTTER + this.width; x += 1) {
      const first = Math.floor(this.ms(x) / binMs);
      const last = Math.max(first, Math.ceil((this.ms(x) + perPixel) / binMs) - 1);
      let low = 0, high = 0;
      for (let bin = Math.max(0, first); bin <= last && bin * 2 < extremes.length; bin += 1) {
        low = Math.min(low, extremes[bin * 2]);
        high = Math.max(high, extremes[bin * 2 + 1]);
      }
      const top = middle - (high / 127) * half, bottom = middle - (low / 127) * half;
      pen.fillRect(x, top, 1, Math.max(1, bottom - top));
    }
  }

  drawBrackets(pen) {
    for (const { kind, fromMs, toMs, label } of this.call.brackets) {
      const from = this.x(fromMs), to = this.x(toMs);
      const y = BRACKET_Y + (kind === "stop" ? BRACKETS - 8 : BRACKETS / 2 + 2);
      pen.strokeStyle = pen.fillStyle = colour(kind === "stop" ? "stop" : "bracket");
      pen.lineWidth = 1.5;
      pen.beginPath();
      pen.moveTo(from, BRACKET_Y); pen.lineTo(from, y + 4);
      pen.moveTo(to, y - 4); pen.lineTo(to, BOT_Y);
      pen.moveTo(from, y); pen.lineTo(to, y);
      pen.stroke();
      const text = (kind === "stop" ? "stop " : kind === "greeting" ? "greeting " : "") + label;
      const textWidth = pen.measureText(text).width;
      const inside = Math.abs(to - from) > textWidth + 6;
      pen.fillText(text, inside ? (from + to - textWidth) / 2 : Math.max(from, to) + 4, y - 9);
    }
  }

  drawLane(pen, lane, y) {
    const shown = this.call.events
      .filter((each) => each.lane === lane)
      .filter((each) => each.atMs >= this.view[0] && each.atMs <= this.view[1])
      .map((each) => ({ label: each.label, x: Math.round(this.x(each.atMs)) + 0.5 }));
    pen.strokeStyle = colour("accent");
    pen.lineWidth = 1;
    for (const { x } of shown) {
      pen.beginPath(); pen.moveTo(x, y + 2); pen.lineTo(x, y + LANE - 2); pen.stroke();
    }
    const rowEnds = [GUTTER, GUTTER];
    for (const { label, x } of shown) {
      const width = pen.measureText(label).width;
      const row = rowEnds.findIndex((end) => end <= x);
      if (row < 0 || x + width + 10 > GUTTER + this.width + 8) continue;
      rowEnds[row] = x + width + 10;
      pen.fillStyle = colour("bg");
      pen.fillRect(x + 2, y + 4 + row * 16, width + 4, 15);
      pen.fillStyle = colour("text");
      pen.fillText(label, x + 4, y + 12 + row * 16);
    }
  }

  drawPlayhead(pen, height) {
    const x = this.x(this.playheadMs);
    pen.strokeStyle = colour("playhead");
    pen.lineWidth = 1.5;
    pen.beginPath(); pen.moveTo(x, 18); pen.lineTo(x, height); pen.stroke();
  }
}

const charts = [...document.querySelectorAll("[data-chart]")].map(
  (element) => new Chart(element, data.charts[element.dataset.chart]),
);
const redraw = () => { for (const chart of charts) chart.draw(); };
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
const openTarget = () => {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let each = target; each; each = each.parentElement) if (each.tagName === "DETAILS") each.open = true;
  if (target) target.scrollIntoView();
};
addEventListener("hashchange", openTarget);
openTarget();
})();
`;
