// A rater's keys: tells the page which action a key stands for. The map comes from the server and is the rater's own.
"use strict";

(() => {
  const holder = document.querySelector("[data-keymap]");
  if (!holder) return;
  const map = JSON.parse(holder.dataset.keymap);
  const actions = new Map(Object.entries(map.keys).filter(([, key]) => key).map(([action, key]) => [key, action]));

  // The place of a digit counts, not its letter: digits need Shift on some keyboards, and Shift means something here.
  const nameOf = (event) => {
    const digit = /^(?:Digit|Numpad)([0-9])$/.exec(event.code);
    return digit ? digit[1] : event.key.length === 1 ? event.key.toLowerCase() : event.key;
  };

  const actionOf = (event) => {
    const exact = actions.get(event.key);
    if (exact && !/^[0-9]$/.test(event.key)) return { action: exact, shift: event.shiftKey && event.key !== "?" };
    const action = actions.get(nameOf(event));
    return action ? { action, shift: event.shiftKey } : null;
  };

  const typing = (target) =>
    target.matches("textarea, select, [contenteditable]") ||
    (target.matches("input") && !["button", "submit", "checkbox"].includes(target.type));

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (!(event.target instanceof Element) || typing(event.target)) return;
    if (document.querySelector("dialog[open]") && nameOf(event) !== "?") return;
    const found = actionOf(event);
    if (!found || (!map.on && event.key.length === 1)) return;
    const told = new CustomEvent("act", {
      cancelable: true,
      detail: { ...found, repeat: event.repeat, at: event.timeStamp },
    });
    // Whoever takes the action says so; a key that nobody takes stays the browser's.
    if (!document.dispatchEvent(told)) event.preventDefault();
  });

  const help = document.querySelector("[data-key-help]");
  const toggle = () => (help.open ? help.close() : help.showModal());
  document.addEventListener("act", (event) => {
    if (event.detail.action !== "help" || !help) return;
    event.preventDefault();
    if (!event.detail.repeat) toggle();
  });
  for (const opener of document.querySelectorAll("[data-open-keys]")) {
    opener.addEventListener("click", (event) => {
      if (!help) return;
      event.preventDefault();
      toggle();
    });
  }
})();
