// Devices that are told that a question waits: this one is switched on with a press, never by itself.
"use strict";

(() => {
  const place = document.querySelector("[data-devices]");
  if (!place) return;
  const panel = place.querySelector("[data-switch]");
  const able = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
  if (!able) {
    place.querySelector("[data-unable]").hidden = false;
    return;
  }
  const button = panel.querySelector("button");
  const status = panel.querySelector("[role=status]");

  const bytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));

  const tagOf = async (endpoint) => {
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(endpoint));
    return [...new Uint8Array(digest)].map((b) => b.toString(16).padStart(2, "0")).join("").slice(0, 32);
  };

  const kept = async () => {
    const worker = await navigator.serviceWorker.getRegistration(place.dataset.scope);
    return worker ? worker.pushManager.getSubscription() : null;
  };

  /** Mark the row of this device; what the server knows nothing of any more ends in the browser too. */
  const look = async () => {
    const subscription = await kept().catch(() => null);
    const tag = subscription ? await tagOf(subscription.endpoint) : "";
    const row = tag && place.querySelector(`[data-device="${tag}"]`);
    if (row) {
      const badge = row.querySelector("[data-this]");
      badge.textContent = place.dataset.here;
      badge.hidden = false;
      row.dataset.current = "yes";
    } else {
      if (subscription) await subscription.unsubscribe().catch(() => {});
      panel.hidden = false;
    }
    place.dataset.ready = "yes";
  };

  const ready = async () => {
    const worker = await navigator.serviceWorker.register(place.dataset.worker, { scope: place.dataset.scope });
    const coming = worker.installing || worker.waiting;
    if (!worker.active && coming)
      await new Promise((done) =>
        coming.addEventListener("statechange", () => coming.state === "activated" && done()),
      );
    return worker;
  };

  const switchOn = async () => {
    if ((await Notification.requestPermission()) !== "granted") return place.dataset.denied;
    const worker = await ready();
    const key = { userVisibleOnly: true, applicationServerKey: bytes(place.dataset.key) };
    const subscription = await worker.pushManager.subscribe(key);
    try {
      const answer = await fetch(place.dataset.devices, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRF-Token": panel.querySelector("[name=csrf_token]").value },
        body: JSON.stringify({ endpoint: subscription.endpoint }),
      });
      const said = await answer.json();
      if (answer.ok) {
        location.reload();
        return "";
      }
      await subscription.unsubscribe();
      return said.error;
    } catch (error) {
      await subscription.unsubscribe(); // nobody would ever send there
      throw error;
    }
  };

  button.addEventListener("click", async () => {
    button.disabled = true;
    status.textContent = "";
    status.textContent = await switchOn().catch(() => place.dataset.failed);
    button.disabled = false;
  });

  for (const form of place.querySelectorAll("[data-stop]"))
    form.addEventListener("submit", async (event) => {
      const row = form.closest("[data-device]");
      if (form.dataset.sure || (row && !row.dataset.current)) return;
      event.preventDefault();
      const subscription = await kept().catch(() => null);
      if (subscription) await subscription.unsubscribe().catch(() => {});
      form.dataset.sure = "yes";
      form.requestSubmit(event.submitter);
    });

  look();
})();
