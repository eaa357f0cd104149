// Plays a stretch: every picture stands at its own instant (UTC) and under its observation's number, never at a frame
// number times a rate. J-K-L as video editors have it; a trace is drawn while it plays.
"use strict";

(() => {
  const { desk, word, say, hush, reach, key, decide, busy, complain } = window.talk;
  const canvas = desk.querySelector("[data-screen]");
  if (!canvas) return;
  const frames = JSON.parse(desk.dataset.frames).map((f) => ({ ...f, t: Date.parse(f.at) }));
  const scrub = desk.querySelector("[data-scrub]");
  const clock = desk.querySelector("[data-clock]");
  const speedSelect = desk.querySelector("[data-speed]");
  const playButton = desk.querySelector("[data-play]");
  const pictures = frames.map(() => null);
  let gone = false;
  let covered = false;

  // Where nothing was seen for long, the player waits a moment instead of minutes; instants stay what they are.
  const LONGEST_WAIT = 2000;
  const LAST_HOLDS = 500;
  let length = 0;
  const starts = frames.map((f, i) => {
    if (i) length += Math.min(LONGEST_WAIT, f.t - frames[i - 1].t);
    return length;
  });
  length += LAST_HOLDS;

  const fetchPicture = async (i) => {
    const answer = await fetch(frames[i].picture, { cache: "no-store" });
    if (answer.redirected || answer.status === 401) throw new Error("session");
    if (!answer.ok) throw Object.assign(new Error("gone"), { gone: true });
    return createImageBitmap(await answer.blob());
  };

  let at = 0;
  let rate = 0; // negative plays back
  let speed = 1;
  let shown = -1;
  let last = null;

  const indexAt = (t) => {
    let low = 0;
    let high = frames.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle] <= t) low = middle;
      else high = middle - 1;
    }
    return low;
  };

  // The instant (UTC) that belongs to a place of the player.
  const instantAt = (t) => {
    const i = indexAt(t);
    const next = frames[i + 1];
    const room = next ? next.t - frames[i].t : LAST_HOLDS;
    return new Date(frames[i].t + Math.min(t - starts[i], room));
  };

  const side = () => Math.max(1, Math.round(canvas.clientWidth * devicePixelRatio));
  const draw = (i) => {
    const bitmap = pictures[i];
    if (!bitmap || covered) return false;
    canvas.width = canvas.height = side();
    const brush = canvas.getContext("2d");
    brush.imageSmoothingQuality = "high";
    brush.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    canvas.dataset.observation = frames[i].observation;
    return true;
  };

  const paint = () => {
    const i = indexAt(at);
    if (i !== shown && draw(i)) shown = i;
    scrub.value = Math.round(at);
    const words = `${frames[i].time} UTC, ${i + 1} / ${frames.length}`;
    if (clock.textContent !== words) clock.textContent = words;
    scrub.setAttribute("aria-valuetext", words);
  };

  const listeners = [];
  const setRate = (wanted) => {
    const value = covered ? 0 : wanted; // nothing is followed that cannot be seen
    rate = value;
    playButton.querySelector("[data-play-words]").textContent = value ? playButton.dataset.pause : playButton.dataset.go;
    playButton.setAttribute("aria-pressed", String(Boolean(value)));
    desk.dataset.playing = String(value);
  };

  const tick = (now) => {
    const passed = last === null ? 0 : now - last;
    last = now;
    if (rate) {
      at = Math.min(length, Math.max(0, at + passed * rate * speed));
      paint();
      for (const hear of listeners) hear("moved", at, instantAt(at));
      if ((rate > 0 && at >= length) || (rate < 0 && at <= 0)) {
        setRate(0);
        for (const hear of listeners) hear("ended", at, instantAt(at));
      }
    }
    requestAnimationFrame(tick);
  };

  const go = () => {
    if (at >= length) at = 0;
    setRate(rate > 0 ? Math.min(4, rate * 2) : 1);
  };
  const play = () => (rate ? setRate(0) : go());
  const backwards = () => setRate(rate < 0 ? Math.max(-4, rate * 2) : -1);
  const speeds = [...speedSelect.options].map((o) => Number(o.value));
  const setSpeed = (value) => {
    speed = value;
    speedSelect.value = String(value);
  };
  const step = (by) => setSpeed(speeds[Math.min(speeds.length - 1, Math.max(0, speeds.indexOf(speed) + by))]);

  window.player = {
    listen: (hear) => listeners.push(hear),
    rewind: () => {
      setRate(0);
      at = 0;
      paint();
    },
    start: () => setRate(1),
    stop: () => setRate(0),
    place: () => at,
    seek: (t) => {
      at = Math.min(length, Math.max(0, t));
      paint();
    },
    observation: () => frames[indexAt(at)].observation,
    locked: false,
  };

  // While a trace is drawn, going back is the trace's own act: what was drawn after goes with it.
  const allowed = () => !window.player.locked;
  const goBack = () => (allowed() ? backwards() : window.player.back());
  playButton.addEventListener("click", () => (allowed() ? play() : window.player.toggle()));
  desk.querySelector("[data-back]").addEventListener("click", goBack);
  desk.querySelector("[data-on]").addEventListener("click", () => allowed() && go());
  speedSelect.addEventListener("change", () => setSpeed(Number(speedSelect.value)));
  scrub.max = Math.round(length);
  scrub.addEventListener("input", () => {
    if (!allowed()) return;
    setRate(0);
    at = Number(scrub.value);
    paint();
  });

  const form = desk.querySelector("[data-vote]");
  let since = performance.now();
  const vote = (answer, from) => {
    if (busy() || gone || window.player.locked) return;
    const said = Object.fromEntries(["second", "valence", "arousal"].map((n) => [n, form.elements[n]?.value || null]));
    const body = { ...said, item: form.dataset.item, answer, key: key(), response_ms: Math.max(0, Math.round(from - since)), wait_ms: null };
    decide(form.action, body, () => location.assign(desk.dataset.after));
  };
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    if (event.submitter?.name === "answer") vote(event.submitter.value, event.timeStamp);
  });

  document.addEventListener("act", (event) => {
    const { action, shift, repeat, at: from } = event.detail;
    const doing = {
      play_back: goBack,
      play_pause: () => (allowed() ? play() : window.player.toggle()),
      play_on: () => allowed() && go(),
      slower: () => allowed() && step(-1),
      faster: () => allowed() && step(1),
    }[action];
    const button = form?.querySelector(`button[name=answer][value="${action}"]`);
    if (doing) {
      event.preventDefault();
      if (!repeat) doing();
    } else if (button && !window.player.locked) {
      event.preventDefault();
      if (repeat) return;
      if (shift && button.dataset.emotion !== undefined) {
        const select = form.elements.second;
        select.value = select.value === action ? "" : action;
        button.classList.toggle("second", select.value === action);
      } else vote(action, from);
    }
  });

  const forget = () => {
    for (const bitmap of pictures) bitmap?.close();
    pictures.fill(null);
    canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
  };
  addEventListener("pagehide", forget);
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  addEventListener("resize", () => shown >= 0 && draw(shown));

  const takenBack = () => {
    gone = true;
    setRate(0);
    forget();
    say(word("gone"));
    desk.dataset.gone = "true";
    for (const control of desk.querySelectorAll("button, input, select")) control.disabled = true;
  };

  // A clip of which nobody can say that it may still be seen is covered and stands still; what was chosen stays.
  const cover = () => {
    if (covered || gone) return;
    for (const hear of listeners) hear("covered", at, instantAt(at));
    setRate(0);
    covered = true;
    desk.dataset.covered = "true";
    canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
    if (!document.hidden) say(word("covered"));
  };

  const uncover = () => {
    if (!covered || document.hidden) return;
    covered = false;
    delete desk.dataset.covered;
    shown = -1;
    paint();
    hush();
  };

  const look = async () => {
    if (gone || document.hidden) return;
    const answer = await reach(desk.dataset.open);
    if (answer?.status === 410) takenBack();
    else if (answer?.ok) uncover();
    else cover();
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? cover() : look()));

  const begin = async () => {
    for (let i = 0; i < frames.length && !gone; i++) {
      try {
        pictures[i] = await fetchPicture(i);
      } catch (error) {
        if (error.gone) takenBack();
        else complain(word("picture"), { again: false });
        return;
      }
      if (i === 0) {
        canvas.hidden = false;
        desk.querySelector("[data-tools]").hidden = false;
        paint();
        since = performance.now();
        requestAnimationFrame(tick);
      }
    }
    desk.dataset.ready = "true";
    setInterval(look, Number(desk.dataset.lookEvery || 5000));
  };
  begin();
})();
