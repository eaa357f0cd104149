// A researcher decides by the same keys; the decision waits in the page when it cannot be sent.
"use strict";

(() => {
  const { desk, key, decide, busy } = window.talk;
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

  addEventListener("pageshow", (event) => event.persisted && location.reload());
})();
