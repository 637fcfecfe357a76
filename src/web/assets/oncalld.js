// What makes the pages quicker to use. Each of them works without it: this only fetches the same
// pages, and takes from them what has changed.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/* --- Pages as documents, and the regions in them that may change --- */

async function load(url, options = {}) {
  const response = await fetch(url, { headers: { Accept: "text/html" }, credentials: "same-origin", ...options });
  const text = await response.text();
  return { response, page: new DOMParser().parseFromString(text, "text/html") };
}

/** Takes over each region of `page` that differs; what has the focus, or is being typed, stays. */
function takeOver(page) {
  for (const region of $$("[data-region][id]")) {
    const fresh = page.getElementById(region.id);
    if (!fresh || fresh.innerHTML === region.dataset.was || sameText(fresh, region)) continue;
    const active = region.contains(document.activeElement) ? document.activeElement : null;
    if (active && /^(INPUT|SELECT|TEXTAREA)$/.test(active.tagName) && !active.dataset.taken) continue;
    const open = $$("details[open][id]", region).map((it) => it.id);
    const focus = active && (active.id || active.name || active.getAttribute("href"));
    region.replaceChildren(...fresh.childNodes);
    region.dataset.was = region.innerHTML;
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    if (focus) $$("a, button, input, select, textarea, summary", region).find((it) => [it.id, it.name, it.getAttribute("href")].includes(focus))?.focus();
    dress(region);
  }
  const icon = $("link[rel=icon]"), fresh = $("link[rel=icon]", page);
  if (icon && fresh && icon.href !== fresh.href) icon.href = fresh.href;
}

const sameText = (a, b) => a.innerHTML === b.innerHTML;

/** What the page says of the last action, where it is seen and heard. */
function tell(page) {
  const said = $("[data-flash]", page);
  if (!said) return;
  $(".toast")?.remove();
  // In place of what the page said before, if that can be seen: nothing moves.
  const before = $("main > [data-flash]");
  if (before && before.getBoundingClientRect().bottom > 0) return before.replaceWith(said);
  before?.remove();
  said.classList.add("toast");
  document.body.append(said);
  setTimeout(() => said.remove(), 8000);
}

/* --- Dialogs: a page with a form, shown over the present one --- */

async function openDialog(url) {
  const { page } = await load(url);
  const content = $("main", page);
  if (!content || !$("form", content)) return location.assign(url);
  const dialog = document.createElement("dialog");
  dialog.dataset.url = url;
  fill(dialog, content);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
}

function fill(dialog, content) {
  const close = document.createElement("button");
  close.type = "button";
  close.className = "quiet";
  close.textContent = $(".actions", content)?.dataset.close ?? "Cancel";
  close.addEventListener("click", () => dialog.close());
  const heading = $("h1", content);
  if (heading) {
    heading.id = "dialog-title";
    dialog.setAttribute("aria-labelledby", "dialog-title");
  }
  dialog.replaceChildren(...content.childNodes);
  $("form .actions", dialog)?.append(close);
  dress(dialog);
  ($("[aria-invalid=true]", dialog) ?? $("input:not([type=hidden]), select, textarea", dialog))?.focus();
}

/* --- Forms: sent in place; the answer's page says what came of it --- */

async function send(form, button) {
  const body = new URLSearchParams(new FormData(form, button));
  const action = button?.formAction && button.hasAttribute("formaction") ? button.formAction : form.action;
  if (button) button.setAttribute("aria-busy", "true");
  let answer;
  try {
    answer = await load(action, { method: "POST", body });
  } catch {
    form.submit();
    return;
  } finally {
    button?.removeAttribute("aria-busy");
  }
  const { response, page } = answer;
  const dialog = form.closest("dialog");
  if (response.redirected && new URL(response.url).pathname === "/sign-in") return location.assign(response.url);
  if (!response.ok) {
    const content = $("main", page);
    if (dialog) return fill(dialog, content);
    // The page of the form, with what is wrong; or one that says what happened.
    document.title = page.title;
    $("main").replaceChildren(...content.childNodes);
    dress($("main"));
    ($("[aria-invalid=true]") ?? $("main")).focus();
    return;
  }
  dialog?.close();
  const target = new URL(response.url);
  if (target.pathname === location.pathname) {
    history.replaceState(null, "", target);
    for (const field of $$("[data-taken]")) delete field.dataset.taken;
    if (document.activeElement?.form === form) document.activeElement.dataset.taken = "yes";
    takeOver(page);
    tell(page);
  } else {
    // Its flash was read by us: carry it over.
    const said = $("[data-flash]", page);
    if (said) sessionStorage.setItem("flash", JSON.stringify([said.className, $("span", said).textContent]));
    location.assign(target);
  }
}

