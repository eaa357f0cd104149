// The camera's page: shows a picture for "this is me", then sends a few pictures a second, one at a time.
"use strict";

(() => {
  const root = document.querySelector("[data-capture]");
  if (!root) return;
  root.hidden = false;

  const find = (name) => root.querySelector(`[data-${name}]`);
  const token = root.querySelector("input[name=csrf_token]").value;
  const video = find("video");
  const still = find("still");
  const choices = find("choices");
  const buttons = { on: find("on"), again: find("again"), pause: find("pause"), halt: find("halt") };
  const canvas = document.createElement("canvas");
  const title = document.title;
  const LONGEST = 480; // pixels of a picture's longer side: a face in it loses nothing that a network could see
  const SLOWEST = 500; // 2 a second
  const FASTEST = 250; // 4 a second
  const PATIENCE = 8000; // a longer pause asks again whose face it is
  const TRIES = 4;

  let state = "off";
  let stream = null;
  let capture = null;
  let number = 0;
  let wait = SLOWEST;
  let dropped = 0;
  let pausedAt = 0;
  let failed = 0;
  let round = 0; // a new one makes whatever is still on its way from an older one of no account

  class Refused extends Error {
    constructor(status, told) {
      super(told.error || "");
      this.status = status;
      this.ended = told.ended;
    }
  }

  // The wall clock as it was when the face was shown, counted on by a clock that nobody sets.
  let shown = { wall: Date.now(), count: performance.now() };
  const deviceTime = () => Math.round(shown.wall + performance.now() - shown.count);

  const become = (next) => {
    state = next;
    root.dataset.state = next;
    find("word").textContent = root.dataset["word" + next[0].toUpperCase() + next.slice(1)];
    const sign = { recording: "●", paused: "❚❚" }[next];
    document.title = sign ? `${sign} ${find("word").textContent} · ${title}` : title;
    const running = next === "recording" || next === "paused";
    buttons.on.hidden = next !== "off";
    buttons.again.hidden = next !== "choosing";
    buttons.pause.hidden = !running;
    buttons.pause.textContent = next === "paused" ? root.dataset.sayResume : root.dataset.sayPause;
    buttons.halt.hidden = next === "off";
    choices.hidden = next !== "choosing";
    still.hidden = next !== "choosing";
    video.hidden = next === "choosing";
  };

  const say = (text, bad = false) => {
    const line = find("status");
    line.classList.toggle("bad", bad);
    if (line.textContent !== text) line.textContent = text;
  };

  const post = async (url, body, headers = {}, more = {}) => {
    const json = body instanceof Blob ? {} : { "Content-Type": "application/json" };
    const answer = await fetch(url, {
      method: "POST",
      body: body instanceof Blob ? body : JSON.stringify(body),
      headers: { "X-CSRF-Token": token, ...json, ...headers },
      ...more,
    });
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Refused(answer.status, told);
    return told;
  };

  const picture = () => {
    const scale = Math.min(1, LONGEST / Math.max(video.videoWidth, video.videoHeight));
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
    const at = deviceTime();
    return new Promise((done, fail) => {
      canvas.toBlob((blob) => (blob ? done({ blob, at }) : fail(new Error())), "image/jpeg", 0.8);
    });
  };

  const release = () => {
    round += 1;
    for (const track of stream ? stream.getTracks() : []) track.stop();
    stream = null;
    video.srcObject = null;
  };

  // The server stores what it saw; a page that goes away still gets this out.
  const tellStopped = () => {
    if (!capture) return;
    post(root.dataset.stop, { capture }, {}, { keepalive: true }).catch(() => {});
    capture = null;
  };

  const end = (text, bad = false) => {
    const focused = root.contains(document.activeElement);
    release();
    tellStopped();
    become("off");
    say(text, bad);
    if (focused) buttons.on.focus();
  };

  const explain = (error) => {
    if (!(error instanceof Refused)) return root.dataset.sayAway;
    return error.status === 401 ? root.dataset.sayLoggedOut : error.message || root.dataset.sayAway;
  };

  const outline = (faces) => {
    still.width = canvas.width;
    still.height = canvas.height;
    const pen = still.getContext("2d");
    // As in a mirror, like the preview.
    pen.setTransform(-1, 0, 0, 1, still.width, 0);
    pen.drawImage(canvas, 0, 0);
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.font = "bold 28px sans-serif";
    faces.forEach((face, i) => {
      const [x, y] = [(1 - face.x - face.width) * still.width, face.y * still.height];
      const [width, height] = [face.width * still.width, face.height * still.height];
      for (const [colour, thick] of [["#000", 6], ["#fff", 3]]) {
        pen.strokeStyle = colour;
        pen.lineWidth = thick;
        pen.strokeRect(x, y, width, height);
        if (faces.length > 1) pen.strokeText(i + 1, x + 6, y + 30);
      }
      pen.fillStyle = "#000";
      if (faces.length > 1) pen.fillText(i + 1, x + 6, y + 30);
    });
  };

  const look = async () => {
    const mine = ++round;
    capture = null;
    shown = { wall: Date.now(), count: performance.now() };
    become("looking");
    say("");
    try {
      const { blob, at } = await picture();
      const found = await post(root.dataset.look, blob, { "X-Capture-Time": at, "Content-Type": blob.type });
      if (mine !== round) return;
      choices.replaceChildren();
      found.faces.forEach((_, i) => {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "primary";
        button.textContent = found.faces.length === 1 ? root.dataset.sayMe : root.dataset.sayFace.replace("{n}", i + 1);
        button.addEventListener("click", () => begin(found.capture, i));
        choices.append(button);
      });
      outline(found.faces);
      become("choosing");
      say([root.dataset.sayNoFace, root.dataset.sayOne][found.faces.length] || root.dataset.sayMany);
      (choices.querySelector("button") || buttons.again).focus();
    } catch (error) {
      if (mine === round) end(explain(error), true);
    }
  };

  const begin = async (id, face) => {
    const mine = ++round;
    try {
      show(await post(root.dataset.start, { capture: id, face }, { "X-Capture-Time": deviceTime() }));
      if (mine !== round) return;
      capture = id;
      [number, dropped, failed, wait] = [0, 0, 0, SLOWEST];
      become("recording");
      say(root.dataset.sayRecording);
      buttons.pause.focus();
      next(mine);
    } catch (error) {
      if (mine !== round) return;
      if (error.ended === "look") look();
      else end(explain(error), true);
    }
  };

  const next = async (mine) => {
    if (mine !== round || state !== "recording") return;
    const began = performance.now();
    try {
      const { blob, at } = await picture();
      if (mine !== round || state !== "recording") return;
      number += 1;
      const headers = { "X-Capture": capture, "X-Capture-Frame": number, "X-Capture-Time": at, "Content-Type": blob.type };
      const told = await post(root.dataset.frames, blob, headers);
      if (mine !== round) return;
      failed = 0;
      // Slower as soon as the server cannot follow, and step by step faster while it can.
      wait = told.dropped > dropped ? SLOWEST : Math.max(FASTEST, wait - 10);
      dropped = told.dropped;
      show(told);
      if (state === "recording") {
        buttons.again.hidden = !told.lost;
        say(told.lost ? root.dataset.sayLost : told.said || root.dataset.sayRecording);
      }
    } catch (error) {
      if (mine !== round) return;
      failed += 1;
      const passing = !(error instanceof Refused) || error.status >= 500;
      if (!passing || failed >= TRIES) {
        end(explain(error), true);
        return;
      }
    }
    setTimeout(() => next(mine), Math.max(0, wait * 2 ** failed - (performance.now() - began)));
  };

  const show = (told) => {
    find("stored").textContent = told.stored;
    find("dropped").textContent = told.dropped;
    if (!told.looks) return;
    find("looks").textContent = told.looks;
    find("when").textContent = `${told.at}, ${told.own ? root.dataset.sayOwn : root.dataset.sayNetwork}`;
  };

  const pause = () => {
    if (state !== "recording") return;
    round += 1;
    pausedAt = performance.now();
    for (const track of stream.getTracks()) track.enabled = false; // the preview goes dark: nothing is seen
    become("paused");
    say(root.dataset.sayPaused);
  };

  const resume = () => {
    if (state !== "paused") return;
    for (const track of stream.getTracks()) track.enabled = true;
    if (performance.now() - pausedAt > PATIENCE) {
      tellStopped();
      video.requestVideoFrameCallback ? video.requestVideoFrameCallback(() => look()) : setTimeout(look, 300);
      return;
    }
    become("recording");
    say(root.dataset.sayRecording);
    next(++round);
  };

  buttons.on.addEventListener("click", async () => {
    if (!navigator.mediaDevices) {
      say(root.dataset.sayInsecure, true);
      return;
    }
    become("looking");
    const mine = ++round;
    try {
      const wanted = { facingMode: "user", width: { ideal: 640 }, height: { ideal: 480 } };
      const opened = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
      if (mine !== round) {
        for (const track of opened.getTracks()) track.stop();
        return;
      }
      stream = opened;
      stream.getVideoTracks()[0].addEventListener("ended", () => end(root.dataset.sayEnded, true));
      video.srcObject = stream;
      await video.play();
    } catch {
      if (mine === round) end(root.dataset.sayNoCamera, true);
      return;
    }
    if (mine === round) look();
  });
  buttons.again.addEventListener("click", () => {
    tellStopped();
    look();
  });
  buttons.pause.addEventListener("click", () => (state === "paused" ? resume() : pause()));
  buttons.halt.addEventListener("click", () => end(root.dataset.sayStopped));

  // Escape is no letter, so it needs no switch of its own (WCAG 2.1.4).
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.repeat && state === "recording") pause();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && state !== "off") end(root.dataset.sayHidden);
  });
  window.addEventListener("pagehide", () => {
    if (state !== "off") end(root.dataset.sayStopped);
  });

  for (const chip of root.querySelectorAll("[data-kind]")) {
    chip.addEventListener("click", async () => {
      try {
        await post(root.dataset.context, { [chip.dataset.kind]: chip.value });
        for (const other of chip.parentElement.querySelectorAll("[data-kind]")) {
          other.setAttribute("aria-pressed", String(other === chip));
        }
        find("kept").textContent = root.dataset.sayKept.replace("{word}", chip.textContent);
      } catch (error) {
        find("kept").textContent = explain(error);
      }
    });
  }
})();
