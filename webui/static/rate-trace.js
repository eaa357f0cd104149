// A continuous trace: three seconds of countdown before it and after each pause, in which nothing is sampled; what is
// drawn is sent as it was drawn, and the lag of the hand is written beside it, never taken off here.
"use strict";

(() => {
  const { desk, word, key, decide, busy } = window.talk;
  const box = desk.querySelector("[data-tracer]");
  const player = window.player;
  if (!box || !player) return;
  const slider = box.querySelector("[data-value]");
  const output = box.querySelector("output");
  const count = box.querySelector("[data-count]");
  const startButton = box.querySelector("[data-start]");
  const saveButton = box.querySelector("[data-save]");
  const EVERY_MS = 100;
  const STEP = 0.05;
  const BACK_MS = 2000;

  let samples = []; // each with the player's place, which is not sent: going back drops those from there on
  let state = "idle"; // idle, counting, drawing, paused, ended
  let timer = null;
  let sampled = -Infinity;

  const enter = (next) => {
    state = next;
    box.dataset.state = next;
    player.locked = next !== "idle";
    startButton.textContent = box.dataset[{ idle: "start", counting: "wait", drawing: "pause", paused: "goOn", ended: "anew" }[next]];
    startButton.disabled = next === "counting";
    saveButton.hidden = next !== "ended" || samples.length === 0;
    box.dataset.samples = samples.length;
  };

  const countdown = () => {
    enter("counting");
    let left = 3;
    count.textContent = left;
    timer = setInterval(() => {
      left -= 1;
      count.textContent = left || "";
      if (left) return;
      clearInterval(timer);
      enter("drawing");
      player.start();
    }, 1000);
  };

  const pause = () => {
    player.stop();
    enter("paused");
  };

  // Going back takes the part after it away: it is drawn again, so no instant is held twice.
  player.back = () => {
    if (busy() || !["drawing", "paused", "ended"].includes(state)) return;
    player.stop();
    const to = Math.max(0, player.place() - BACK_MS);
    player.seek(to);
    samples = samples.filter((sample) => sample.place < to);
    const last = samples.at(-1);
    sampled = last ? last.place : -Infinity;
    slider.value = last ? last.value : 0;
    told();
    enter("paused");
    window.talk.say(box.dataset.sayBack);
  };

  const begin = () => {
    samples = [];
    sampled = -Infinity;
    player.rewind();
    slider.value = 0;
    told();
    countdown();
  };

  player.toggle = () => {
    if (busy()) return;
    if (state === "drawing") pause();
    else if (state === "paused") countdown();
    else if (state === "idle" || state === "ended") begin();
  };

  player.listen((what, at, instant) => {
    if (state !== "drawing") return;
    if (what === "moved" && at - sampled >= EVERY_MS) {
      sampled = at;
      const value = Number(slider.value);
      samples.push({ at: instant.toISOString(), value, observation: player.observation(), place: at });
      box.dataset.samples = samples.length;
    }
    if (what === "ended") enter("ended");
    if (what === "covered") pause();
  });

  const told = () => {
    const value = Number(slider.value);
    output.textContent = `${value < 0 ? "\u2212" : "+"}${Math.abs(value).toFixed(2)}`;
  };
  const move = (by) => {
    slider.value = Math.min(1, Math.max(-1, Number(slider.value) + by));
    told();
  };
  slider.addEventListener("input", told);
  box.querySelector("[data-less]").addEventListener("click", () => move(-STEP));
  box.querySelector("[data-more]").addEventListener("click", () => move(STEP));
  startButton.addEventListener("click", () => player.toggle());
  document.addEventListener("act", (event) => {
    const by = { trace_up: STEP, trace_down: -STEP }[event.detail.action];
    if (by === undefined || !["drawing", "paused", "counting"].includes(state)) return;
    event.preventDefault();
    move(by);
  });
  document.addEventListener("visibilitychange", () => document.hidden && state === "drawing" && pause());

  saveButton.addEventListener("click", () => {
    if (busy() || !samples.length) return;
    const body = {
      dimension: box.querySelector("[data-dimension]").value,
      lag_s: Number(box.querySelector("[data-lag]").value),
      samples: samples.map(({ place, ...sample }) => sample),
      key: key(),
    };
    decide(box.dataset.path, body, (answer) => {
      samples = [];
      enter("idle");
      window.talk.say(answer.refused || answer.words || word("saved"));
    });
  });
  addEventListener("beforeunload", (event) => samples.length && event.preventDefault());
  enter("idle");
})();
