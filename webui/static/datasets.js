// While an export is being made: ask how far it is, and load the page anew when it is over.
"use strict";
(() => {
  const section = document.querySelector("[data-exports]");
  const running = () => [...section.querySelectorAll('[data-stage="running"]')];
  if (!section || !running().length) return;
  const look = async () => {
    try {
      const answer = await fetch(section.dataset.exports, { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      const { jobs } = await answer.json();
      const known = new Map(jobs.map((job) => [job.id, job]));
      for (const one of running()) {
        const job = known.get(one.dataset.job);
        if (!job || job.stage !== "running") return location.reload();
        one.querySelector("progress").value = job.share;
      }
    } catch {
      // Without a network the next look tells.
    }
    setTimeout(look, 1000);
  };
  setTimeout(look, 1000);
})();
