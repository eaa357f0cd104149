// Answers that wait on this phone: sealed under a key that no script can read out, delivered in order and once.
"use strict";

window.waitingAnswers = (() => {
  const NAME = "affect-answers";
  const LOCK = "affect-answers";
  const OLDEST_MS = 8 * 24 * 3600 * 1000; // a day more than the server takes, for clocks that are off
  const HERE = "here"; // who was logged in last on this phone
  const PATIENCE_MS = 10_000; // a network that hangs is none, and must not hold the lock
  const usable = Boolean(window.isSecureContext && window.indexedDB && window.crypto?.subtle && navigator.locks);

  const done = (request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });

  let opened = null;
  const open = () => {
    if (opened) return opened;
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("keys", { keyPath: "owner" });
      request.result.createObjectStore("waiting", { keyPath: "id", autoIncrement: true });
    };
    opened = done(request).then((database) => {
      const forget = () => {
        database.close();
        opened = null;
      };
      database.onversionchange = forget; // another tab clears it
      database.onclose = forget; // the browser does, because the server said so
      return database;
    });
    opened.catch(() => (opened = null));
    return opened;
  };

  const store = async (name, mode, work) => {
    const database = await open();
    const transaction = database.transaction(name, mode);
    const finished = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
    const result = await work(transaction.objectStore(name));
    await finished;
    return result;
  };

  const keyOf = async (owner) => {
    const kept = await store("keys", "readonly", (keys) => done(keys.get(owner)));
    if (kept) return kept.key;
    const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
    // Another tab may have made one meanwhile: the first stays, and the answers of both open with it.
    return store("keys", "readwrite", async (keys) => {
      const first = await done(keys.get(owner));
      if (!first) await done(keys.add({ owner, key }));
      return first ? first.key : key;
    });
  };

  const bound = (owner, key) => new TextEncoder().encode(`${owner}|${key}`);

  /** Keep an answer, sealed, for whoever it belongs to. */
  const add = async (owner, answer) => {
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const data = await crypto.subtle.encrypt(
      { name: "AES-GCM", iv, additionalData: bound(owner, answer.key) },
      await keyOf(owner),
      new TextEncoder().encode(JSON.stringify(answer)),
    );
    const row = { owner, key: answer.key, kept: Date.now(), iv, data, problem: "", status: 0 };
    return store("waiting", "readwrite", (waiting) => done(waiting.add(row)));
  };

  const unseal = async (row) => {
    const key = await keyOf(row.owner);
    const way = { name: "AES-GCM", iv: row.iv, additionalData: bound(row.owner, row.key) };
    return JSON.parse(new TextDecoder().decode(await crypto.subtle.decrypt(way, key, row.data)));
  };

  const all = () => store("waiting", "readonly", (waiting) => done(waiting.getAll()));
  const remove = (id) => store("waiting", "readwrite", (waiting) => done(waiting.delete(id)));
  const put = (row) => store("waiting", "readwrite", (waiting) => done(waiting.put(row)));

  /** Who was logged in last on this phone: a tag, and what they may say. */
  const here = async () => {
    const kept = await store("keys", "readonly", (keys) => done(keys.get(HERE)));
    return kept ? kept.who : null;
  };

  /** Remember who is logged in; what others left here for too long goes, and never one's own unseen. */
  const arrive = async (who) => {
    await store("keys", "readwrite", (keys) => done(keys.put({ owner: HERE, who })));
    const rows = await all();
    for (const row of rows) if (row.owner !== who && Date.now() - row.kept > OLDEST_MS) await remove(row.id);
    const needed = new Set([HERE, who, ...rows.map((row) => row.owner)]);
    await store("keys", "readwrite", async (keys) => {
      for (const owner of await done(keys.getAllKeys())) if (!needed.has(owner)) keys.delete(owner);
    });
  };

  /** What waits for one person, in the order in which it was given. */
  const list = async (owner) => (await all()).filter((row) => row.owner === owner);

  /** Delete what waits for one person. */
  const drop = async (owner) => {
    for (const row of await list(owner)) await remove(row.id);
  };

  /** Forget one person: their answers, their key, and that they were here. What others left here stays. */
  const leave = async (owner) => {
    await drop(owner);
    await store("keys", "readwrite", async (keys) => {
      await done(keys.delete(owner));
      const last = await done(keys.get(HERE));
      if (last?.who === owner) await done(keys.delete(HERE));
    });
  };

  /** Whether answers of anybody but this person wait here. */
  const others = async (owner) => (await all()).some((row) => row.owner !== owner);

  // The server's clock is the right one: what was noted by one that is far off is put right now, before somebody sets
  // it, after which nobody could tell by how much it was off. Once for each row.
  const putRight = async (now) => {
    const off = Date.now() - Date.parse(now);
    for (const row of await all()) if (row.off === undefined) await put({ ...row, kept: row.kept - off, off });
  };

  const noted = (answer, row) =>
    row.off === undefined ? answer.at : new Date(Date.parse(answer.at) - row.off).toISOString();

  const ask = (path, options) => fetch(path, { ...options, signal: AbortSignal.timeout(PATIENCE_MS) });

  const changed = (detail) => document.dispatchEvent(new CustomEvent("waiting-answers", { detail }));

  // One tab at a time sends: the order stays, and no answer is on its way twice. If it were, the server would know.
  const deliver = (again = false) =>
    navigator.locks.request(LOCK, async () => {
      const result = { state: "sent", sent: [], refused: [] };
      try {
        const asked = await ask("/answer/standing", { cache: "no-store", headers: { Accept: "application/json" } });
        const standing = await asked.json();
        if (asked.status === 401) {
          if (standing.ended && standing.owner) await leave(standing.owner);
          return { ...result, state: standing.ended ? "ended" : "logged out" };
        }
        if (!asked.ok) return { ...result, state: "unavailable" };
        await arrive(standing.owner);
        const since = performance.now();
        const theirs = () => new Date(Date.parse(standing.now) + performance.now() - since).toISOString();
        const post = (row, answer) =>
          ask("/answer", {
            method: "POST",
            headers: { "Content-Type": "application/json", "X-CSRF-Token": standing.csrf },
            // What was put right is told by the clock that it was put right to.
            body: JSON.stringify({
              ...answer,
              at: noted(answer, row),
              clock: row.off === undefined ? new Date().toISOString() : theirs(),
            }),
          });
        for (let row of await list(standing.owner)) {
          if (row.problem && !again) continue;
          const answer = await unseal(row).catch(() => null);
          if (!answer) {
            await remove(row.id); // its key is gone: nobody can read it any more
            continue;
          }
          let reply = await post(row, answer);
          const { now } = reply.status === 400 ? await reply.clone().json() : {};
          if (now && row.off === undefined) {
            await putRight(now);
            row = (await list(standing.owner)).find((one) => one.id === row.id);
            if (!row) continue; // it was deleted meanwhile
            reply = await post(row, answer);
          }
          if (reply.status === 401) return { ...result, state: "logged out" };
          if (reply.status === 429 || reply.status >= 500) return { ...result, state: "unavailable" };
          const said = await reply.json();
          if (reply.ok) {
            await remove(row.id);
            result.sent.push(said);
          } else {
            const problem = said.error || String(reply.status);
            await put({ ...row, problem, status: reply.status });
            result.refused.push({ key: row.key, status: reply.status, problem });
          }
        }
        return result;
      } catch (error) {
        // What fetch and an answer that is no JSON throw: a network that is not there, hangs, or is not ours.
        const none = error instanceof TypeError || error instanceof SyntaxError || error.name === "TimeoutError";
        if (none) return { ...result, state: "offline" };
        throw error;
      } finally {
        changed(result);
      }
    });

  /** How many wait, in the words of the page. */
  const count = (n, one, many) => (n === 1 ? one : many.replace("{n}", String(n)));

  const badge = async () => {
    for (const place of document.querySelectorAll("[data-answers-waiting]")) {
      const who = await here();
      const n = who ? (await list(who)).length : 0;
      place.hidden = n === 0;
      place.textContent = n ? count(n, place.dataset.one, place.dataset.many) : "";
    }
  };

  if (usable && document.querySelector("[data-answers-waiting]")) {
    document.addEventListener("waiting-answers", () => badge());
    badge().then(async () => {
      const who = await here();
      if (who && (await list(who)).length) await deliver();
    });
  }

  // Whoever leaves takes what is theirs from this phone. The server is told where answers of others wait here, so that
  // it does not have the browser forget everything.
  /** Let this browser be told nothing any more; return the address at which it was. */
  const silence = async () => {
    const worker = await navigator.serviceWorker?.getRegistration("/answer");
    const subscription = await worker?.pushManager?.getSubscription();
    if (!subscription) return "";
    await subscription.unsubscribe();
    return subscription.endpoint;
  };

  const tell = (form, name, value) => {
    const told = form.appendChild(document.createElement("input"));
    told.type = "hidden";
    told.name = name;
    told.value = value;
  };

  const LEAVING = 'form[action="/logout"], form[action="/my-data/erase"], form[action="/withdraw"], form[action="/consent/prompts/withdraw"]';

  const leaving = async (event) => {
    const form = event.target;
    if (form.dataset.sure || !form.matches(LEAVING)) return;
    event.preventDefault();
    const owner = document.body.dataset.phone || "";
    const out = form.getAttribute("action") === "/logout";
    try {
      if (out && owner && (await list(owner)).length && !window.confirm(document.body.dataset.leave)) return;
      if (out && owner) await leave(owner);
      if (await others(owner)) tell(form, "others", "1");
      const told = await silence().catch(() => "");
      if (out && told) tell(form, "device", told);
    } catch {
      // This browser keeps nothing.
    }
    form.dataset.sure = "yes";
    form.requestSubmit(event.submitter);
  };

  if (usable) {
    document.addEventListener("submit", leaving);
    const left = document.body.dataset.left; // who erased everything, or logged out, a moment ago
    const empty = async () => {
      const there = indexedDB.databases ? await indexedDB.databases() : [{ name: NAME }];
      if (there.some(({ name }) => name === NAME)) await leave(left); // else the browser has forgotten everything
      document.documentElement.dataset.left = "gone";
    };
    if (left) empty().catch(() => {});
  }

  return { usable, add, list, drop, here, arrive, leave, deliver, count, unseal, remove, put };
})();
