// The panel in which a moment is corrected: keys 1 to 8 while it has the focus, nothing elsewhere.
"use strict";

(() => {
  const holder = document.querySelector("[data-panel]");
  if (!holder) return;

  const second = (form, button) => {
    const select = form.querySelector("select[name=second]");
    select.value = select.value === button.value ? "" : button.value;
    mark(form);
  };

  const mark = (form) => {
    const chosen = form.querySelector("select[name=second]").value;
    for (const button of form.querySelectorAll("[data-key]")) {
      const is = button.value === chosen;
      button.classList.toggle("second", is);
      if (is) button.setAttribute("aria-description", form.dataset.second);
      else button.removeAttribute("aria-description");
    }
  };

  holder.addEventListener("keydown", (event) => {
    // The place of the key counts, not its letter: digits need Shift on some keyboards.
    const digit = /^(?:Digit|Numpad)([1-8])$/.exec(event.code);
    if (event.target.matches("textarea")) return; // digits of a note are its own
    if (!digit || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const button = holder.querySelector(`[data-key="${digit[1]}"]`);
    if (!button) return;
    event.preventDefault();
    if (event.shiftKey) second(button.form, button);
    else button.click();
  });

  holder.addEventListener("click", (event) => {
    const button = event.target.closest("[data-key]");
    if (button && event.shiftKey) {
      event.preventDefault();
      second(button.form, button);
    }
  });

  holder.addEventListener("change", (event) => {
    if (event.target.name === "second") mark(event.target.form);
  });

  const show = (html) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    const content = page.querySelector("[data-content]");
    const close = holder.querySelector("[data-close]");
    holder.replaceChildren(...(close ? [close] : []), document.adoptNode(content));
    holder.querySelector("#panel-title").focus();
  };

  holder.addEventListener("submit", async (event) => {
    const form = event.target.closest("[data-correct]");
    if (!form) return;
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form, event.submitter));
    form.closest("[data-content]").setAttribute("aria-busy", "true");
    const complain = (text) => {
      form.closest("[data-content]").removeAttribute("aria-busy");
      const line = form.querySelector(".problem") || form.appendChild(document.createElement("p"));
      line.className = "problem";
      line.setAttribute("role", "alert");
      line.textContent = text;
    };
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { "X-Panel": "1" } });
      const html = await answer.text();
      if (answer.ok && !answer.redirected) {
        show(html);
        holder.dispatchEvent(new CustomEvent("corrected", { bubbles: true }));
      } else if (answer.redirected) {
        complain(form.dataset.out);
      } else {
        const page = new DOMParser().parseFromString(html, "text/html");
        complain(page.querySelector(".problem")?.textContent || form.dataset.failed);
      }
    } catch {
      complain(form.dataset.offline);
    }
  });

  holder.showMoment = show;
})();
