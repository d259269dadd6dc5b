// The token that a guarded daemon asks for: asked of the reader when one is wanted, kept for this tab, shown with every
// question. Streams cannot show one, so whoever holds one asks every few seconds instead.

import { el } from "./dom.js";

const KEY = "spangraph.token";
let token = sessionStorage.getItem(KEY);
/** While the reader is being asked. */
let asking = null;

/** Whether a token has to be shown. */
export const bearing = () => token !== null;

/** `fetch` that shows the token; where none counts it waits for the reader to give one. */
export async function send(url, options) {
  for (;;) {
    const shown = token;
    const headers = shown ? { ...options.headers, Authorization: `Bearer ${shown}` } : options.headers;
    const answer = await fetch(url, { ...options, headers });
    if (answer.status !== 401) return answer;
    // Another question may have got one meanwhile.
    if (shown !== token) continue;
    asking ??= askReader(shown !== null).finally(() => (asking = null));
    await Promise.race([asking, aborted(options.signal)]);
  }
}

const aborted = (signal) =>
  new Promise((_, fail) => signal?.addEventListener("abort", () => fail(signal.reason), { once: true }));

function askReader(again) {
  return new Promise((done) => {
    const field = el("input", { type: "password", autocomplete: "off", required: true, pattern: "\\s*[!-~]{16,512}\\s*" });
    const given = (event) => {
      event.preventDefault();
      token = field.value.trim();
      sessionStorage.setItem(KEY, token);
      dialog.remove();
      done();
    };
    const words = again ? "That token does not count here. " : "";
    const dialog = el(
      "dialog",
      { id: "token", "aria-label": "Token", close: () => dialog.showModal() },
      el(
        "form",
        { submit: given },
        el("p", {}, `${words}This daemon shows its graph to those who have a token.`),
        el("p", {}, el("label", {}, "Token ", field), " ", el("button", {}, "Show it")),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}

// A link shows no token either: what it leads to is fetched, and handed over as a file.
document.addEventListener("click", async (event) => {
  const { href } = event.target.closest?.("a[href*='/api/v1/']") ?? {};
  if (!href || !bearing()) return;
  event.preventDefault();
  const answer = await send(href, {});
  const url = URL.createObjectURL(await answer.blob());
  el("a", { href: url, download: new URL(href).pathname.split("/").pop() }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
});
