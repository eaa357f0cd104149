// The timeline page: shows the chart's frame, opens the panel, refreshes what a correction changed.
"use strict";

(() => {
  const box = document.querySelector("[data-chart]");
  const dialog = document.querySelector("dialog[data-panel]");
  if (!box || !dialog) return;
  const frame = box.querySelector("iframe");
  const show = frame.dataset.show;

  const tell = (message) => frame.contentWindow.postMessage(message, location.origin);
  // The page carries the chart's numbers: the frame asks nobody for them.
  const draw = () => tell({ type: "data", data: JSON.parse(box.dataset.points), show });
  const fresh = async () => new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
  let opener = null;
  let refreshed = Promise.resolve(true);

  const close = document.createElement("button");
  close.type = "button";
  close.className = "close quiet";
  close.dataset.close = "";
  close.textContent = dialog.dataset.closing;
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
    if (type === "listening") draw();
    if (type === "moment" && Number.isInteger(at) && Number.isInteger(within)) {
      opener = null;
      open(`/moment/${at}?within=${within}`);
    }
  });

  box.hidden = false;
  frame.src = frame.dataset.src;

  // One request brings the table, the sentence and the chart's numbers as they are after a correction.
  const refresh = async () => {
    try {
      const page = await fresh();
      box.dataset.points = page.getElementById("figures").dataset.points;
      draw();
      for (const id of ["summary", "table", "learned"]) {
        const [now, then] = [document.getElementById(id), page.getElementById(id)];
        if (now && then) now.replaceWith(document.adoptNode(then));
      }
      return true;
    } catch {
      return false;
    }
  };

  // One after the other, so that the newest state is drawn last.
  dialog.addEventListener("corrected", () => {
    refreshed = refreshed.then(refresh);
  });

  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });

  const goBack = () => {
    const link = opener && document.querySelector(`a[data-moment][href="${CSS.escape(opener)}"]`);
    (link || frame).focus();
  };

  // A panel that is closed before the page is fresh keeps its place: the table that comes has the same link.
  dialog.addEventListener("close", async () => {
    goBack();
    if (!(await refreshed)) location.reload();
    else if (!dialog.open && document.activeElement === document.body) goBack();
  });

  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => tell({ type: "zoom", how: button.dataset.zoom }));
  }
})();
