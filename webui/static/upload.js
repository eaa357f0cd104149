// Uploads a clip in pieces; after a break the server says where it goes on.
"use strict";

(() => {
  const root = document.querySelector("[data-upload]");
  if (!root) return;
  const token = root.closest("[data-capture]").querySelector("input[name=csrf_token]").value;
  const find = (name) => root.querySelector(`[data-${name}]`);
  const [file, from, first, bar, line] = ["file", "from", "first", "bar", "upload-status"].map(find);
  const buttons = { send: find("send"), discard: find("discard") };
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const mib = (bytes) => (bytes / 2 ** 20).toFixed(1);
  const LONGEST_BREAK = 30_000;

  let current = null; // the upload's address while one is on its way
  let discarded = false;

  class Refused extends Error {
    constructor(status, told) {
      super(told.error || "");
      this.status = status;
      this.offset = told.offset;
    }
  }

  const ask = async (url, body) => {
    const raw = body instanceof Blob;
    const headers = { "X-CSRF-Token": token };
    if (body) headers["Content-Type"] = raw ? "application/octet-stream" : "application/json";
    const options = body ? { method: "POST", headers, body: raw ? body : JSON.stringify(body) } : {};
    const answer = await fetch(url, options);
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Refused(answer.status, told);
    return told;
  };

  // What fails on the way is tried again; what the server refuses is not.
  const insist = async (url, body) => {
    for (let wait = 1000; ; wait = Math.min(wait * 2, LONGEST_BREAK)) {
      try {
        return await ask(url, body);
      } catch (error) {
        if ((error instanceof Refused && error.status < 500) || discarded) throw error;
        say(root.dataset.sayWaits);
        await pause(wait);
      }
    }
  };

  const say = (text, bad = false) => {
    line.className = bad ? "problem" : "";
    if (line.textContent !== text) line.textContent = text;
  };

  const busy = (is) => {
    buttons.send.disabled = is;
    buttons.discard.hidden = !is;
    bar.hidden = !is;
  };

  const send = async (clip, told) => {
    let { offset } = told;
    while (offset < clip.size && !discarded) {
      say(root.dataset.saySending.replace("{done}", mib(offset)).replace("{all}", mib(clip.size)));
      bar.value = offset / clip.size / 2;
      try {
        ({ offset } = await insist(`${current}/${offset}`, clip.slice(offset, offset + told.piece)));
      } catch (error) {
        if (error.status !== 409 || !Number.isInteger(error.offset)) throw error;
        offset = error.offset;
      }
    }
  };

  const watch = async () => {
    for (;;) {
      const told = await insist(current);
      if (told.stage === "waiting") say(root.dataset.sayWaiting);
      else if (told.stage === "reading") say(root.dataset.sayReading.replace("{share}", Math.round(told.share * 100)));
      else return told;
      bar.value = 0.5 + told.share / 2;
      await pause(700);
    }
  };

  const conclude = (told) => {
    const parts = [root.dataset.sayDone.replace("{stored}", told.stored).replace("{read}", told.read)];
    if (told.known) parts.push(root.dataset.sayKnown.replace("{known}", told.known));
    const reasons = Object.entries(told.without).map(([why, count]) => `${why} ${count}`);
    if (reasons.length) parts.push(root.dataset.sayWithout.replace("{reasons}", reasons.join(", ")));
    if (told.problem) parts.push(told.problem);
    say(parts.join(" "), told.stage !== "done");
  };

  buttons.send.addEventListener("click", async () => {
    const clip = file.files[0];
    if (!clip) {
      file.focus();
      return;
    }
    discarded = false;
    busy(true);
    try {
      const key = `${clip.name}|${clip.size}|${clip.lastModified}`.slice(-300);
      const begun = await insist(root.dataset.begin, { key, size: clip.size });
      current = `${root.dataset.begin}/${begun.upload}`;
      await send(clip, begun);
      if (discarded) return;
      // The field has the device's own time zone; an instant goes out.
      const started = from.value ? new Date(from.value).toISOString() : "";
      await insist(`${current}/read`, { started_at: started, first_face: first.checked });
      const told = await watch();
      if (discarded) return;
      if (told.stage === "done") conclude(told);
      else say(told.problem, true);
      if (told.ask_start) from.focus();
    } catch (error) {
      if (!discarded) say(error.status === 401 ? root.dataset.sayLoggedOut : error.message, true);
    } finally {
      busy(false);
    }
  });

  buttons.discard.addEventListener("click", async () => {
    discarded = true;
    say(root.dataset.sayDiscarded);
    buttons.send.focus();
    if (current) await ask(`${current}/discard`, {}).catch(() => {});
  });
})();
