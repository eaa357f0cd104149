// Passkeys: ask the browser, hand its answer on. Without this script the page works with passwords.
"use strict";

(() => {
  const decode = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const encode = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  const read = (options) => {
    options.challenge = decode(options.challenge);
    if (options.user) options.user.id = decode(options.user.id);
    for (const list of ["excludeCredentials", "allowCredentials"])
      for (const known of options[list] || []) known.id = decode(known.id);
    return options;
  };

  const written = (credential) => {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"])
      if (credential.response[name]) response[name] = encode(credential.response[name]);
    return {
      id: credential.id,
      rawId: encode(credential.rawId),
      type: credential.type,
      authenticatorAttachment: credential.authenticatorAttachment,
      clientExtensionResults: {},
      response,
    };
  };

  const post = async (address, token, body) => {
    const answer = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": token },
      body: JSON.stringify(body),
    });
    const said = await answer.json();
    if (!answer.ok) throw Object.assign(new Error(said.error), { told: said.error });
    return said;
  };

  const run = async (place) => {
    const token = place.querySelector("[name=csrf_token]").value;
    const make = place.dataset.passkey === "make";
    const publicKey = read(await post(place.dataset.options, token, {}));
    const credential = await navigator.credentials[make ? "create" : "get"]({ publicKey });
    const name = make ? place.querySelector("[name=passkey]").value : "";
    const body = make ? { credential: written(credential), name } : written(credential);
    const { next } = await post(place.dataset.check, token, body);
    const here = location.pathname + location.search;
    location.assign(next);
    if (next.split("#")[0] === here) location.reload();
  };

  if (!window.PublicKeyCredential || !navigator.credentials) return;
  for (const place of document.querySelectorAll("[data-passkey]")) {
    place.hidden = false;
    const button = place.querySelector("button");
    const status = place.querySelector("[role=status]");
    button.addEventListener("click", async () => {
      button.disabled = true;
      status.textContent = "";
      try {
        await run(place);
      } catch (error) {
        status.textContent = error.told || place.dataset.failed;
      }
      button.disabled = false;
    });
  }
})();
