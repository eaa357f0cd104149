// The chart in its frame: stacked shares, looks without a reading, derived valence and arousal.
"use strict";

(() => {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const state = document.getElementById("state");
  const narrow = () => window.innerWidth < 560;
  const say = document.getElementById("say");
  const place = document.getElementById("chart");
  let which = "personal";
  const HATCH = { no_face: "right_diagonal_line", ambiguous: "cross", blurred: "dot", overload: "vertical_line", unclear: "ring" };
  // The page's own words, in the language of the page; what stands in braces is filled in here.
  const words = JSON.parse(place.dataset.words);
  const fill = (text, filled) => text.replace(/\{(\w+)\}/g, (_, name) => filled[name]);
  const locale = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;
  const named = (e) => words.emotions[data.emotions[e].name];
  const WHY_HATCH = { not_allowed: "horizontal_line", paused: "horizontal_dash", erased: "diagonal_cross", hidden: "left_diagonal_line" };
  // BokehJS knows the names of English days and months alone: elsewhere a day is said in figures.
  const DAY = locale !== "en-GB" ? "%-d.%-m." : narrow() ? "%-d %b" : "%a %-d %b";
  const SECOND = 1000;
  const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200].map((s) => s * SECOND);
  let data = null;
  let drawn = null;

  // Means over stretches that are at least three pixels wide: one row of eight shares for each.
  const gather = (start, end, width) => {
    const least = ((end - start) / Math.max(width, 50)) * 3;
    const step = Math.max(data.step, STEPS.find((s) => s >= least) || STEPS[STEPS.length - 1]);
    const bins = new Map();
    const bin = (x) => {
      const left = data.start + Math.floor((x - data.start) / step) * step;
      if (!bins.has(left)) bins.set(left, { left, n: 0, sums: new Array(8).fill(0), network: new Array(8).fill(0), at: null, gaps: {} });
      return bins.get(left);
    };
    const { x, at, n, machine, personal } = data.points;
    for (let i = 0; i < x.length; i++) {
      const said = which === "personal" && personal[0][i] !== null ? personal : machine;
      if (said[0][i] === null) continue;
      const b = bin(x[i]);
      const weight = Math.max(n[i], 1);
      b.n += weight;
      if (b.at === null) b.at = at[i];
      for (let e = 0; e < 8; e++) b.sums[e] += said[e][i] * weight;
      if (machine[0][i] !== null) for (let e = 0; e < 8; e++) b.network[e] += machine[e][i] * weight;
    }
    data.gaps.x.forEach((gx, i) => {
      const b = bin(gx);
      b.gaps[data.gaps.reason[i]] = (b.gaps[data.gaps.reason[i]] || 0) + data.gaps.n[i];
    });
    const all = [...bins.values()].sort((a, b) => a.left - b.left);
    for (const b of all) {
      const total = b.sums.reduce((a, s) => a + s, 0);
      b.shares = total > 0 ? b.sums.map((s) => s / total) : null;
    }
    return { step, bins: all };
  };

  const percent = (share) => `${Math.round(share * 100)} %`;
  const number = (value) => value.toLocaleString(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const clock = (ms) => new Date(ms).toISOString().slice(11, data.step < 60 * SECOND ? 19 : 16);
  const day = (ms) => new Date(ms).toLocaleDateString(locale, { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });

  const looks = (shares) => {
    const order = shares.map((s, e) => [s, e]).sort((a, b) => b[0] - a[0]);
    const name = ([s, e]) => `${named(e)} (${percent(s)})`;
    return fill(order[0][0] < 0.4 ? words.unclear : words.looks, { first: name(order[0]), second: name(order[1]) });
  };

  const tables = (start, end, width) => {
    const { step, bins } = gather(start, end, width);
    const read = bins.filter((b) => b.shares);
    const wide = (step / (end - start)) * width;
    const inset = wide > 8 ? step * 0.06 : 0;
    const stack = { left: [], right: [], middle: [], at: [], when: [], what: [], how: [] };
    for (let e = 0; e <= 8; e++) stack[`b${e}`] = [];
    for (let e = 0; e < 8; e++) stack[`t${e}`] = [];
    for (const b of read) {
      stack.left.push(b.left + inset);
      stack.right.push(b.left + step - inset);
      stack.middle.push(b.left + step / 2);
      stack.at.push(b.at);
      stack.when.push(`${day(b.left)}, ${clock(b.left)}–${clock(b.left + step)}`);
      stack.what.push(looks(b.shares));
      stack.how.push(fill(b.n === 1 ? words.reading : words.readings, { n: b.n.toLocaleString(locale) }));
      let sum = 0;
      stack.b0.push(0);
      // What has no share, as one that is not read never has, draws nothing: also no line of its colour.
      b.shares.forEach((s, e) => {
        stack[`b${e + 1}`].push((sum += s));
        stack[`t${e}`].push(s > 0 ? sum : NaN);
      });
    }
    const lines = { x: [], valence: [], arousal: [], network: [] };
    let before = null;
    for (const b of read) {
      if (before !== null && b.left - before > step * 2.5) {
        lines.x.push(before + step);
        for (const name of ["valence", "arousal", "network"]) lines[name].push(NaN);
      }
      lines.x.push(b.left + step / 2);
      lines.valence.push(b.shares.reduce((a, s, e) => a + s * data.positions[e][0], 0));
      lines.arousal.push(b.shares.reduce((a, s, e) => a + s * data.positions[e][1], 0));
      const network = b.network.reduce((a, s) => a + s, 0);
      lines.network.push(network > 0 ? b.network.reduce((a, s, e) => a + s * data.positions[e][0], 0) / network : NaN);
      before = b.left;
    }
    const gaps = { left: [], right: [], bottom: [], top: [], hatch: [], when: [], what: [] };
    for (const b of bins) {
      const missing = Object.values(b.gaps).reduce((a, n) => a + n, 0);
      let bottom = 0;
      for (const [reason, n] of Object.entries(b.gaps)) {
        const top = bottom + n / (missing + b.n);
        gaps.left.push(b.left + inset);
        gaps.right.push(b.left + step - inset);
        gaps.bottom.push(bottom);
        gaps.top.push(top);
        gaps.hatch.push(HATCH[reason]);
        gaps.when.push(`${day(b.left)}, ${clock(b.left)}–${clock(b.left + step)}`);
        gaps.what.push(fill(words.gap, { reason: words.reasons[reason], n, all: missing + b.n }));
        bottom = top;
      }
    }
    return { stack, lines, gaps, marks: marks(read, step, (width / (end - start)) * step), letters: letters(width / (end - start)) };
  };

  // The letter of where one was stands in its band where there is room for it; zooming in makes room.
  const letters = (scale) => {
    const wide = data.contexts.filter(({ left, right }) => (right - left) * scale >= 14);
    return { x: wide.map(({ left, right }) => (left + right) / 2), letter: wide.map(({ letter }) => letter) };
  };

  // A shape in each stretch in which one emotion stays on top, where there is room for it.
  const marks = (read, step, pixels) => {
    const out = { x: [], y: [], marker: [] };
    let run = null;
    const flush = () => {
      if (run && run.n * pixels >= 26) {
        out.x.push(run.left + (run.n * step) / 2);
        out.y.push(run.y / run.n);
        out.marker.push(data.emotions[run.top].marker);
      }
    };
    for (const b of read) {
      const top = b.shares.indexOf(Math.max(...b.shares));
      const under = b.shares.slice(0, top).reduce((a, s) => a + s, 0);
      if (!run || run.top !== top || b.left !== run.left + run.n * step) {
        flush();
        run = { top, left: b.left, n: 0, y: 0 };
      }
      run.n += 1;
      run.y += under + b.shares[top] / 2;
    }
    flush();
    return out;
  };

  const corrections = () => {
    const cs = data.corrections;
    return {
      x: cs.map((c) => c.x),
      y: cs.map(() => 1.075),
      at: cs.map((c) => c.at),
      marker: cs.map((c) => data.emotions[c.emotion].marker),
      fill: cs.map((c) => colour(data.emotions[c.emotion].name)),
      when: cs.map((c) => `${day(c.x)}, ${clock(c.x)}`),
      what: cs.map((c) => fill(words.said, { what: named(c.emotion) })),
      how: cs.map(() => words.again),
    };
  };

  // What stands in the two rows beneath: questions and answers above, where one was (by its letter) below.
  const beneath = () => {
    const marks = { x: [], y: [], marker: [], fill: [], at: [], when: [], what: [] };
    const mark = (x, marker, fill, what, at = NaN) => {
      marks.x.push(x);
      marks.y.push(1.5);
      marks.marker.push(marker);
      marks.fill.push(fill);
      marks.at.push(at);
      marks.when.push(`${day(x)}, ${clock(x)}`);
      marks.what.push(what);
    };
    for (const { x, fate } of data.asked) mark(x, fate === "missed" ? "x" : "circle", colour(fate === "answered" ? "accent" : "surface"), words.fates[fate]);
    for (const { x, at, lane, value } of data.answers) if (lane === "alone") mark(x, value === 0.5 ? "square" : value > 0.5 ? "inverted_triangle" : "triangle", colour("ink"), words.alone[value] || words.answered, at);
    const bands = { left: data.contexts.map((c) => c.left), right: data.contexts.map((c) => c.right) };
    const own = { x: [], y: [], at: [], fill: [], marker: [], when: [], what: [] };
    for (const { x, at, lane, value } of data.answers) {
      if (lane === "alone") continue;
      own.x.push(x);
      own.y.push(value);
      own.at.push(at);
      own.fill.push(colour(lane === "valence" ? "accent" : "anger"));
      own.marker.push(lane === "valence" ? "diamond" : "square");
      own.when.push(`${day(x)}, ${clock(x)}`);
      own.what.push(fill(words.said, { what: `${words.lanes[lane]} ${number(value)}` }));
    }
    const blanks = { left: [], right: [], hatch: [], when: [], what: [] };
    for (const { left, right, why } of data.blanks) {
      blanks.left.push(left);
      blanks.right.push(right);
      blanks.hatch.push(WHY_HATCH[why]);
      blanks.when.push(`${day(left)}, ${clock(left)}–${day(right)}, ${clock(right)}`);
      blanks.what.push(words.blanks[why]);
    }
    return { asked: marks, bands, own, blanks };
  };

  const ask = (at, within) => {
    if (Number.isFinite(at)) parent.postMessage({ type: "moment", at: Math.round(at), within }, location.origin);
  };

  const tips = (...names) => `<div class="tip">${names.map((n) => `<div>@${n}</div>`).join("")}</div>`;

  const extent = () => {
    const xs = [...data.points.x, ...data.gaps.x, ...data.corrections.map((c) => c.x), ...data.answers.map((a) => a.x)];
    if (!xs.length) return [data.start, data.end];
    let low = Infinity, high = -Infinity;
    for (const x of xs) { low = Math.min(low, x); high = Math.max(high, x + data.step); }
    // Short recordings are shown large; a stretch that is half full is shown whole.
    if (high - low > (data.end - data.start) * 0.5) return [data.start, data.end];
    const pad = Math.max((high - low) * 0.08, data.step * 4);
    return [Math.max(data.start, low - pad), Math.min(data.end, high + pad)];
  };

  const build = () => {
    const { Plotting: plt, Range1d, ColumnDataSource, HoverTool, TapTool, PanTool, WheelZoomTool, DatetimeTicker, DatetimeTickFormatter, FixedTicker, Column, Legend } = Bokeh;
    const ink = colour("ink"), soft = colour("soft"), line = colour("line"), surface = colour("surface");
    const [start, end] = extent();
    const x_range = new Range1d({ start, end, bounds: [data.start, data.end], min_interval: data.step * 8 });
    const width = window.innerWidth - 60;
    const first = tables(start, end, width);
    const sources = {
      stack: new ColumnDataSource({ data: first.stack }),
      lines: new ColumnDataSource({ data: first.lines }),
      gaps: new ColumnDataSource({ data: first.gaps }),
      marks: new ColumnDataSource({ data: first.marks }),
      letters: new ColumnDataSource({ data: first.letters }),
      said: new ColumnDataSource({ data: corrections() }),
      cursor: new ColumnDataSource({ data: { left: [], right: [] } }),
    };
    for (const [name, found] of Object.entries(beneath())) sources[name] = new ColumnDataSource({ data: found });
    const under = data.asked.length + data.contexts.length + data.answers.length > 0;
    const figure = (height, y_range, tools, labels) => {
      const p = plt.figure({
        height, sizing_mode: "stretch_width", x_range, y_range: new Range1d(y_range), x_axis_type: "datetime", tools,
        toolbar_location: null, min_border_left: 52, min_border_right: 8, min_border_top: 6, min_border_bottom: 2,
        background_fill_color: surface, border_fill_color: surface, outline_line_color: null, output_backend: "canvas",
      });
      p.xaxis.formatter = new DatetimeTickFormatter({ minsec: "%H:%M:%S", seconds: "%H:%M:%S", minutes: "%H:%M", hourmin: "%H:%M", hours: "%H:%M", days: DAY, months: DAY, years: "%Y" });
      // A label to the second is about 60 pixels wide, and Bokeh draws up to twice as many as it is asked for.
      p.xaxis.ticker = new DatetimeTicker({ desired_num_ticks: Math.max(2, Math.min(6, Math.floor(width / 110))) });
      for (const axis of [p.xaxis, p.yaxis]) {
        Object.assign(axis, { axis_line_color: null, major_tick_line_color: line, minor_tick_line_color: null, major_label_text_color: soft, major_label_text_font_size: "12px", axis_label_text_color: soft, axis_label_text_font_size: "12px", axis_label_text_font_style: "normal" });
      }
      const ticker = new FixedTicker({ ticks: Object.keys(labels).map(Number) });
      p.yaxis.ticker = ticker;
      p.yaxis.major_label_overrides = new Map(Object.entries(labels).map(([at, text]) => [Number(at), text]));
      p.ygrid.ticker = ticker;
      p.xgrid.grid_line_color = null;
      p.ygrid.grid_line_color = line;
      return p;
    };
    const drag = window.matchMedia("(pointer: fine)").matches;
    const pans = () => (drag ? [new PanTool({ dimensions: "width" }), new WheelZoomTool({ dimensions: "width", modifiers: { ctrl: true } })] : []);
    const total = window.innerHeight;
    const share = (part) => Math.round((total - 26) * part);
    const heights = under ? [share(0.49), share(0.1), share(0.29), share(0.11)] : [share(0.56), share(0.11), share(0.31)];

    const tap = new TapTool({ behavior: "select" });
    const top = figure(heights[0], { start: 0, end: 1.15 }, [...pans(), tap], { 0: "0 %", 0.5: "50 %", 1: "100 %" });
    top.xaxis.visible = false;
    data.emotions.forEach(({ name }, e) => {
      top.quad({ left: { field: "left" }, right: { field: "right" }, bottom: { field: `b${e}` }, top: { field: `t${e}` }, source: sources.stack, fill_color: colour(name), line_color: colour(name), line_width: 0.4, selection_fill_alpha: 1, nonselection_fill_alpha: 1, nonselection_line_alpha: 1 });
    });
    top.scatter({ x: { field: "x" }, y: { field: "y" }, marker: { field: "marker" }, size: 11, source: sources.marks, fill_color: surface, line_color: ink, line_width: 1.3 });
    top.quad({ left: { field: "left" }, right: { field: "right" }, bottom: 0, top: 1, source: sources.cursor, fill_color: null, line_color: ink, line_width: 3 });
    const reach = top.quad({ left: { field: "left" }, right: { field: "right" }, bottom: 0, top: 1, source: sources.stack, fill_color: ink, fill_alpha: 0, line_color: null, hover_fill_color: ink, hover_fill_alpha: 0.14, selection_fill_alpha: 0.2, nonselection_fill_alpha: 0 });
    const said = top.scatter({ x: { field: "x" }, y: { field: "y" }, marker: { field: "marker" }, size: data.corrections.length > 60 ? 8 : 12, source: sources.said, fill_color: { field: "fill" }, line_color: ink, line_width: data.corrections.length > 60 ? 0.6 : 1.2, hover_line_width: 3, selection_fill_alpha: 1, nonselection_fill_alpha: 1, nonselection_line_alpha: 1 });
    tap.renderers = [reach, said];
    top.add_tools(new HoverTool({ renderers: [reach], tooltips: tips("when", "what", "how"), point_policy: "follow_mouse" }));
    top.add_tools(new HoverTool({ renderers: [said], tooltips: tips("when", "what", "how") }));

    const strip = figure(heights[1], { start: 0, end: 1.02 }, pans(), { 0.5: words.unread });
    strip.xaxis.visible = false;
    strip.ygrid.grid_line_color = null;
    const shaded = strip.quad({ left: { field: "left" }, right: { field: "right" }, bottom: 0, top: 1, source: sources.blanks, fill_color: colour("warn-soft"), line_color: null, hatch_pattern: { field: "hatch" }, hatch_color: colour("warn"), hatch_alpha: 0.5, hatch_scale: 9, hatch_weight: 0.8 });
    strip.add_tools(new HoverTool({ renderers: [shaded], tooltips: tips("when", "what"), point_policy: "follow_mouse" }));
    const hatched = strip.quad({ left: { field: "left" }, right: { field: "right" }, bottom: { field: "bottom" }, top: { field: "top" }, source: sources.gaps, fill_color: colour("sunk"), line_color: null, hatch_pattern: { field: "hatch" }, hatch_color: colour("edge"), hatch_alpha: 0.55, hatch_scale: 6, hatch_weight: 0.6 });
    strip.add_tools(new HoverTool({ renderers: [hatched], tooltips: tips("when", "what"), point_policy: "follow_mouse" }));

    const low = figure(heights[2], { start: -1, end: 1 }, pans(), { "-1": "−1", 0: "0", 1: "+1" });
    // Above the plot: inside it, the curves run through the words.
    low.add_layout(new Legend(), "above");
    // On the smallest phones both words fit only alone; the line below the chart says that they are derived.
    const tiny = window.innerWidth < 330;
    low.line({ x: { field: "x" }, y: { field: "valence" }, source: sources.lines, line_color: colour("accent"), line_width: 2.2, legend_label: tiny ? words.lanes.valence : words.derived.valence });
    low.line({ x: { field: "x" }, y: { field: "arousal" }, source: sources.lines, line_color: colour("anger"), line_width: 1.8, line_dash: [6, 3], legend_label: tiny ? words.lanes.arousal : words.derived.arousal });
    const two = which === "personal" && data.points.personal[0] && data.points.personal[0].some((p) => p !== null);
    if (two) low.line({ x: { field: "x" }, y: { field: "network" }, source: sources.lines, line_color: soft, line_width: 1.4, line_dash: [2, 3], legend_label: narrow() ? words.network : words.network_valence });
    const own = low.scatter({ x: { field: "x" }, y: { field: "y" }, marker: { field: "marker" }, size: 11, source: sources.own, fill_color: { field: "fill" }, line_color: ink, line_width: 1.2, hover_line_width: 3, selection_fill_alpha: 1, nonselection_fill_alpha: 1, nonselection_line_alpha: 1 });
    const tapped = new TapTool({ behavior: "select", renderers: [own] });
    low.add_tools(tapped, new HoverTool({ renderers: [own], tooltips: tips("when", "what") }));
    const dots = { marker: "circle", size: 3, source: sources.lines, line_color: null };
    low.scatter({ ...dots, x: { field: "x" }, y: { field: "valence" }, fill_color: colour("accent") });
    low.scatter({ ...dots, x: { field: "x" }, y: { field: "arousal" }, fill_color: colour("anger") });
    Object.assign(low.legend, { location: "left", orientation: "horizontal", label_text_color: soft, label_text_font_size: "12px", background_fill_alpha: 0, border_line_color: null, padding: 0, margin: 4, spacing: 14, glyph_width: 26 });

    const rows = [top, strip, low];
    if (under) {
      const lane = figure(heights[3], { start: 0, end: 2 }, pans(), { 0.5: words.where, 1.5: words.asked });
      lane.xaxis.visible = false;
      lane.ygrid.grid_line_color = null;
      lane.quad({ left: { field: "left" }, right: { field: "right" }, bottom: 0.08, top: 0.92, source: sources.bands, fill_color: colour("accent-soft"), line_color: colour("edge"), line_width: 0.6 });
      lane.text({ x: { field: "x" }, y: 0.5, text: { field: "letter" }, source: sources.letters, text_color: ink, text_font_size: "11px", text_align: "center", text_baseline: "middle" });
      const put = lane.scatter({ x: { field: "x" }, y: { field: "y" }, marker: { field: "marker" }, size: 9, source: sources.asked, fill_color: { field: "fill" }, line_color: ink, line_width: 1.4, selection_fill_alpha: 1, nonselection_fill_alpha: 1, nonselection_line_alpha: 1 });
      lane.add_tools(new HoverTool({ renderers: [put], tooltips: tips("when", "what") }));
      rows.push(lane);
    }

    const watch = (source, then) =>
      source.selected.properties.indices.change.connect(() => {
        const [i] = source.selected.indices;
        if (i !== undefined) {
          then(i);
          source.selected.indices = [];
        }
      });
    watch(sources.stack, (i) => {
      const d = sources.stack.data;
      ask(d.at[i], Math.max(1, Math.min(3600, Math.round((d.right[i] - d.left[i]) / 1000))));
    });
    watch(sources.said, (i) => ask(sources.said.data.at[i], 0));
    watch(sources.own, (i) => ask(sources.own.data.at[i], 0));

    let waiting = null;
    const again = () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => {
        const fresh = tables(x_range.start, x_range.end, window.innerWidth - 60);
        for (const name of ["stack", "lines", "gaps", "marks", "letters"]) sources[name].data = fresh[name];
      }, 90);
    };
    x_range.properties.start.change.connect(again);
    x_range.properties.end.change.connect(again);
    return { x_range, sources, again, root: new Column({ children: rows, sizing_mode: "stretch_width", spacing: 2 }) };
  };

  // Arrow keys go from point to point, Enter corrects; what stands there is said aloud.
  const cursor = { i: -1 };
  const point = (i) => {
    const { stack, cursor: mark } = drawn.sources;
    const d = stack.data;
    if (!d.left.length) return;
    cursor.i = Math.max(0, Math.min(d.left.length - 1, i));
    mark.data = { left: [d.left[cursor.i]], right: [d.right[cursor.i]] };
    say.textContent = `${d.when[cursor.i]}: ${d.what[cursor.i]}; ${words.enter}`;
  };
  place.addEventListener("keydown", (event) => {
    if (!drawn || event.ctrlKey || event.metaKey || event.altKey) return;
    const { left, right, at } = drawn.sources.stack.data;
    const to = { ArrowLeft: cursor.i - 1, ArrowRight: cursor.i + 1, Home: 0, End: left.length - 1 }[event.key];
    if (to !== undefined) point(to);
    else if (event.key === "Enter" && cursor.i >= 0) ask(at[cursor.i], Math.max(1, Math.min(3600, Math.round((right[cursor.i] - left[cursor.i]) / SECOND))));
    else return;
    event.preventDefault();
  });
  place.addEventListener("focus", () => drawn && cursor.i < 0 && matchMedia("(pointer: fine)").matches && place.matches(":focus-visible") && point(0));

  const start = async (given) => {
    data = given;
    try {
      performance.mark("chart-begins");
      drawn = build();
      await Bokeh.Plotting.show(drawn.root, place);
      state.hidden = true;
      document.body.dataset.ready = "1";
      performance.measure("chart-drawn", "chart-begins");
      parent.postMessage({ type: "ready" }, location.origin);
    } catch (problem) {
      state.textContent = fill(words.failed, { why: problem.message });
      throw problem;
    }
  };

  const redraw = (given) => {
    data = given;
    drawn.sources.said.data = corrections();
    for (const [name, found] of Object.entries(beneath())) drawn.sources[name].data = found;
    drawn.again();
  };

  const zoom = (how) => {
    const { x_range } = drawn;
    const half = ((x_range.end - x_range.start) / 2) * (how === "in" ? 0.5 : 2);
    const middle = (x_range.start + x_range.end) / 2;
    const [low, high] = how === "all" ? [data.start, data.end] : [middle - Math.max(half, data.step * 4), middle + Math.max(half, data.step * 4)];
    x_range.setv({ start: Math.max(data.start, low), end: Math.min(data.end, high) });
  };

  window.addEventListener("message", async (event) => {
    if (event.origin !== location.origin || event.source !== parent) return;
    if (event.data?.type === "zoom" && drawn) zoom(event.data.how);
    if (event.data?.type !== "data") return;
    which = event.data.show === "machine" ? "machine" : "personal";
    if (drawn) redraw(event.data.data);
    else await start(event.data.data);
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => location.reload());
  parent.postMessage({ type: "listening" }, location.origin);
})();
