// A researcher decides by the same keys; the decision waits in the page when it cannot be sent.
"use strict";

(() => {
  const { desk, word, say, hush, reach, key, decide, busy } = window.talk;
  const form = desk.querySelector("[data-decide]");

  const send = (answer) => {
    if (busy()) return;
    const body = { answer, second: form.elements.second.value || null, key: key() };
    decide(form.action, body, (told) => location.assign(told.next || form.dataset.next));
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (event.submitter?.name === "answer") send(event.submitter.value);
  });

  document.addEventListener("act", (event) => {
    const { action, shift, repeat } = event.detail;
    const button = form.querySelector(`button[name=answer][value="${action}"]`);
    if (!button) return;
    event.preventDefault();
    if (repeat) return;
    if (shift && button.dataset.emotion !== undefined) {
      const select = form.elements.second;
      select.value = select.value === action ? "" : action;
    } else send(action);
  });

  // As at the desk: what was taken back goes at once, and what nobody can ask about is covered.
  const picture = desk.querySelector("[data-picture]");
  let gone = false;
  const cover = (is) => {
    if (picture.hidden === is) return;
    picture.hidden = is;
    if (!is) hush();
    else if (!document.hidden) say(word("covered"));
  };
  const look = async () => {
    if (gone || document.hidden) return;
    const answer = await reach(desk.dataset.open);
    if (answer?.status === 410) {
      gone = true;
      picture.remove();
      say(word("gone"));
      for (const control of form.querySelectorAll("button, input, select")) control.disabled = true;
    } else if (!document.hidden) cover(!answer?.ok);
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? cover(true) : look()));
  setInterval(look, Number(desk.dataset.lookEvery || 5000));

  addEventListener("pageshow", (event) => event.persisted && location.reload());
})();
