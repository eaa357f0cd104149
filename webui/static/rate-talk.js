// How a rater's page talks to the server: one decision, one request; what was not acknowledged waits in the page.
"use strict";

window.talk = (() => {
  const desk = document.querySelector("[data-desk]");
  const words = Object.fromEntries(
    [...document.querySelectorAll("[data-word]")].map((e) => [e.dataset.word, e.textContent.trim()]),
  );
  const line = document.querySelector("[data-said]");
  const trouble = document.querySelector("[data-trouble]");
  let waiting = null;

  const word = (name, values = {}) =>
    Object.entries(values).reduce((text, [k, v]) => text.replaceAll(`{${k}}`, v), words[name] ?? "");

  const say = (text) => {
    line.textContent = text;
  };

  // Takes back that a face is covered; whatever else was said stays said.
  const hush = () => {
    if (line.textContent === words.covered) say("");
  };

  // A key that makes a request count once, however often it is sent; randomUUID is for secure pages alone.
  const key = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    const hex = [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  };

  const complain = (text, { login = false, again = true } = {}) => {
    trouble.querySelector("[data-text]").textContent = text;
    trouble.querySelector("[data-login]").hidden = !login;
    trouble.querySelector("[data-again]").hidden = !again;
    trouble.hidden = false;
  };

  const calm = () => {
    trouble.hidden = true;
    waiting = null;
  };

  const post = (path, body) =>
    fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": desk.dataset.csrf },
      body: JSON.stringify(body),
    });

  // The type says that a program reads the answer: then an ended session is a status, and no page to log in.
  const ask = (path) => fetch(path, { headers: { "Content-Type": "application/json" }, cache: "no-store" });

  // What does not answer in time has not answered: then nobody knows whether a face may still be seen.
  const reach = async (path) => {
    const late = new Promise((done) => setTimeout(done, 10000, null));
    const answer = await Promise.race([ask(path).catch(() => null), late]);
    return answer?.redirected ? null : answer;
  };

  // After a new login the token is another one, and the person may be: then nothing of ours is sent for them.
  const renew = async () => {
    const answer = await ask(desk.dataset.token);
    if (!answer.ok || answer.redirected) return "nobody";
    const told = await answer.json();
    if (told.member !== desk.dataset.member) return "another";
    const fresh = told.csrf !== desk.dataset.csrf;
    desk.dataset.csrf = told.csrf;
    return fresh ? "fresh" : "same";
  };

  const attempt = async (request) => {
    let answer = await post(request.path, request.body);
    if (answer.status === 403 && (await renew()) === "fresh") answer = await post(request.path, request.body);
    return answer;
  };

  // Resolves with the server's words when it has acknowledged, and with null while the decision waits in the page.
  const send = async (request) => {
    desk.setAttribute("aria-busy", "true");
    waiting = request;
    try {
      const answer = await attempt(request);
      if (answer.status === 401 || answer.redirected) {
        complain(word("expired"), { login: true });
        return null;
      }
      const told = await answer.json().catch(() => ({}));
      if (answer.ok || answer.status === 410) {
        calm();
        return { ...told, refused: answer.status === 410 ? told.error || word("gone") : "" };
      }
      // What the server refuses for good is not sent again by itself; the choice stays open on the screen.
      complain(told.error || word("failed"), { again: answer.status >= 500 });
      if (answer.status < 500) waiting = null;
      return null;
    } catch {
      complain(word("offline"));
      return null;
    } finally {
      desk.removeAttribute("aria-busy");
    }
  };

  const again = async () => {
    const request = waiting;
    if (!request || desk.hasAttribute("aria-busy")) return;
    const told = await send(request);
    if (told) request.done(told, true);
  };

  const back = async () => {
    if (!waiting || document.hidden || trouble.querySelector("[data-login]").hidden) return;
    const who = await renew().catch(() => "nobody");
    if (who === "another") {
      waiting = null;
      complain(word("another"), { again: false });
    } else if (who !== "nobody") await again();
  };

  trouble.querySelector("[data-again]").addEventListener("click", again);
  window.addEventListener("focus", back);
  window.addEventListener("online", again);
  document.addEventListener("visibilitychange", back);
  window.addEventListener("beforeunload", (event) => {
    if (waiting) event.preventDefault();
  });

  // A decision, sent once it may be: `done` is called when it was acknowledged, at once or after trouble.
  const decide = async (path, body, done) => {
    const request = { path, body, done };
    const told = await send(request);
    if (told) done(told, false);
  };

  return { desk, word, say, hush, ask, reach, key, decide, complain, calm, busy: () => desk.hasAttribute("aria-busy") };
})();
