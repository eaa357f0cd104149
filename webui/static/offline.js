// Answers that wait on this phone: sealed under a key that no script can read out, delivered in order and once.
"use strict";

window.waitingAnswers = (() => {
  const NAME = "affect-answers";
  const LOCK = "affect-answers";
  const OLDEST_MS = 8 * 24 * 3600 * 1000; // a day more than the server takes, for clocks that are off
  const HERE = "here"; // who was logged in last on this phone
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

  /** Remember who is logged in; what others left here for too long goes. */
  const arrive = async (who) => {
    await store("keys", "readwrite", (keys) => done(keys.put({ owner: HERE, who })));
    const rows = await all();
    for (const row of rows) if (Date.now() - row.kept > OLDEST_MS) await remove(row.id);
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

  /** Forget everything: answers, keys, and who was here. */
  const clear = async () => {
    if (opened) (await opened).close();
    opened = null;
    await done(indexedDB.deleteDatabase(NAME));
  };

  const changed = (detail) => document.dispatchEvent(new CustomEvent("waiting-answers", { detail }));

  // One tab at a time sends: the order stays, and no answer is on its way twice. If it were, the server would know.
  const deliver = (again = false) =>
    navigator.locks.request(LOCK, async () => {
      const result = { state: "sent", sent: [], refused: [] };
      try {
        const asked = await fetch("/answer/standing", { cache: "no-store", headers: { Accept: "application/json" } });
        const standing = await asked.json();
        if (asked.status === 401) {
          if (standing.ended) await clear();
          return { ...result, state: standing.ended ? "ended" : "logged out" };
        }
        if (!asked.ok) return { ...result, state: "unavailable" };
        await arrive(standing.owner);
        for (const row of await list(standing.owner)) {
          if (row.problem && !again) continue;
          const answer = await unseal(row).catch(() => null);
          if (!answer) {
            await remove(row.id); // its key is gone: nobody can read it any more
            continue;
          }
          const reply = await fetch("/answer", {
            method: "POST",
            headers: { "Content-Type": "application/json", "X-CSRF-Token": standing.csrf },
            body: JSON.stringify({ ...answer, clock: new Date().toISOString() }),
          });
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
        // What fetch and an answer that is no JSON throw: a network that is not there, or not ours.
        if (error instanceof TypeError || error instanceof SyntaxError) return { ...result, state: "offline" };
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

  return { usable, add, list, drop, here, arrive, clear, deliver, count, unseal, remove, put };
})();
