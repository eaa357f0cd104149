// The timeline page: shows the chart's frame, opens the panel, refreshes what a correction changed.
"use strict";

(() => {
  const box = document.querySelector("[data-chart]");
  const dialog = document.querySelector("dialog[data-panel]");
  if (!box || !dialog) return;
  const frame = box.querySelector("iframe");
  box.hidden = false;
  frame.src = frame.dataset.src;

  const tell = (message) => frame.contentWindow.postMessage(message, location.origin);
  let opener = null;
  let changed = false;

  const close = document.createElement("button");
  close.type = "button";
  close.className = "close quiet";
  close.dataset.close = "";
  close.textContent = "Close";
  close.addEventListener("click", () => dialog.close());
  dialog.append(close);

  const open = async (url) => {
    try {
      const answer = await fetch(url, { headers: { "X-Panel": "1" } });
      if (!answer.ok || answer.redirected) throw new Error();
      const html = await answer.text();
      if (!dialog.open) dialog.showModal();
      dialog.showMoment(html);
    } catch {
      location.assign(url);
    }
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-moment]");
    if (link && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      opener = link.getAttribute("href");
      open(link.href);
    }
  });

  window.addEventListener("message", (event) => {
    if (event.origin !== location.origin || event.source !== frame.contentWindow) return;
    const { type, at, within } = event.data || {};
    if (type === "moment" && Number.isInteger(at) && Number.isInteger(within)) {
      opener = null;
      open(`/moment/${at}?within=${within}`);
    }
  });

  dialog.addEventListener("corrected", () => {
    changed = true;
    tell({ type: "reload" });
  });

  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });

  dialog.addEventListener("close", async () => {
    if (changed) {
      changed = false;
      try {
        const html = await (await fetch(location.href)).text();
        const page = new DOMParser().parseFromString(html, "text/html");
        for (const id of ["summary", "table"]) {
          const fresh = page.getElementById(id);
          if (fresh) document.getElementById(id).replaceWith(document.adoptNode(fresh));
        }
      } catch {
        location.reload();
      }
    }
    const link = opener && document.querySelector(`a[data-moment][href="${CSS.escape(opener)}"]`);
    (link || frame).focus();
  });

  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => tell({ type: "zoom", how: button.dataset.zoom }));
  }
})();