/* --- Following changes as they happen --- */

function follow() {
  if (!document.body.hasAttribute("data-live")) return;
  let timer = 0, running = false, again = false;
  const offline = (is) => { for (const notice of $$("[data-offline]")) notice.hidden = !is; };
  const refresh = async () => {
    if (running) { again = true; return; }
    running = true;
    try {
      const { response, page } = await load(location.href);
      if (response.ok && !response.redirected) takeOver(page);
      offline(!response.ok || response.redirected);
    } catch { offline(true); /* The daemon restarts, or the network is away: the next event brings it up to date. */ }
    running = false;
    if (again) { again = false; soon(); }
  };
  const soon = () => { clearTimeout(timer); timer = setTimeout(refresh, 400); };
  const events = new EventSource("/api/v1/events");
  events.onmessage = soon;
  // Shifts end and begin without anybody changing anything.
  setInterval(soon, 60_000);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && soon());
  addEventListener("pagehide", () => events.close());
}

/* --- Who is on call for… --- */

function lookup(form) {
  const input = $("input", form);
  const list = document.createElement("ul");
  Object.assign(list, { className: "results", id: "lookup-results", hidden: true });
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Suggestions");
  form.append(list);
  for (const [name, value] of [["role", "combobox"], ["aria-expanded", "false"], ["aria-controls", list.id], ["aria-autocomplete", "list"]]) input.setAttribute(name, value);
  let timer = 0, asked = 0, at = -1;
  const options = () => $$("[role=option]", list);
  const show = (on) => { list.hidden = !on || !options().length; input.setAttribute("aria-expanded", String(!list.hidden)); if (list.hidden) pick(-1); };
  const pick = (index) => {
    at = index;
    options().forEach((it, i) => it.setAttribute("aria-selected", String(i === index)));
    const chosen = options()[index];
    if (chosen) { input.setAttribute("aria-activedescendant", chosen.id); chosen.scrollIntoView({ block: "nearest" }); }
    else input.removeAttribute("aria-activedescendant");
  };
  const ask = async () => {
    const q = input.value.trim(), turn = ++asked;
    if (!q) { list.replaceChildren(); return show(false); }
    try {
      const { page } = await load(`/oncall-lookup?suggest=yes&q=${encodeURIComponent(q)}`);
      if (turn !== asked) return;
      list.replaceChildren(...$$("[data-suggestion]", page).map((link, i) => {
        const option = document.createElement("li");
        option.setAttribute("role", "option");
        option.id = `lookup-${i}`;
        option.dataset.href = link.getAttribute("href");
        option.append(...link.childNodes);
        option.addEventListener("mousedown", (event) => { event.preventDefault(); location.assign(option.dataset.href); });
        return option;
      }));
      pick(-1);
      show(document.activeElement === input);
    } catch { show(false); }
  };
  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, 120); });
  input.addEventListener("focus", () => show(true));
  input.addEventListener("blur", () => show(false));
  input.addEventListener("keydown", (event) => {
    const count = options().length;
    if (event.key === "ArrowDown" && count) { event.preventDefault(); show(true); pick((at + 1) % count); }
    else if (event.key === "ArrowUp" && count) { event.preventDefault(); show(true); pick((at - 1 + count) % count); }
    else if (event.key === "Escape") { if (list.hidden) input.value = ""; show(false); }
    else if (event.key === "Enter" && options()[at]) { event.preventDefault(); location.assign(options()[at].dataset.href); }
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) { event.preventDefault(); input.focus(); input.select(); }
  });
}

/* --- Small things --- */

