// The page of answers: keys and touch in the square, saving without leaving the page, and what waits on this phone.
"use strict";

(() => {
  const form = document.querySelector("[data-answer]");
  const box = document.querySelector("[data-waiting]");
  const waiting = window.waitingAnswers;
  const texts = JSON.parse(document.querySelector("[data-texts]").textContent);
  const doneBox = document.querySelector("[data-done]");
  const problemBox = document.querySelector("[data-problem]");
  let owner = form?.dataset.owner || "";
  let shown = performance.now();
  let sending = false;
  const RETRY_MS = 30_000;

  const complain = (text) => {
    problemBox.replaceChildren();
    if (!text) return;
    const line = problemBox.appendChild(document.createElement("p"));
    line.className = "problem";
    line.setAttribute("role", "alert");
    line.textContent = text;
  };

  const tell = (title, text) => {
    const card = document.createElement("div");
    card.className = "card note";
    card.dataset.saved = "";
    const head = card.appendChild(document.createElement("h2"));
    head.textContent = title;
    const line = card.appendChild(document.createElement("p"));
    line.textContent = text;
    doneBox.replaceChildren(card);
  };

  // ---- the form ----

  // A second tap takes a choice back: radio buttons alone cannot.
  const chosen = new Map();
  const remember = () => {
    chosen.clear();
    for (const input of form.querySelectorAll("input[type=radio]:checked")) chosen.set(input.name, input);
  };

  const grid = form?.querySelector("[data-grid]");
  const said = form?.querySelector("[data-grid-said]");
  const hint = said?.textContent;
  const cells = grid ? [...grid.rows].map((row) => [...row.querySelectorAll("input")]) : [];

  // One stop for the Tab key: the chosen field, else the middle.
  const rove = () => {
    const now = grid.querySelector("input:checked") || grid.querySelector(".middle input");
    for (const input of cells.flat()) input.tabIndex = input === now ? 0 : -1;
    const picked = grid.querySelector("input:checked");
    said.textContent = picked ? picked.getAttribute("aria-label") : hint;
  };

  const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

  const move = (event) => {
    const step = MOVES[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    const row = cells.findIndex((inputs) => inputs.includes(event.target));
    if (row < 0) return;
    event.preventDefault();
    const column = cells[row].indexOf(event.target);
    const within = (n) => Math.min(Math.max(n, 0), cells.length - 1);
    const next = cells[within(row + step[0])][within(column + step[1])];
    next.checked = true;
    chosen.set("grid", next);
    rove();
    next.focus();
  };

  const digit = (event) => {
    const found = /^(?:Digit|Numpad)([1-8])$/.exec(event.code);
    if (!found || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const tile = event.target.closest("[data-part=emotion]")?.querySelector(`[data-key="${found[1]}"]`);
    if (!tile || event.target.matches("select")) return;
    event.preventDefault();
    tile.focus();
    tile.checked = true;
    chosen.set("emotion", tile);
  };

  const fields = () => {
    const found = {};
    for (const [name, value] of new FormData(form)) {
      if (name !== "csrf_token" && typeof value === "string" && value !== "") found[name] = value;
    }
    return found;
  };

  // Not by form.reset(): that brings back what the server filled in, and calls this again.
  const fresh = () => {
    form.querySelectorAll("input[type=radio]").forEach((input) => (input.checked = false));
    form.querySelectorAll("select").forEach((select) => (select.selectedIndex = 0));
    const note = form.querySelector("textarea");
    if (note) note.value = "";
    chosen.clear();
    if (grid) rove();
    shown = performance.now();
  };

  const newKey = () => {
    let key = form.querySelector("input[name=key]");
    if (!key) {
      key = form.appendChild(document.createElement("input"));
      key.type = "hidden";
      key.name = "key";
    }
    key.value = crypto.randomUUID();
  };

  const SPOKEN = {
    offline: [texts.kept, texts.offline],
    unavailable: [texts.kept, texts.unavailable],
    "logged out": [texts.kept, texts.loggedOut],
    ended: [texts.notKept, texts.ended],
  };

  const save = async () => {
    const answer = { ...fields(), at: new Date().toISOString() };
    answer.response_ms = String(Math.round(performance.now() - shown));
    // The shell knows no question but by its address.
    const prompt = form.dataset.owner ? null : /^\/answer\/(\d+)$/.exec(location.pathname);
    if (prompt && !form.dataset.free) answer.prompt = prompt[1];
    const told = ["emotion", "grid", "alone", "place", "activity", "company"].some((name) => answer[name]);
    const own = Object.keys(answer).some((name) => name.includes(":")); // a target of the study's own
    if (!told && !own) {
      complain(texts.nothing);
      return;
    }
    if (answer.second && answer.second === answer.emotion) {
      complain(texts.same);
      return;
    }
    complain("");
    const number = await waiting.add(owner, answer);
    const result = await waiting.deliver();
    const mine = result.sent.find((reply) => reply.key === answer.key);
    const refused = result.refused.find((reply) => reply.key === answer.key);
    if (refused) {
      // It is on the page still, with everything that was chosen: it need not wait as well.
      await waiting.remove(number);
      complain(refused.problem);
      if (refused.status === 409) offerFree();
      await show();
      return;
    }
    if (mine) {
      const page = new DOMParser().parseFromString(mine.html, "text/html");
      doneBox.replaceChildren(document.adoptNode(page.querySelector("[data-saved]")));
    } else {
      tell(...(SPOKEN[result.state] || SPOKEN.unavailable));
    }
    fresh();
    newKey();
    form.querySelector("input[name=prompt]")?.remove(); // what is said next is not to the same question
    form.dataset.free = "yes";
    await show();
    doneBox.scrollIntoView({ block: "nearest" });
  };

  // The question had ended: what was chosen can be saved all the same, as a word of one's own.
  const offerFree = () => {
    const button = problemBox.appendChild(document.createElement("button"));
    button.type = "button";
    button.className = "primary";
    button.textContent = texts.ownWord;
    button.addEventListener("click", () => {
      form.querySelector("input[name=prompt]")?.remove();
      form.dataset.free = "yes";
      form.requestSubmit();
    });
  };

  // ---- what waits ----

  const clock = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });

  // The question to which it was the answer had ended.
  const ownWord = (row) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "small";
    button.textContent = texts.keepOwn;
    button.addEventListener("click", async () => {
      const { prompt, ...answer } = await waiting.unseal(row);
      await waiting.add(owner, answer);
      await waiting.remove(row.id);
      await send();
    });
    return button;
  };

  const show = async () => {
    const rows = owner ? await waiting.list(owner) : [];
    box.hidden = rows.length === 0;
    box.querySelector("[data-waiting-count]").textContent = waiting.count(rows.length, texts.one, texts.many);
    const list = box.querySelector("[data-waiting-list]");
    list.replaceChildren();
    for (const row of rows) {
      const line = list.appendChild(document.createElement("li"));
      const given = texts.given.replace("{when}", clock.format(row.kept));
      line.textContent = row.problem ? `${given}: ${row.problem} ` : given;
      if (row.status === 409) line.append(ownWord(row));
    }
  };

  const send = async () => {
    const button = box.querySelector("[data-send]");
    button.disabled = true;
    complain("");
    const result = await waiting.deliver(true);
    button.disabled = false;
    if (result.state !== "sent") complain(SPOKEN[result.state][1]);
    await show();
  };

  const start = async () => {
    if (!owner) {
      owner = (await waiting.here()) || "";
      if (owner) {
        form.hidden = false;
        document.querySelector("[data-nobody]").hidden = true;
        newKey();
      }
    } else {
      await waiting.arrive(owner);
    }
    box.querySelector("[data-send]").addEventListener("click", send);
    box.querySelector("[data-delete]").addEventListener("click", async () => {
      if (window.confirm(texts.delete)) {
        await waiting.drop(owner);
        await show();
      }
    });
    document.addEventListener("waiting-answers", ({ detail }) => {
      if (!sending && detail.sent.length) tell(texts.saved, texts.sent.replace("{n}", String(detail.sent.length)));
      show();
    });
    const retry = () => box.hidden || sending || document.hidden || waiting.deliver();
    window.addEventListener("online", retry);
    setInterval(retry, RETRY_MS); // not every phone says that it is online again
    document.addEventListener("visibilitychange", retry);
    await show();
    if (!box.hidden) await waiting.deliver();
    document.documentElement.dataset.answering = "ready";
  };

  if (form) {
    remember();
    if (grid) {
      rove();
      grid.addEventListener("keydown", move);
    }
    form.addEventListener("keydown", digit);
    form.addEventListener("click", (event) => {
      const input = event.target;
      if (!(input instanceof HTMLInputElement) || input.type !== "radio") return;
      if (chosen.get(input.name) === input && event.detail !== 0) {
        input.checked = false;
        chosen.delete(input.name);
      } else {
        chosen.set(input.name, input);
      }
      if (grid) rove();
    });
    form.addEventListener("reset", () => setTimeout(fresh));
  }
  if (!waiting?.usable || !form) return;

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (sending) return; // a second press of the button
    sending = true;
    form.setAttribute("aria-busy", "true");
    try {
      await save();
    } catch {
      form.submit(); // this browser keeps nothing: the form goes the plain way
    } finally {
      sending = false;
      form.removeAttribute("aria-busy");
    }
  });

  start();
  if (form.dataset.worker && navigator.serviceWorker) {
    navigator.serviceWorker.register(form.dataset.worker, { scope: form.dataset.scope }).catch(() => {});
  }
})();
