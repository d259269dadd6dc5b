// Two small pictures for the panel: how long calls took, and how they fared slot by slot.

import { svg } from "./dom.js";
import { clock, count, ms, percent, rate } from "./words.js";

const [W, H] = [316, 92];
const MAX_BARS = 40;

/** The bars of a base-2 exponential histogram: bucket `i` covers (b^(offset+i), b^(offset+i+1)] seconds, b = 2^(2^-scale). */
export function bars({ scale, offset, counts }) {
  const together = Math.max(1, Math.ceil(counts.length / MAX_BARS));
  const bound = (index) => 1000 * 2 ** ((offset + index) * 2 ** -scale);
  const list = [];
  for (let at = 0; at < counts.length; at += together) {
    const calls = counts.slice(at, at + together).reduce((sum, n) => sum + n, 0);
    list.push({ from: bound(at), to: bound(Math.min(at + together, counts.length)), calls });
  }
  return list;
}

/** How long calls took, the axis logarithmic. */
export function histogram(data, latency, what) {
  const list = bars(data);
  const most = Math.max(1, ...list.map((bar) => bar.calls));
  const [low, high] = [Math.log(list[0]?.from ?? 1), Math.log(list.at(-1)?.to ?? 2)];
  const x = (value) => 4 + ((Math.log(value) - low) / (high - low || 1)) * (W - 8);
  const high_ = H - 26;
  const shapes = list.map((bar) => {
    const tall = bar.calls ? Math.max(1.5, (bar.calls / most) * (high_ - 12)) : 0;
    const shape = svg("rect", {
      class: "bar",
      x: x(bar.from),
      y: high_ - tall,
      width: Math.max(1, x(bar.to) - x(bar.from) - 1),
      height: tall,
    });
    shape.append(svg("title", {}, `${ms(bar.from)} to ${ms(bar.to)}: ${count(bar.calls)}`));
    return shape;
  });
  const marks = Object.entries(latency ?? {}).filter(([key]) => /^p(50|95|99)_ms$/.test(key));
  const lines = quantiles(
    marks.map(([key, value]) => ({ name: key.slice(0, -3), at: Math.min(W - 4, Math.max(4, x(value))) })),
    high_,
  );
  const label = (text, at, anchor) => svg("text", { class: "axis", x: at, y: H - 2, "text-anchor": anchor }, text);
  const ends = list.length ? [label(ms(list[0].from), 4, "start"), label(ms(list.at(-1).to), W - 4, "end")] : [];
  const zero = data.zero_count ? [label(`${count(data.zero_count)} took no time`, W / 2, "middle")] : [];
  return svg(
    "svg",
    { class: "chart", viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": `Histogram of ${what}: ${count(data.count)} samples` },
    svg("path", { class: "base", d: `M4 ${high_}H${W - 4}` }),
    ...shapes,
    ...lines,
    ...ends,
    ...zero,
  );
}

/** Lines at quantiles; names that would overlap stand together. */
function quantiles(marks, high) {
  const groups = [];
  for (const { name, at } of marks) {
    const last = groups.at(-1);
    if (last && at - last.at < 24) last.name += `, ${name}`;
    else groups.push({ name, at });
  }
  const text = ({ name, at }) => {
    const room = 3 * name.length;
    return svg("text", { class: "axis", x: Math.max(room, Math.min(at, W - room)), y: high + 11, "text-anchor": "middle" }, name);
  };
  const line = ({ at }) => svg("path", { d: `M${at} ${high}V10` });
  return [svg("g", { class: "quantile" }, marks.map(line), groups.map(text))];
}

/** The rate slot by slot, with the failed share of it filled. */
export function history(slots) {
  const known = slots.filter((slot) => slot.rate_per_s !== null);
  if (known.length < 2) return null;
  const most = Math.max(...known.map((slot) => slot.rate_per_s)) || 1;
  const tall = H - 40;
  const [first, last] = [Date.parse(slots[0].start), Date.parse(slots.at(-1).end)];
  const x = (time) => 4 + ((Date.parse(time) - first) / (last - first || 1)) * (W - 8);
  const bar = (slot, share, kind) =>
    svg("rect", {
      class: kind,
      x: x(slot.start),
      width: Math.max(0.6, x(slot.end) - x(slot.start) - 0.3),
      y: tall + 8 - share * tall,
      height: share * tall,
    });
  const shapes = known.flatMap((slot) => {
    const share = slot.rate_per_s / most;
    const all = bar(slot, share, "bar");
    all.append(svg("title", {}, `${clock(slot.start)}: ${rate(slot.rate_per_s)}, ${percent(slot.failed_ratio)} failed`));
    return slot.failed_ratio ? [all, bar(slot, share * slot.failed_ratio, "bar bad")] : [all];
  });
  const label = (text, at, anchor) => svg("text", { class: "axis", x: at, y: tall + 21, "text-anchor": anchor }, text);
  return svg(
    "svg",
    { class: "chart", viewBox: `0 0 ${W} ${tall + 24}`, role: "img", "aria-label": `Rate over the window, at most ${rate(most)}` },
    svg("path", { class: "base", d: `M4 ${tall + 8}H${W - 4}` }),
    ...shapes,
    label(clock(slots[0].start), 4, "start"),
    label(`up to ${rate(most)}`, W / 2, "middle"),
    label(clock(slots.at(-1).end), W - 4, "end"),
  );
}