/** Adds the viewer's own time where the team's is another. */
function localTimes(root) {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const time of $$("time[data-zone]", root)) {
    const zone = time.dataset.zone, at = new Date(time.dateTime);
    if (Number.isNaN(at.valueOf()) || zone === here) continue;
    const own = at.toLocaleString("en-GB", { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
    time.title = `${own} your time, ${time.textContent} in ${zone}`;
    if (time.hasAttribute("data-local")) { time.textContent = own; }
  }
}

/** Lists whose order is set by dragging; buttons and keys do the same without it. */
function orderLists(root) {
  for (const list of $$("[data-order]", root)) {
    let dragged = null;
    list.addEventListener("dragstart", (event) => { dragged = event.target.closest("li"); event.dataTransfer.effectAllowed = "move"; });
    list.addEventListener("dragover", (event) => {
      const over = event.target.closest("li");
      if (!dragged || !over || over === dragged || over.parentElement !== list) return;
      event.preventDefault();
      const box = over.getBoundingClientRect();
      over[event.clientY < box.top + box.height / 2 ? "before" : "after"](dragged);
    });
    list.addEventListener("dragend", () => { dragged = null; list.dispatchEvent(new Event("change", { bubbles: true })); });
    list.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-move]");
      if (!button) return;
      event.preventDefault();
      const item = button.closest("li");
      const other = button.dataset.move === "up" ? item.previousElementSibling : item.nextElementSibling;
      if (other) { other[button.dataset.move === "up" ? "before" : "after"](item); button.focus(); list.dispatchEvent(new Event("change", { bubbles: true })); }
    });
    for (const item of list.children) item.draggable = true;
  }
}

function copyButtons(root) {
  for (const button of $$("button[data-copy]", root)) {
    button.hidden = !navigator.clipboard;
    button.addEventListener("click", async () => {
      const text = button.dataset.copy;
      await navigator.clipboard.writeText(text.startsWith("/") ? new URL(text, location).href : text);
      const was = button.textContent;
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = was; }, 1500);
    });
  }
}

/** Previews that follow what is being typed into a form. */
function previews(root) {
  for (const form of $$("form[data-preview]", root)) {
    let timer = 0, asked = 0;
    const show = async () => {
      const region = document.getElementById(form.dataset.preview), turn = ++asked;
      if (!region) return;
      region.setAttribute("aria-busy", "true");
      const query = new URLSearchParams(new FormData(form));
      const { page } = await load(`${form.dataset.previewUrl}?${query}`);
      if (turn !== asked) return;
      const fresh = page.getElementById(region.id);
      if (fresh) { region.replaceChildren(...fresh.childNodes); dress(region); }
      region.removeAttribute("aria-busy");
    };
    form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(show, 350); });
    form.addEventListener("change", () => { clearTimeout(timer); timer = setTimeout(show, 50); });
  }
}

function dress(root) {
  localTimes(root);
  orderLists(root);
  copyButtons(root);
  previews(root);
  for (const form of $$("form[data-filter]", root)) {
    for (const field of $$("select, input[type=checkbox], input[type=date]", form)) field.addEventListener("change", () => form.requestSubmit());
  }
}

/** The wall's clock, in the time of the machine that shows it. */
function clock(time) {
  const show = () => {
    const now = new Date();
    time.dateTime = now.toISOString();
    time.textContent = now.toLocaleString("en-GB", { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  };
  show();
  setInterval(show, 1000);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-dialog]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
    event.preventDefault();
    openDialog(link.href).catch(() => location.assign(link.href));
  }
  for (const menu of $$("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") for (const menu of $$("details.menu[open]")) { menu.open = false; $("summary", menu).focus(); }
});
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || !(form.hasAttribute("data-inline") || form.closest("dialog"))) return;
  event.preventDefault();
  send(form, event.submitter);
});
// Fields that save themselves: the form's own button is for those without this script.
document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (form?.hasAttribute("data-autosave")) send(form, null);
});

document.documentElement.classList.add("js");
const carried = sessionStorage.getItem("flash");
if (carried && !$("[data-flash]")) {
  const [style, text] = JSON.parse(carried);
  const said = Object.assign(document.createElement("div"), { className: style });
  said.append(Object.assign(document.createElement("span"), { textContent: text }));
  said.setAttribute("role", "status");
  said.dataset.flash = "";
  $("main").prepend(said);
}
sessionStorage.removeItem("flash");
$$("form[data-lookup]").forEach(lookup);
$$("time[data-clock]").forEach(clock);
for (const region of $$("[data-region][id]")) region.dataset.was = region.innerHTML;
dress(document);
follow();
