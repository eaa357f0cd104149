// The rater's desk: one stroke chooses, saves and brings the next face, which lies ready in memory.
"use strict";

(() => {
  const { desk, word, say, hush, ask, reach, key, decide, busy, complain } = window.talk;
  const form = desk.querySelector("[data-vote]");
  const canvas = desk.querySelector("[data-face]");
  const first = desk.querySelector("[data-first-face]");
  const why = desk.querySelector("[data-why]");
  const READY = 3; // the face on the screen and the next two

  const pictures = new Map(); // item -> promise of a bitmap; in memory alone, closed after use
  let items = form ? [{ id: form.dataset.item, picture: first.src, why: why.textContent }] : [];
  let shownAt = 0;
  let waited = null;
  let drawn = null;
  const answered = new Set(); // decided on this page: an answer to an earlier question may still name it

  const drop = (id) => {
    const held = pictures.get(id);
    pictures.delete(id);
    held?.then((bitmap) => bitmap.close()).catch(() => {});
  };

  class Gone extends Error {}

  const load = (item) => {
    if (!pictures.has(item.id)) {
      pictures.set(
        item.id,
        fetch(item.picture, { cache: "no-store" }).then(async (answer) => {
          if (answer.redirected || answer.status === 401) throw new Error("session");
          if (!answer.ok) throw new Gone(String(answer.status));
          return createImageBitmap(await answer.blob());
        }),
      );
      pictures.get(item.id).catch(() => {});
    }
    return pictures.get(item.id);
  };

  const draw = (bitmap) => {
    const side = Math.max(1, Math.round(canvas.clientWidth * devicePixelRatio));
    canvas.width = side;
    canvas.height = Math.max(1, Math.round((side * bitmap.height) / bitmap.width));
    const brush = canvas.getContext("2d");
    brush.imageSmoothingQuality = "high";
    brush.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  };

  const wipe = () => {
    if (!canvas) return;
    canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
    first?.remove();
    if (drawn) drop(drawn.id);
    drawn = null;
  };

  // A face of which nobody can say that it may still be seen is covered; what was chosen stays chosen.
  let covered = false;
  const cover = () => {
    if (covered || !canvas) return;
    covered = true;
    desk.dataset.covered = "true";
    canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
    canvas.hidden = true;
    if (first) first.hidden = true;
    if (!document.hidden) say(word("covered"));
  };

  const uncover = () => {
    if (!covered || document.hidden) return;
    covered = false;
    delete desk.dataset.covered;
    if (drawn) {
      canvas.hidden = false;
      draw(drawn.bitmap);
    } else if (first) first.hidden = false;
    hush();
  };

  // The frame after next has certainly been painted.
  const painted = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now()))));

  const clear = () => {
    form.reset();
    mark();
  };

  const empty = () => {
    location.assign(desk.dataset.home);
  };

  const show = async (from) => {
    for (;;) {
      try {
        if (!items.length) await refill();
      } catch {
        complain(word("picture"), { again: false });
        return;
      }
      if (!items.length) break;
      const item = items[0];
      let bitmap;
      try {
        bitmap = await load(item);
      } catch (error) {
        pictures.delete(item.id);
        if (!(error instanceof Gone)) {
          complain(word("picture"), { again: false });
          return;
        }
        // Only who takes a face back closes it; one that lay ready too long is somebody else's by now.
        if (error.message === "410") say(word("gone"));
        items.shift();
        continue;
      }
      wipe();
      canvas.hidden = covered;
      if (!covered) draw(bitmap);
      drawn = { id: item.id, bitmap };
      form.dataset.item = item.id;
      form.elements.item.value = item.id;
      why.textContent = item.why;
      clear();
      shownAt = await painted();
      waited = from === null ? null : Math.round(shownAt - from);
      desk.dataset.waited = waited ?? "";
      desk.dataset.shown = item.id;
      delete desk.dataset.ready; // what it named lay behind the face before this one
      // Choosing what comes takes the server a while: it is asked after the face is on the screen.
      refill().catch(() => {});
      return;
    }
    empty();
  };

  // What the server no longer lets us see is forgotten at once; what is new waits behind what is here.
  const forget = (ids) => {
    for (const id of ids) drop(id);
    items = items.filter((item) => !ids.includes(item.id));
  };

  // The next two lie ready; what is on the screen is drawn already.
  const ahead = () => {
    const next = items.filter((item) => item.id !== desk.dataset.shown).slice(0, READY - 1);
    Promise.allSettled(next.map(load)).then(() => {
      const behind = next.filter((item) => pictures.has(item.id) && item.id !== desk.dataset.shown);
      desk.dataset.ready = behind.map((item) => item.id).join(" ");
    });
  };

  let acknowledged = 0; // decisions so far: an answer to a question from before one is old
  let newest = document.querySelector("[data-last] a:not([data-clip])")?.dataset.item ?? null;
  let refilling = null;
  const refill = () => {
    refilling ??= (async () => {
      for (;;) {
        const begun = acknowledged;
        const hold = items.map((item) => item.id);
        const answer = await ask(`${desk.dataset.next}?${new URLSearchParams({ hold: hold.join(",") })}`);
        if (!answer.ok || answer.redirected) throw new Error("session");
        const told = await answer.json();
        forget(told.gone.filter((id) => id !== drawn?.id));
        const here = new Set(items.map((item) => item.id));
        items.push(...told.items.filter((item) => !here.has(item.id) && !answered.has(item.id)));
        ahead();
        if (begun !== acknowledged) continue;
        newest = told.last.find((vote) => !vote.clip)?.item ?? null;
        report(told);
        return;
      }
    })().finally(() => {
      refilling = null;
    });
    return refilling;
  };

  const report = (told) => {
    const bar = document.querySelector("[data-progress]");
    if (bar && told.progress) {
      bar.value = Math.min(told.progress.done, told.progress.goal);
      bar.max = told.progress.goal;
      document.querySelector("[data-progress-words]").textContent = told.progress.words;
    }
    const list = document.querySelector("[data-last]");
    if (!list || !told.last) return;
    const row = document.querySelector("[data-last-row]").content;
    list.replaceChildren(
      ...told.last.map((vote) => {
        const made = row.cloneNode(true);
        made.querySelector("a").href = vote.href;
        made.querySelector("a").dataset.item = vote.item;
        if (vote.clip) made.querySelector("a").dataset.clip = "";
        made.querySelector("[data-label]").textContent = vote.said;
        made.querySelector("time").textContent = vote.time;
        made.querySelector("time").dateTime = vote.at;
        return made;
      }),
    );
    document.querySelector("[data-last-empty]").hidden = told.last.length > 0;
  };

  const told = async (answer, from, decided) => {
    const gone = answer.gone || [];
    say(answer.refused || [answer.words, gone.length ? word("gone") : ""].filter(Boolean).join(" "));
    acknowledged += 1;
    if (!document.hidden) {
      covered = false;
      delete desk.dataset.covered;
    }
    newest = decided ?? undefined;
    answered.add(decided);
    forget([decided, ...gone]);
    if (answer.item) {
      answered.delete(answer.item.id);
      items = [answer.item, ...items.filter((item) => item.id !== answer.item.id)];
    }
    await show(from);
  };

  const fields = () => Object.fromEntries(["second", "valence", "arousal"].map((n) => [n, form.elements[n]?.value || null]));

  const vote = (answer, from) => {
    if (busy() || !form || !desk.dataset.shown) return;
    const body = {
      ...fields(),
      item: form.dataset.item,
      answer,
      key: key(),
      response_ms: Math.max(0, Math.round(from - shownAt)),
      wait_ms: waited,
      hold: items.slice(1).map((item) => item.id),
    };
    // What waited for a connection says nothing about how fast the next face comes.
    decide(form.action, body, (said, late) => told(said, late ? null : from, body.item));
  };

  const undo = async (from) => {
    if (busy()) return;
    // After an undo the newest answer is another one, which comes with what is asked behind it.
    if (newest === undefined) await refill().catch(() => {});
    if (busy()) return;
    if (!newest) {
      say(word("nothing"));
      return;
    }
    const body = { item: newest, key: key(), hold: items.map((item) => item.id) };
    decide(desk.dataset.undo, body, (said, late) => {
      if (form) told(said, late ? null : from, null);
      else location.assign(desk.dataset.home);
    });
  };

  const mark = () => {
    const chosen = form.elements.second.value;
    for (const button of form.querySelectorAll("[data-emotion]")) {
      const is = button.value === chosen;
      button.classList.toggle("second", is);
      if (is) button.setAttribute("aria-description", word("second"));
      else button.removeAttribute("aria-description");
    }
  };

  const second = (emotion) => {
    const select = form.elements.second;
    select.value = select.value === emotion ? "" : emotion;
    mark();
  };

  document.addEventListener("act", (event) => {
    const { action, shift, repeat, at } = event.detail;
    const button = form?.querySelector(`button[name=answer][value="${action}"]`);
    if (button) {
      event.preventDefault();
      if (repeat) return;
      if (shift && button.dataset.emotion !== undefined) second(action);
      else vote(action, at);
    } else if (action === "undo") {
      event.preventDefault();
      if (!repeat) undo(at);
    } else if (action === "last_ten") {
      event.preventDefault();
      document.querySelector("[data-last] a")?.focus();
    }
  });

  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    if (event.submitter?.name === "answer") vote(event.submitter.value, event.timeStamp);
  });
  form?.addEventListener("click", (event) => {
    const button = event.target.closest("[data-emotion]");
    if (button && event.shiftKey) {
      event.preventDefault();
      second(button.value);
    }
  });
  form?.addEventListener("change", mark);
  document.querySelector("[data-undo-form]")?.addEventListener("submit", (event) => {
    event.preventDefault();
    undo(event.timeStamp);
  });

  // A face whose participant takes it back leaves the screen without waiting for the next stroke.
  const look = async () => {
    if (document.hidden || !items.length) return;
    const hold = items.map((item) => item.id).join(",");
    const answer = await reach(`${desk.dataset.closed}?${new URLSearchParams({ hold })}`);
    if (!answer?.ok) {
      cover();
      return;
    }
    const { gone } = await answer.json();
    if (busy()) return;
    const on = items[0]?.id;
    forget(gone);
    if (!gone.includes(on)) {
      uncover();
      return;
    }
    covered = false;
    delete desk.dataset.covered;
    say(word("gone"));
    wipe();
    await show(null);
  };

  // Nobody looks at a hidden tab, and who comes back to it is shown nothing before it was asked for.
  document.addEventListener("visibilitychange", () => (document.hidden ? cover() : look()));
  addEventListener("resize", () => drawn && !covered && draw(drawn.bitmap));
  // A page from the browser's memory of pages would show a face again.
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  addEventListener("pagehide", wipe);

  const begin = async () => {
    if (!form) return;
    if (!first.complete) await new Promise((done) => ["load", "error"].forEach((e) => first.addEventListener(e, done)));
    if (!first.naturalWidth) {
      say(word("gone"));
      first.remove();
      items = [];
      await show(null);
    } else {
      shownAt = await painted();
      desk.dataset.shown = form.dataset.item;
      await refill().catch(() => {});
    }
    setInterval(look, Number(desk.dataset.lookEvery || 5000));
  };
  begin();
})();
